//! A domain of an organization, by which people are let in.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::organization::Organization;
use super::pool::HasId;
use crate::truth::{Row, time, time_or_null};

const MODES: [&str; 3] = ["manual_invitation", "automatic_invitation", "automatic_suggestion"];

#[derive(Debug, Clone)]
pub(crate) struct Domain {
    pub(crate) id: String,
    pub(crate) organization_id: String,
    name: String,
    mode: usize,
    verified_at: Option<i64>,
    suggestions: u32,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl Domain {
    pub(crate) fn add(organization_id: &str, at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        Self {
            id: entity_id("orgdmn_", at_ms, rng),
            organization_id: organization_id.to_owned(),
            name: format!("team{}.example", rng.random_range(1..1_000_000)),
            mode: 0,
            verified_at: None,
            suggestions: 0,
            created_at: at_ms,
            updated_at: at_ms,
        }
    }

    pub(crate) fn change(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        self.mode = rng.random_range(0..MODES.len());
        self.verified_at.get_or_insert(at_ms);
        self.suggestions = rng.random_range(0..5);
        self.updated_at = at_ms;
    }

    pub(crate) fn payload(&self, organization: &Organization) -> Value {
        let verification = self.verified_at.map(|at_ms| {
            json!({"attempts": 1, "expire_at": at_ms + 600_000, "status": "verified",
                   "strategy": "txt", "verified_at": at_ms})
        });
        json!({
            "affiliation_email_address": null,
            "affiliation_verification": null,
            "created_at": self.created_at,
            "enrollment_mode": MODES[self.mode],
            "id": self.id,
            "name": self.name,
            "object": "organization_domain",
            "organization_id": self.organization_id,
            "ownership_verification": verification,
            "public_organization_data": organization.public_data(),
            "total_pending_invitations": 0,
            "total_pending_suggestions": self.suggestions,
            "updated_at": self.updated_at,
            "verification": verification,
        })
    }

    /// The row of table `organization_domains`.
    pub(crate) fn row(&self) -> Row {
        let verified = |value: &str| self.verified_at.map_or(Value::Null, |_| value.into());
        Row::from([
            ("id", self.id.as_str().into()),
            ("organization_id", self.organization_id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("enrollment_mode", MODES[self.mode].into()),
            ("affiliation_email_address", Value::Null),
            ("verification_status", verified("verified")),
            ("verification_strategy", verified("txt")),
            ("verification_verified_at", time_or_null(self.verified_at)),
            ("ownership_verification_status", verified("verified")),
            ("total_pending_invitations", 0.into()),
            ("total_pending_suggestions", self.suggestions.into()),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }
}

impl HasId for Domain {
    fn id(&self) -> &str {
        &self.id
    }
}
