//! Invitations: to sign up, and into an organization.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::metadata::{self, Metadata};
use super::names;
use super::organization::Organization;
use super::pool::HasId;
use crate::truth::{Row, json as to_json, time};

const MONTH_MS: i64 = 30 * 86_400_000;

/// What becomes of an invitation: its status, and the act in the event's type.
pub(crate) const ENDS: [&str; 2] = ["accepted", "revoked"];

/// An invitation to sign up.
#[derive(Debug, Clone)]
pub(crate) struct Invitation {
    pub(crate) id: String,
    email_address: String,
    status: &'static str,
    public_metadata: Metadata,
    created_at: i64,
    pub(crate) updated_at: i64,
}

/// An invitation into an organization.
#[derive(Debug, Clone)]
pub(crate) struct OrganizationInvitation {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    inviter_id: String,
    email_address: String,
    role: (&'static str, &'static str),
    status: &'static str,
    user_id: Option<String>,
    public_metadata: Metadata,
    private_metadata: Metadata,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl Invitation {
    pub(crate) fn send(email_address: Option<String>, at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        Self {
            id: entity_id("inv_", at_ms, rng),
            email_address: email_address.unwrap_or_else(|| names::email_address(rng)),
            status: "pending",
            public_metadata: metadata::public(rng),
            created_at: at_ms,
            updated_at: at_ms,
        }
    }

    pub(crate) fn end(&mut self, status: &'static str, at_ms: i64) {
        self.status = status;
        self.updated_at = at_ms;
    }

    pub(crate) fn payload(&self) -> Value {
        json!({
            "created_at": self.created_at,
            "email_address": self.email_address,
            "expires_at": self.created_at + MONTH_MS,
            "id": self.id,
            "object": "invitation",
            "public_metadata": self.public_metadata,
            "revoked": self.status == "revoked",
            "status": self.status,
            "updated_at": self.updated_at,
            "url": self.url(),
        })
    }

    fn url(&self) -> String {
        format!("https://clerk.example.com/v1/tickets/accept?ticket={}", self.id)
    }

    /// The row of table `invitations`.
    pub(crate) fn row(&self) -> Row {
        Row::from([
            ("id", self.id.as_str().into()),
            ("email_address", self.email_address.as_str().into()),
            ("status", self.status.into()),
            ("revoked", (self.status == "revoked").into()),
            ("url", self.url().into()),
            ("public_metadata", to_json(&self.public_metadata)),
            ("expires_at", time(self.created_at + MONTH_MS)),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }
}

impl OrganizationInvitation {
    pub(crate) fn send(
        organization_id: &str,
        inviter_id: &str,
        at_ms: i64,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let roles = [("org:member", "Member"), ("org:admin", "Admin")];
        Self {
            id: entity_id("orginv_", at_ms, rng),
            organization_id: organization_id.to_owned(),
            inviter_id: inviter_id.to_owned(),
            email_address: names::email_address(rng),
            role: roles[rng.random_range(0..roles.len())],
            status: "pending",
            user_id: None,
            public_metadata: metadata::public(rng),
            private_metadata: metadata::private(rng),
            created_at: at_ms,
            updated_at: at_ms,
        }
    }

    /// Ends it; whoever accepts it is a user.
    pub(crate) fn end(&mut self, status: &'static str, user_id: &str, at_ms: i64) {
        self.status = status;
        self.user_id = (status == "accepted").then(|| user_id.to_owned());
        self.updated_at = at_ms;
    }

    pub(crate) fn payload(&self, organization: &Organization) -> Value {
        let (role, role_name) = self.role;
        json!({
            "created_at": self.created_at,
            "data": {"public_organization_data": organization.public_data()},
            "email_address": self.email_address,
            "expires_at": self.created_at + MONTH_MS,
            "id": self.id,
            "inviter_id": self.inviter_id,
            "object": "organization_invitation",
            "organization_id": self.organization_id,
            "private_metadata": self.private_metadata,
            "public_metadata": self.public_metadata,
            "role": role,
            "role_name": role_name,
            "status": self.status,
            "updated_at": self.updated_at,
            "url": null,
            "user_id": self.user_id,
        })
    }

    /// The row of table `organization_invitations`.
    pub(crate) fn row(&self) -> Row {
        let (role, role_name) = self.role;
        Row::from([
            ("id", self.id.as_str().into()),
            ("organization_id", self.organization_id.as_str().into()),
            ("email_address", self.email_address.as_str().into()),
            ("role", role.into()),
            ("role_name", role_name.into()),
            ("status", self.status.into()),
            ("inviter_id", self.inviter_id.as_str().into()),
            ("user_id", self.user_id.as_deref().into()),
            ("url", Value::Null),
            ("public_metadata", to_json(&self.public_metadata)),
            ("expires_at", time(self.created_at + MONTH_MS)),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }
}

impl HasId for Invitation {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for OrganizationInvitation {
    fn id(&self) -> &str {
        &self.id
    }
}
