//! A user's membership in an organization: its payload, which has both of them, and the row that must come of it.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::ids::entity_id;
use super::metadata::{self, Metadata};
use super::organization::Organization;
use super::user::User;
use crate::truth::{Row, json, time};

const ROLES: &[(&str, &str, &[&str])] = &[
    (
        "org:admin",
        "Admin",
        &["org:sys_profile:manage", "org:sys_profile:delete", "org:sys_memberships:manage"],
    ),
    ("org:member", "Member", &["org:sys_memberships:read"]),
    ("org:billing", "Billing & <Accounts>", &["org:sys_billing:manage", "org:invoices:read"]),
];

/// A membership's own state; what it shows of its organization and its user is read when it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Membership {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    pub(crate) user_id: String,
    role: usize,
    public_metadata: Metadata,
    private_metadata: Metadata,
    created_at: i64,
    pub(crate) updated_at: i64,
}

#[derive(Serialize)]
struct Payload<'a> {
    created_at: i64,
    id: &'a str,
    object: &'static str,
    organization: Organization,
    permissions: &'static [&'static str],
    private_metadata: &'a Metadata,
    public_metadata: &'a Metadata,
    public_user_data: PublicUserData<'a>,
    role: &'static str,
    role_name: &'static str,
    updated_at: i64,
}

#[derive(Serialize)]
struct PublicUserData<'a> {
    first_name: Option<&'a str>,
    has_image: bool,
    identifier: Option<&'a str>,
    image_url: &'a str,
    last_name: Option<&'a str>,
    profile_image_url: &'a str,
    user_id: &'a str,
}

impl Membership {
    pub(crate) fn join(
        organization: &Organization,
        user: &User,
        at_ms: i64,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let first = organization.membership_ids.is_empty();
        Self {
            id: entity_id("orgmem_", at_ms, rng),
            organization_id: organization.id.clone(),
            user_id: user.id.clone(),
            role: if first { 0 } else { rng.random_range(0..ROLES.len()) },
            public_metadata: Metadata::new(),
            private_metadata: metadata::private(rng),
            created_at: at_ms,
            updated_at: at_ms,
        }
    }

    pub(crate) fn change(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        self.updated_at = at_ms;
        if rng.random_bool(0.7) {
            self.role = (self.role + rng.random_range(1..ROLES.len())) % ROLES.len();
        } else {
            self.public_metadata = metadata::public(rng);
        }
    }

    pub(crate) fn payload<'a>(
        &'a self,
        organization: &'a Organization,
        user: &'a User,
    ) -> impl Serialize + 'a {
        let (role, role_name, permissions) = ROLES[self.role];
        Payload {
            created_at: self.created_at,
            id: &self.id,
            object: "organization_membership",
            organization: organization.embedded(),
            permissions,
            private_metadata: &self.private_metadata,
            public_metadata: &self.public_metadata,
            public_user_data: PublicUserData {
                first_name: user.first_name.as_deref(),
                has_image: user.has_image(),
                identifier: user.identifier(),
                image_url: &user.image_url,
                last_name: user.last_name.as_deref(),
                profile_image_url: &user.image_url,
                user_id: &user.id,
            },
            role,
            role_name,
            updated_at: self.updated_at,
        }
    }

    /// The row of table `organization_memberships`.
    pub(crate) fn row(&self) -> Row {
        let (role, role_name, permissions) = ROLES[self.role];
        Row::from([
            ("id", self.id.as_str().into()),
            ("organization_id", self.organization_id.as_str().into()),
            ("user_id", self.user_id.as_str().into()),
            ("role", role.into()),
            ("role_name", role_name.into()),
            ("permissions", permissions.into()),
            ("public_metadata", json(&self.public_metadata)),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }
}
