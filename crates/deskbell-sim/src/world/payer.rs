//! Who pays: a user or an organization.

use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::organization::Organization;
use super::user::User;

/// Who pays, as they were when they subscribed.
#[derive(Debug, Clone)]
pub(crate) struct Payer {
    pub(crate) id: String,
    user_id: Option<String>,
    organization_id: Option<String>,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    organization_name: Option<String>,
    created_at: i64,
}

impl Payer {
    pub(crate) fn user(user: &User, at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        Self {
            id: entity_id("cpayer_", at_ms, rng),
            user_id: Some(user.id.clone()),
            organization_id: None,
            email: user.primary_email().map(|email| email.email_address.clone()),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            organization_name: None,
            created_at: at_ms,
        }
    }

    pub(crate) fn organization(
        organization: &Organization,
        at_ms: i64,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        Self {
            id: entity_id("cpayer_", at_ms, rng),
            user_id: None,
            organization_id: Some(organization.id.clone()),
            email: Some(format!("accounts@{}.example", organization.slug)),
            first_name: None,
            last_name: None,
            organization_name: Some(organization.name.clone()),
            created_at: at_ms,
        }
    }

    /// Clerk writes what a payer lacks as empty texts.
    pub(crate) fn payload(&self) -> Value {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        json!({
            "created_at": self.created_at,
            "email": text(&self.email),
            "first_name": text(&self.first_name),
            "id": self.id,
            "last_name": text(&self.last_name),
            "object": "commerce_payer",
            "organization_id": text(&self.organization_id),
            "organization_name": text(&self.organization_name),
            "updated_at": self.created_at,
            "user_id": text(&self.user_id),
        })
    }

    /// The columns about the payer, the same in every table about billing.
    pub(crate) fn columns(&self) -> [(&'static str, Value); 7] {
        [
            ("payer_id", self.id.as_str().into()),
            ("payer_user_id", self.user_id.as_deref().into()),
            ("payer_organization_id", self.organization_id.as_deref().into()),
            ("payer_email", self.email.as_deref().into()),
            ("payer_first_name", self.first_name.as_deref().into()),
            ("payer_last_name", self.last_name.as_deref().into()),
            ("payer_organization_name", self.organization_name.as_deref().into()),
        ]
    }
}
