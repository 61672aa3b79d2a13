//! An organization: how it is founded, what changes, its payload, and the row that must come of it.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::metadata::{self, Metadata};
use super::names;
use super::user::image_url;
use crate::truth::{Row, json as to_json, time};

/// An organization's state; serialised, it is the payload's `data`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Organization {
    admin_delete_enabled: bool,
    pub(crate) created_at: i64,
    /// Absent inside a membership: Clerk leaves it out there.
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    has_image: bool,
    pub(crate) id: String,
    image_url: String,
    last_active_at: i64,
    max_allowed_memberships: u32,
    members_count: usize,
    missing_member_with_elevated_permissions: bool,
    pub(crate) name: String,
    object: &'static str,
    pending_invitations_count: u32,
    private_metadata: Metadata,
    public_metadata: Metadata,
    role_set_key: Option<&'static str>,
    pub(crate) slug: String,
    pub(crate) updated_at: i64,
    /// The memberships in this organization, for the cascade.
    #[serde(skip)]
    pub(crate) membership_ids: Vec<String>,
    /// What else ends with it: its table and id.
    #[serde(skip)]
    pub(crate) dependants: Vec<(&'static str, String)>,
    #[serde(skip)]
    pub(crate) has_subscription: bool,
}

impl Organization {
    pub(crate) fn found(founder: &str, at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        let (name, slug) = names::company(rng);
        Self {
            admin_delete_enabled: true,
            created_at: at_ms,
            created_by: Some(founder.to_owned()),
            has_image: rng.random_bool(0.3),
            id: entity_id("org_", at_ms, rng),
            image_url: image_url(rng),
            last_active_at: at_ms,
            max_allowed_memberships: 5,
            members_count: 0,
            missing_member_with_elevated_permissions: false,
            name,
            object: "organization",
            pending_invitations_count: 0,
            private_metadata: metadata::private(rng),
            public_metadata: metadata::public(rng),
            role_set_key: Some("role_set:default"),
            slug,
            updated_at: at_ms,
            membership_ids: Vec::new(),
            dependants: Vec::new(),
            has_subscription: false,
        }
    }

    pub(crate) fn change(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        self.updated_at = at_ms;
        self.count_members();
        match rng.random_range(0..6) {
            0 => self.name = names::company(rng).0,
            1 => self.slug = names::company(rng).1,
            2 => self.public_metadata = metadata::public(rng),
            3 => self.pending_invitations_count = rng.random_range(0..5),
            4 => self.max_allowed_memberships += 5,
            _ => self.private_metadata = metadata::private(rng),
        }
    }

    /// Brings `members_count` up to date. Clerk sends no event of the organization's for that alone.
    fn count_members(&mut self) {
        self.members_count = self.membership_ids.len();
    }

    /// The organization as it stands inside a membership's payload.
    pub(crate) fn embedded(&self) -> Self {
        let mut organization =
            Self { created_by: None, membership_ids: Vec::new(), ..self.clone() };
        organization.members_count = self.membership_ids.len();
        organization
    }

    /// The organization as invitations and domains show it.
    pub(crate) fn public_data(&self) -> Value {
        json!({
            "has_image": self.has_image,
            "id": self.id,
            "image_url": self.image_url,
            "name": self.name,
            "slug": self.slug,
        })
    }

    /// The row of table `organizations`.
    pub(crate) fn row(&self) -> Row {
        Row::from([
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("slug", self.slug.as_str().into()),
            ("image_url", self.image_url.as_str().into()),
            ("has_image", self.has_image.into()),
            ("members_count", self.members_count.into()),
            ("pending_invitations_count", self.pending_invitations_count.into()),
            ("max_allowed_memberships", self.max_allowed_memberships.into()),
            ("admin_delete_enabled", self.admin_delete_enabled.into()),
            ("created_by", self.created_by.as_deref().into()),
            ("public_metadata", to_json(&self.public_metadata)),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }
}
