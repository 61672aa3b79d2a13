//! An entry of the waitlist: somebody who waits, and is invited some day.

use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::invitation::Invitation;
use super::names;
use super::pool::HasId;
use crate::truth::{Row, time};

#[derive(Debug, Clone)]
pub(crate) struct WaitlistEntry {
    pub(crate) id: String,
    pub(crate) email_address: String,
    invitation: Option<Invitation>,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl WaitlistEntry {
    pub(crate) fn join(at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        Self {
            id: entity_id("wle_", at_ms, rng),
            email_address: names::email_address(rng),
            invitation: None,
            created_at: at_ms,
            updated_at: at_ms,
        }
    }

    /// Notes the invitation as it is now: the entry does not change with it.
    pub(crate) fn invite(&mut self, invitation: &Invitation, at_ms: i64) {
        self.invitation = Some(invitation.clone());
        self.updated_at = at_ms;
    }

    fn status(&self) -> &'static str {
        if self.invitation.is_some() { "invited" } else { "pending" }
    }

    pub(crate) fn payload(&self) -> Value {
        json!({
            "created_at": self.created_at,
            "email_address": self.email_address,
            "id": self.id,
            "invitation": self.invitation.as_ref().map(Invitation::payload),
            "is_locked": false,
            "object": "waitlist_entry",
            "status": self.status(),
            "updated_at": self.updated_at,
        })
    }

    /// The row of table `waitlist_entries`.
    pub(crate) fn row(&self) -> Row {
        let invitation_id = self.invitation.as_ref().map(|invitation| invitation.id.as_str());
        Row::from([
            ("id", self.id.as_str().into()),
            ("email_address", self.email_address.as_str().into()),
            ("status", self.status().into()),
            ("is_locked", false.into()),
            ("invitation_id", invitation_id.into()),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }
}

impl HasId for WaitlistEntry {
    fn id(&self) -> &str {
        &self.id
    }
}
