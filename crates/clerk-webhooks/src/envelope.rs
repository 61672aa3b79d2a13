//! `Envelope`: what stands around an event's data, read in one pass and without building a tree.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::payload::fields::LossyText;
use crate::time::UnixMillis;

/// The outer object of a delivery, borrowed from its body.
///
/// Reading it is cheap, and `data` is not looked into: however deep or odd it is, the envelope of an
/// authentic event is had. Members that are missing, `null`, empty or of the wrong type are `None`;
/// only a `type` must be there. Where a member is repeated the last one counts, as in JavaScript.
///
/// ```
/// use clerk_webhooks::Envelope;
///
/// let body = br#"{"type": "user.deleted", "timestamp": 1716883200, "data": {"id": "user_2a"}}"#;
/// let envelope = Envelope::parse(body)?;
/// assert_eq!(envelope.event_type, "user.deleted");
/// assert_eq!(envelope.subject().as_deref(), Some("user_2a"));
/// assert_eq!(envelope.occurred_at(0).to_string(), "2024-05-28T08:00:00.000Z");
/// # Ok::<(), clerk_webhooks::NotAnEvent>(())
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Envelope<'a> {
    /// `type`, such as `user.created`: never empty.
    pub event_type: Cow<'a, str>,
    /// When it happened, by Clerk's clock. Deliveries of 2022 and 2023 have none.
    pub timestamp: Option<UnixMillis>,
    /// The Clerk instance that sends; in deliveries since 2025.
    pub instance_id: Option<Cow<'a, str>>,
    /// The request that caused the event, as JSON.
    pub event_attributes: Option<&'a RawValue>,
    /// The payload, as JSON.
    pub data: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope of a body.
    ///
    /// # Errors
    ///
    /// [`NotAnEvent`] when the body is not JSON, not an object, or has no `type`.
    pub fn parse(body: &'a [u8]) -> Result<Self, NotAnEvent> {
        let text = str::from_utf8(body)
            .map_err(|error| NotAnEvent::NotUtf8 { valid_up_to: error.valid_up_to() })?;
        if !text.trim_ascii_start().starts_with('{') {
            serde_json::from_str::<IgnoredAny>(text)?;
            return Err(NotAnEvent::NotAnObject);
        }
        let members = serde_json::from_str::<Members<'a, &'a RawValue>>(text)?;
        Ok(Self {
            event_type: members.event_type()?,
            timestamp: members.timestamp(),
            instance_id: members.instance_id(),
            event_attributes: members.event_attributes,
            data: members.data,
        })
    }

    /// The id of the entity that the event is about: `data.id`, where that is a text that is not empty.
    #[must_use]
    pub fn subject(&self) -> Option<Cow<'a, str>> {
        serde_json::from_str::<IdOnly<'a>>(self.data?.get()).ok()?.0.and_then(text_of)
    }

    /// When the event happened: `timestamp`, or else the time of the signature, in seconds.
    #[must_use]
    pub fn occurred_at(&self, fallback_seconds: u64) -> UnixMillis {
        moment_or(self.timestamp, fallback_seconds)
    }
}

/// What an event is, without its payload: an [`Envelope`] with its subject in place of `data`.
///
/// For who stores or forwards an event and does not look into it. The subject is found while the body is
/// checked, where an [`Envelope`] goes through `data` once more.
///
/// ```
/// use clerk_webhooks::EventHead;
///
/// let body = br#"{"type": "user.deleted", "timestamp": 1716883200, "data": {"id": "user_2a"}}"#;
/// let head = EventHead::parse(body)?;
/// assert_eq!((&*head.event_type, head.subject.as_deref()), ("user.deleted", Some("user_2a")));
/// # Ok::<(), clerk_webhooks::NotAnEvent>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventHead<'a> {
    /// `type`, such as `user.created`: never empty.
    pub event_type: Cow<'a, str>,
    /// When it happened, by Clerk's clock. Deliveries of 2022 and 2023 have none.
    pub timestamp: Option<UnixMillis>,
    /// The Clerk instance that sends; in deliveries since 2025.
    pub instance_id: Option<Cow<'a, str>>,
    /// The id of the entity that the event is about: `data.id`.
    pub subject: Option<Cow<'a, str>>,
}

impl<'a> EventHead<'a> {
    /// Reads the head of a body; what it says is what an [`Envelope`] says.
    ///
    /// # Errors
    ///
    /// [`NotAnEvent`] when the body is not JSON, not an object, or has no `type`.
    pub fn parse(body: &'a [u8]) -> Result<Self, NotAnEvent> {
        let text = str::from_utf8(body).unwrap_or_default();
        if let Ok(members) = serde_json::from_str::<Members<'a, IdOnly<'a>>>(text) {
            return Ok(Self {
                event_type: members.event_type()?,
                timestamp: members.timestamp(),
                instance_id: members.instance_id(),
                subject: members.data.and_then(|IdOnly(id)| text_of(id?)),
            });
        }
        // It is no event, or one whose `data` is no object.
        Envelope::parse(body).map(Self::from)
    }

    /// When the event happened: `timestamp`, or else the time of the signature, in seconds.
    #[must_use]
    pub fn occurred_at(&self, fallback_seconds: u64) -> UnixMillis {
        moment_or(self.timestamp, fallback_seconds)
    }
}

impl fmt::Debug for Envelope<'_> {
    /// Without `data` and `event_attributes`, which may hold one-time codes and addresses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("event_type", &self.event_type)
            .field("timestamp", &self.timestamp)
            .field("instance_id", &self.instance_id)
            .field("data_bytes", &self.data.map(|data| data.get().len()))
            .finish_non_exhaustive()
    }
}

impl<'a> From<Envelope<'a>> for EventHead<'a> {
    fn from(envelope: Envelope<'a>) -> Self {
        Self {
            subject: envelope.subject(),
            event_type: envelope.event_type,
            timestamp: envelope.timestamp,
            instance_id: envelope.instance_id,
        }
    }
}

/// Why an authentic body is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotAnEvent {
    /// The body is not UTF-8, and so not JSON.
    #[error("the body is not UTF-8 after byte {valid_up_to}")]
    NotUtf8 {
        /// How many bytes are UTF-8.
        valid_up_to: usize,
    },
    /// The body is not JSON.
    #[error("the body is not JSON: {reason}")]
    NotJson {
        /// What is wrong, with line and column; never a part of the body.
        reason: String,
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1; 0 stands before the first.
        column: usize,
    },
    /// The body is JSON, but not an object.
    #[error("the body is JSON, but not an object")]
    NotAnObject,
    /// The object has no `type`, or `null` in its place.
    #[error("the object has no `type`")]
    NoType,
    /// The `type` is not a text.
    #[error("expected a string `type`")]
    TypeNotText,
    /// The `type` is an empty text.
    #[error("the `type` is empty")]
    EmptyType,
}

impl NotAnEvent {
    /// A stable name of the condition, for counters and logs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "not_utf8",
            Self::NotJson { .. } => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::NoType => "no_type",
            Self::TypeNotText => "type_not_text",
            Self::EmptyType => "empty_type",
        }
    }
}

impl From<serde_json::Error> for NotAnEvent {
    fn from(error: serde_json::Error) -> Self {
        Self::NotJson { reason: error.to_string(), line: error.line(), column: error.column() }
    }
}

/// The members as they stand: which of them make sense is decided after the object was read whole.
struct Members<'a, D> {
    event_type: Option<&'a RawValue>,
    timestamp: Option<&'a RawValue>,
    instance_id: Option<&'a RawValue>,
    event_attributes: Option<&'a RawValue>,
    data: Option<D>,
}

impl<'a, D> Members<'a, D> {
    fn event_type(&self) -> Result<Cow<'a, str>, NotAnEvent> {
        let event_type = self.event_type.ok_or(NotAnEvent::NoType)?;
        match text_of(event_type) {
            Some(text) => Ok(text),
            None if event_type.get() == "\"\"" => Err(NotAnEvent::EmptyType),
            None => Err(NotAnEvent::TypeNotText),
        }
    }

    fn timestamp(&self) -> Option<UnixMillis> {
        self.timestamp.and_then(moment_of)
    }

    fn instance_id(&self) -> Option<Cow<'a, str>> {
        self.instance_id.and_then(text_of)
    }
}

impl<'de, D: Deserialize<'de>> Deserialize<'de> for Members<'de, D> {
    fn deserialize<T: Deserializer<'de>>(deserializer: T) -> Result<Self, T::Error> {
        deserializer.deserialize_map(MembersVisitor(PhantomData))
    }
}

// By hand, because a derived one refuses a repeated member.
struct MembersVisitor<D>(PhantomData<D>);

impl<'de, D: Deserialize<'de>> Visitor<'de> for MembersVisitor<D> {
    type Value = Members<'de, D>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members {
            event_type: None,
            timestamp: None,
            instance_id: None,
            event_attributes: None,
            data: None,
        };
        while let Some(name) = map.next_key::<Name>()? {
            let place = match name {
                Name::Type => &mut members.event_type,
                Name::Timestamp => &mut members.timestamp,
                Name::InstanceId => &mut members.instance_id,
                Name::EventAttributes => &mut members.event_attributes,
                Name::Data => {
                    members.data = map.next_value()?;
                    continue;
                }
                Name::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = map.next_value()?;
        }
        Ok(members)
    }
}

/// `id` of an object.
struct IdOnly<'a>(Option<&'a RawValue>);

impl<'de> Deserialize<'de> for IdOnly<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(IdVisitor)
    }
}

struct IdVisitor;

impl<'de> Visitor<'de> for IdVisitor {
    type Value = IdOnly<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut id = None;
        while let Some(name) = map.next_key::<&RawValue>()? {
            if is_id(name) {
                id = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(IdOnly(id))
    }
}

/// Whether a name is `id`, however it is written.
fn is_id(name: &RawValue) -> bool {
    let name_text = name.get();
    name_text == "\"id\"" || (name_text.contains('\\') && text_of(name).as_deref() == Some("id"))
}

/// A member's name, compared without keeping it.
enum Name {
    Type,
    Timestamp,
    InstanceId,
    EventAttributes,
    Data,
    Other,
}

impl<'de> Deserialize<'de> for Name {
    /// As it stands in the JSON: a name with half a surrogate pair (`"\ud800"`) is legal, and no `str`.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?;
        Ok(text_of(raw).as_deref().map_or(Self::Other, Self::from))
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        match name {
            "type" => Self::Type,
            "timestamp" => Self::Timestamp,
            "instance_id" => Self::InstanceId,
            "event_attributes" => Self::EventAttributes,
            "data" => Self::Data,
            _ => Self::Other,
        }
    }
}

/// The text of a JSON string that is not empty; half a surrogate pair becomes U+FFFD.
fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inside = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inside.is_empty() {
        return None;
    }
    if !inside.contains('\\') {
        return Some(Cow::Borrowed(inside));
    }
    serde_json::from_str(raw.get()).ok().map(|LossyText(text)| Cow::Owned(text))
}

fn moment_or(moment: Option<UnixMillis>, fallback_seconds: u64) -> UnixMillis {
    moment.unwrap_or_else(|| {
        i64::try_from(fallback_seconds)
            .ok()
            .and_then(UnixMillis::from_seconds)
            .unwrap_or(UnixMillis::MAX)
    })
}

/// A moment after 1970: a zero is how Go writes a time that was never set.
fn moment_of(raw: &RawValue) -> Option<UnixMillis> {
    serde_json::from_str::<UnixMillis>(raw.get()).ok().filter(|moment| moment.as_millis() > 0)
}
