//! Notices: the engine's own alerts, as events of the source `deskbell`.
//!
//! A notice goes through the log and the queue like any event, so that it is durable and retried.
//! Its message id names the condition and its step, so that the log takes it once.
//! An `http` destination receives the payload unchanged: its JSON is a public format.

use std::collections::BTreeMap;

use clerk_webhooks::UnixMillis;
use deskbell_config::{NOTICE_SOURCE, NOTICE_TYPE};
use deskbell_store::{NewEvent, Origin, StoredEvent};
use serde::{Deserialize, Serialize};

/// It grows when a member changes its meaning or is removed, not when one is added.
const VERSION: u32 = 1;

/// The payload of a notice, for people and for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    #[serde(default)]
    version: u32,
    /// The id of the condition, such as `destination/crm/1764412500000`: the same from its first notice
    /// to its last.
    #[serde(default)]
    pub condition: String,
    /// What kind of condition it is, such as `destination.failing`.
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub state: NoticeState,
    #[serde(default)]
    pub destination: Option<String>,
    #[serde(default)]
    pub source: Option<String>,
    /// What happened, in one line.
    pub subject: String,
    /// What happened, and what to do.
    pub text: String,
    #[serde(default)]
    pub since: Option<String>,
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeState {
    #[default]
    Firing,
    Resolved,
}

/// The condition that a notice is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeSubject {
    /// What kind of condition it is, such as `destination.failing`.
    pub kind: String,
    pub destination: Option<String>,
    pub source: Option<String>,
    /// When it began, in milliseconds since the Unix epoch.
    pub since_ms: i64,
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
    /// A notice about this condition. `subject` is one line, `text` is what happened and what to do.
    #[must_use]
    pub fn new(
        condition: &str,
        state: NoticeState,
        about: &NoticeSubject,
        subject: String,
        text: String,
    ) -> Self {
        Self {
            version: VERSION,
            condition: condition.to_owned(),
            kind: about.kind.clone(),
            state,
            destination: about.destination.clone(),
            source: about.source.clone(),
            subject,
            text,
            since: UnixMillis::from_millis(about.since_ms).map(|since| since.to_string()),
            counts: BTreeMap::new(),
        }
    }

    /// The notice as an event. `step` is unique among the notices of one condition.
    #[must_use]
    pub fn into_event(self, step: &str, now_ms: i64) -> NewEvent {
        let message_id = format!("alert_{}_{step}", self.condition);
        let subject = self.destination.clone();
        let body = Body {
            data: self,
            object: "event".to_owned(),
            event_type: NOTICE_TYPE.to_owned(),
            timestamp: now_ms,
        };
        NewEvent {
            source: NOTICE_SOURCE.into(),
            message_id,
            event_type: NOTICE_TYPE.to_owned(),
            subject,
            occurred_at_ms: now_ms,
            instance_id: None,
            // Strings and numbers: it cannot fail.
            payload: serde_json::to_vec(&body).unwrap_or_default().into(),
            origin: Origin::Webhook,
        }
    }

    /// Reads the notice in this event, if it is one. In those of earlier releases the event's type is
    /// the kind.
    #[must_use]
    pub fn of(event: &StoredEvent) -> Option<Self> {
        if *event.source != *NOTICE_SOURCE {
            return None;
        }
        let mut notice = serde_json::from_slice::<Body<Self>>(&event.payload).ok()?.data;
        if notice.kind.is_empty() {
            notice.kind.clone_from(&event.event_type);
        }
        Some(notice)
    }
}

#[cfg(test)]
mod tests {
    use deskbell_store::Seq;

    use super::*;

    fn stored(event: NewEvent) -> StoredEvent {
        StoredEvent { seq: Seq::new(1), received_at_ms: 0, event }
    }

    fn notice() -> Notice {
        let about = NoticeSubject {
            kind: "destination.failing".to_owned(),
            destination: Some("crm".to_owned()),
            source: None,
            since_ms: 1_716_883_200_000,
        };
        let (subject, text) = ("crm is failing".to_owned(), "It is.".to_owned());
        let condition = "destination/crm/1716883200000";
        let mut notice = Notice::new(condition, NoticeState::Firing, &about, subject, text);
        notice.counts.insert("failed_attempts".to_owned(), 3);
        notice
    }

    #[test]
    fn it_comes_back_from_its_event() {
        let event = stored(notice().into_event("50", 5));
        assert_eq!(event.message_id, "alert_destination/crm/1716883200000_50");
        assert_eq!((&*event.event_type, event.subject.as_deref()), (NOTICE_TYPE, Some("crm")));
        assert_eq!(Notice::of(&event), Some(notice()));
        let mut of_another = event;
        of_another.source = "clerk".into();
        assert_eq!(Notice::of(&of_another), None);
    }

    #[test]
    fn a_notice_of_an_earlier_release_is_read() {
        let payload =
            br#"{"data":{"destination":"crm","subject":"crm works again","text":"It does."},
            "object":"event","type":"destination.recovered","timestamp":5}"#;
        let mut event = stored(notice().into_event("50", 5));
        event.event_type = "destination.recovered".to_owned();
        event.payload = payload.as_slice().into();
        let read = Notice::of(&event).unwrap();
        assert_eq!((&*read.kind, &*read.subject), ("destination.recovered", "crm works again"));
        assert_eq!((read.destination.as_deref(), read.version), (Some("crm"), 0));
    }
}
