//! Notices: what the engine itself has to say, as events of its own source.
//!
//! A notice goes through the log and the queue like any event, so that it is durable and retried.
//! Its message id tells which transition it is about: written down twice, it is one.

use deskbell_store::{NewEvent, StoredEvent};
use serde::{Deserialize, Serialize};

/// The source of notices. No source of the config may have this name.
pub const NOTICE_SOURCE: &str = "deskbell";

/// What a notice says, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The destination that it is about.
    pub destination: String,
    /// What happened, in one line.
    pub subject: String,
    /// What happened, and what to do.
    pub text: String,
}

#[derive(Serialize, Deserialize)]
struct Body<T> {
    data: T,
    object: String,
    #[serde(rename = "type")]
    event_type: String,
    timestamp: i64,
}

impl Notice {
    /// The notice as an event of this type, such as `destination.failing`. `transition` tells it
    /// from every other one about the same destination.
    #[must_use]
    pub fn into_event(self, event_type: &str, transition: &str, now_ms: i64) -> NewEvent {
        let message_id = format!("notice_{}_{transition}", self.destination);
        let subject = Some(self.destination.clone());
        let body = Body {
            data: self,
            object: "event".to_owned(),
            event_type: event_type.to_owned(),
            timestamp: now_ms,
        };
        NewEvent {
            source: NOTICE_SOURCE.into(),
            message_id,
            event_type: event_type.to_owned(),
            subject,
            occurred_at_ms: now_ms,
            instance_id: None,
            // Two strings and a number: it cannot fail.
            payload: serde_json::to_vec(&body).unwrap_or_default().into(),
        }
    }

    /// The notice that this event bears, if it is one.
    #[must_use]
    pub fn of(event: &StoredEvent) -> Option<Self> {
        if *event.source != *NOTICE_SOURCE {
            return None;
        }
        serde_json::from_slice::<Body<Self>>(&event.payload).ok().map(|body| body.data)
    }
}
