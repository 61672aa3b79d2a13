//! `Event`: an envelope and its data, typed and owned.

use std::fmt;

use serde_json::value::RawValue;

use crate::envelope::Envelope;
use crate::event_data::EventData;
use crate::event_type::EventType;
use crate::payload::EventAttributes;
use crate::time::UnixMillis;

/// One event, typed.
///
/// ```
/// use clerk_webhooks::{Envelope, Event, EventData};
///
/// let body = br#"{
///     "type": "user.created",
///     "timestamp": 1654012591835,
///     "data": {"id": "user_2a", "first_name": "Ada", "email_addresses": []}
/// }"#;
/// let event = Event::from_envelope("msg_2b", 1654012592, &Envelope::parse(body)?);
///
/// match event.data {
///     EventData::UserCreated(user) | EventData::UserUpdated(user) => {
///         assert_eq!(user.full_name().as_deref(), Some("Ada"));
///         assert_eq!(user.primary_email_address(), None);
///     }
///     EventData::UserDeleted(user) => println!("{} is gone", user.id),
///     EventData::Other { reason } => println!("{}: {reason}", event.event_type),
///     _ => {}
/// }
/// # Ok::<(), clerk_webhooks::NotAnEvent>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Event {
    /// The id of the message, the same whenever it is sent again: what duplicates are told by.
    pub id: String,
    /// What happened.
    pub event_type: EventType,
    /// When it happened: the envelope's `timestamp`, or else the time of the signature.
    pub occurred_at: UnixMillis,
    /// The Clerk instance that sends; in deliveries since 2025.
    pub instance_id: Option<String>,
    /// The request that caused the event.
    pub event_attributes: Option<EventAttributes>,
    /// The id of the entity that the event is about: `data.id`.
    pub subject: Option<String>,
    /// The payload, typed.
    pub data: EventData,
    /// The payload as it was delivered; `null` where there was none.
    pub raw: Box<RawValue>,
}

impl Event {
    /// The event in an envelope. `id` is the message id of the delivery, `signed_at_seconds` the time of
    /// its signature, for the deliveries that bear no `timestamp`.
    #[must_use]
    pub fn from_envelope(
        id: impl Into<String>,
        signed_at_seconds: u64,
        envelope: &Envelope<'_>,
    ) -> Self {
        let event_type = EventType::from(&*envelope.event_type);
        let attributes = envelope.event_attributes;
        Self {
            id: id.into(),
            occurred_at: envelope.occurred_at(signed_at_seconds),
            instance_id: envelope.instance_id.as_deref().map(str::to_owned),
            event_attributes: attributes.and_then(|raw| serde_json::from_str(raw.get()).ok()),
            subject: envelope.subject().map(Into::into),
            data: EventData::read(&event_type, envelope.data),
            raw: envelope.data.unwrap_or(RawValue::NULL).to_owned(),
            event_type,
        }
    }
}

impl fmt::Debug for Event {
    /// Without `raw`, which may hold one-time codes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id)
            .field("event_type", &self.event_type)
            .field("occurred_at", &self.occurred_at)
            .field("instance_id", &self.instance_id)
            .field("event_attributes", &self.event_attributes)
            .field("subject", &self.subject)
            .field("data", &self.data)
            .field("raw_bytes", &self.raw.get().len())
            .finish()
    }
}
