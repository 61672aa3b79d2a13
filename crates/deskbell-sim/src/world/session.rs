//! A session of a user.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::pool::HasId;
use crate::truth::{Row, time};

const DAY_MS: i64 = 86_400_000;

/// How a session ends: its status, and the act in the event's type.
const ENDS: [&str; 3] = ["ended", "removed", "revoked"];
const BROWSERS: [(&str, &str, bool); 3] =
    [("Firefox", "Linux", false), ("Safari", "iPhone", true), ("Chrome", "Windows", false)];

#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) user_id: String,
    client_id: String,
    activity_id: String,
    pub(crate) status: &'static str,
    browser: usize,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl Session {
    pub(crate) fn begin(user_id: &str, at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        Self {
            id: entity_id("sess_", at_ms, rng),
            user_id: user_id.to_owned(),
            client_id: entity_id("client_", at_ms, rng),
            activity_id: entity_id("sess_activity_", at_ms, rng),
            status: "active",
            browser: rng.random_range(0..BROWSERS.len()),
            created_at: at_ms,
            updated_at: at_ms,
        }
    }

    pub(crate) fn end(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        self.status = ENDS[rng.random_range(0..ENDS.len())];
        self.updated_at = at_ms;
    }

    pub(crate) fn payload(&self) -> Value {
        let (browser_name, device_type, is_mobile) = BROWSERS[self.browser];
        json!({
            "abandon_at": self.created_at + 30 * DAY_MS,
            "actor": null,
            "client_id": self.client_id,
            "created_at": self.created_at,
            "expire_at": self.created_at + 7 * DAY_MS,
            "id": self.id,
            "last_active_at": self.updated_at,
            "last_active_organization_id": null,
            "latest_activity": {
                "browser_name": browser_name,
                "city": "Gothenburg",
                "country": "SE",
                "device_type": device_type,
                "id": self.activity_id,
                "ip_address": "203.0.113.24",
                "is_mobile": is_mobile,
                "object": "session_activity",
            },
            "object": "session",
            "status": self.status,
            "updated_at": self.updated_at,
            "user": null,
            "user_id": self.user_id,
        })
    }

    /// The row of table `sessions`.
    pub(crate) fn row(&self) -> Row {
        let (browser_name, device_type, is_mobile) = BROWSERS[self.browser];
        Row::from([
            ("id", self.id.as_str().into()),
            ("user_id", self.user_id.as_str().into()),
            ("client_id", self.client_id.as_str().into()),
            ("status", self.status.into()),
            ("last_active_organization_id", Value::Null),
            ("latest_activity_id", self.activity_id.as_str().into()),
            ("browser_name", browser_name.into()),
            ("device_type", device_type.into()),
            ("is_mobile", is_mobile.into()),
            ("city", "Gothenburg".into()),
            ("last_active_at", time(self.updated_at)),
            ("expire_at", time(self.created_at + 7 * DAY_MS)),
            ("abandon_at", time(self.created_at + 30 * DAY_MS)),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }
}

impl HasId for Session {
    fn id(&self) -> &str {
        &self.id
    }
}
