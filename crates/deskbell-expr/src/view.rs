//! `EventView`: an event as expressions see it.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use clerk_webhooks::{Envelope, EventType, UnixMillis};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::computed::{self, Computed};
use crate::json;
use crate::path::{Found, Path, Step, follow};
use crate::roots;

/// What is known of an event beside its payload. An empty text is missing.
#[derive(Clone, Copy, Debug)]
pub struct EventParts<'a> {
    /// The message id: root `id`.
    pub id: &'a str,
    /// Such as `user.created`: root `type`.
    pub event_type: &'a str,
    /// The name of the source that took it in: root `source`.
    pub source: &'a str,
    /// The id of the entity that it is about: root `subject`.
    pub subject: Option<&'a str>,
    /// When it happened, in milliseconds since 1970: root `occurred_at`.
    pub occurred_at_ms: i64,
    /// The Clerk instance: root `instance_id`.
    pub instance_id: Option<&'a str>,
}

/// An event as expressions see it: build it once, and evaluate many expressions on it.
///
/// Nothing is read until an expression asks for it. A body that is no event has no `data`: every path
/// into it is missing. What no value can hold is missing alone, as [`json::tree`] has it.
pub struct EventView<'a> {
    parts: EventParts<'a>,
    /// The body as it was delivered; empty where there is none.
    body: &'a [u8],
    /// `data`, where it does not come from the body.
    given: Option<&'a Json>,
    entity: Option<&'static str>,
    occurred_at: OnceLock<Option<String>>,
    parsed: OnceLock<Json>,
    attributes: OnceLock<Json>,
    full_name: OnceLock<Json>,
    merged: OnceLock<Json>,
    searched: OnceLock<u64>,
}

impl<'a> EventView<'a> {
    /// The view of an event with its whole body as it was delivered.
    #[must_use]
    pub fn of_body(parts: EventParts<'a>, body: &'a [u8]) -> Self {
        Self::new(parts, body, None)
    }

    /// The view of an event whose `data` has been read. Its body, from which the rest comes, may be
    /// empty.
    #[must_use]
    pub fn of_data(parts: EventParts<'a>, data: &'a Json, body: &'a [u8]) -> Self {
        Self::new(parts, body, Some(data))
    }

    fn new(parts: EventParts<'a>, body: &'a [u8], given: Option<&'a Json>) -> Self {
        Self {
            parts,
            body,
            given,
            entity: EventType::from(parts.event_type).entity(),
            occurred_at: OnceLock::new(),
            parsed: OnceLock::new(),
            attributes: OnceLock::new(),
            full_name: OnceLock::new(),
            merged: OnceLock::new(),
            searched: OnceLock::new(),
        }
    }

    /// The whole value of a root, for templates; `None` where this event has none.
    ///
    /// An entity's root is `data` with the computed members.
    #[must_use]
    pub fn root(&self, name: &str) -> Option<Cow<'_, Json>> {
        match (name, self.text(name)) {
            ("data", _) => whole(self.data()),
            ("event_attributes", _) => whole(self.attributes()),
            (_, Some(text)) => Some(Cow::Owned(Json::from(text))),
            (root, None) => {
                let entity = self.entity.filter(|entity| roots::of_entity(entity) == root)?;
                whole(self.merged(entity))
            }
        }
    }

    /// What a path leads to.
    pub(crate) fn find(&self, path: &Path) -> Found<'_> {
        match (path.root, self.text(path.root)) {
            ("data", _) => found(follow(self.data(), &path.steps)),
            ("event_attributes", _) => found(follow(self.attributes(), &path.steps)),
            (_, Some(text)) if path.steps.is_empty() => Found::Text(text),
            (_, Some(_)) => Found::Missing,
            (root, None) => self.find_in_entity(root, &path.steps),
        }
    }

    /// A root that is a text which is not empty.
    fn text(&self, root: &str) -> Option<&str> {
        let text = match root {
            "id" => Some(self.parts.id),
            "type" => Some(self.parts.event_type),
            "source" => Some(self.parts.source),
            "subject" => self.parts.subject,
            "occurred_at" => self.occurred_at(),
            "instance_id" => self.parts.instance_id,
            _ => None,
        };
        text.filter(|text| !text.is_empty())
    }

    fn find_in_entity(&self, root: &str, steps: &[Step]) -> Found<'_> {
        let Some(entity) = self.entity.filter(|entity| roots::of_entity(entity) == root) else {
            return Found::Missing;
        };
        let Some(Step::Member(first)) = steps.first() else {
            return found(follow(self.merged(entity), steps));
        };
        let value = match computed::member(entity, first, self.data()) {
            Some(Computed::Found(value)) => value,
            Some(Computed::FullName) => self.full_name(),
            Some(Computed::Missing) => return Found::Missing,
            None => return found(follow(self.data(), steps)),
        };
        if value.is_null() { Found::Missing } else { found(follow(value, &steps[1..])) }
    }

    /// The elements that are gone through to [`find`](Self::find) a path.
    pub(crate) fn searched(&self, path: &Path) -> u64 {
        match path.steps.first() {
            Some(Step::Member(first)) if path.root == "user" && computed::is_searched(first) => {
                *self.searched.get_or_init(|| computed::elements_searched(self.data()))
            }
            _ => 0,
        }
    }

    /// Whether `data` is what is left of a deleted entity.
    pub(crate) fn is_deleted_object(&self) -> bool {
        self.data().get("deleted") == Some(&Json::Bool(true))
    }

    fn data(&self) -> &Json {
        match self.given {
            Some(data) => data,
            None => self.parsed.get_or_init(|| self.member(|envelope| envelope.data)),
        }
    }

    fn attributes(&self) -> &Json {
        self.attributes.get_or_init(|| self.member(|envelope| envelope.event_attributes))
    }

    /// A member of the body; null where there is none.
    fn member(&self, of: impl FnOnce(Envelope<'a>) -> Option<&'a RawValue>) -> Json {
        let found = Envelope::parse(self.body).ok().and_then(of);
        found.map_or(Json::Null, |raw| json::tree(raw.get()))
    }

    fn full_name(&self) -> &Json {
        self.full_name.get_or_init(|| computed::full_name(self.data()))
    }

    /// The entity with its computed members, for an expression that takes it whole.
    fn merged(&self, entity: &str) -> &Json {
        self.merged.get_or_init(|| computed::merged(entity, self.data()))
    }

    fn occurred_at(&self) -> Option<&str> {
        let millis = self.parts.occurred_at_ms;
        self.occurred_at
            .get_or_init(|| UnixMillis::from_millis(millis).map(|time| time.to_string()))
            .as_deref()
    }
}

fn whole(json: &Json) -> Option<Cow<'_, Json>> {
    (!json.is_null()).then_some(Cow::Borrowed(json))
}

fn found(value: Option<&Json>) -> Found<'_> {
    value.map_or(Found::Missing, Found::Json)
}

impl fmt::Debug for EventView<'_> {
    /// Without the payload.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventView").field("parts", &self.parts).finish_non_exhaustive()
    }
}
