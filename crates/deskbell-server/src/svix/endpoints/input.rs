//! What a client says of an endpoint that it makes or changes.

use std::collections::BTreeMap;

use deskbell_admin::{ENDPOINT_ID_PREFIX, EndpointSettings, NewEndpoint, SealedSecret};
use serde::Deserialize;
use utoipa::ToSchema;

use super::header_values;
use crate::svix::body::given;
use crate::svix::errors::{ApiError, Part};
use crate::svix::messages::input::check_name;

/// Bytes of a type, as Svix has it.
const NAME_BYTES_MAX: usize = 256;
const DESCRIPTION_BYTES_MAX: usize = 4096;
/// Types that an endpoint can name.
const TYPES_MAX: usize = 500;
/// Bytes of all metadata, its keys too.
const METADATA_BYTES_MAX: usize = 4096;
/// Attempts a second that can be set, as Svix has it.
const RATE_MAX: u32 = 65_535;

/// An endpoint's settings. `url` must be given when one is made or replaced. Of `eventTypes` and
/// `filterTypes`, and of `throttleRate` and `rateLimit`, one is enough.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = EndpointIn)]
pub(in crate::svix) struct EndpointIn {
    url: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    uid: Option<Option<String>>,
    disabled: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    event_types: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    filter_types: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    throttle_rate: Option<Option<u32>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>)]
    rate_limit: Option<Option<u32>>,
    metadata: Option<BTreeMap<String, String>>,
    /// Only when an endpoint is made; null for a random one.
    #[schema(value_type = Option<String>)]
    secret: Option<SealedSecret>,
    /// Only when an endpoint is made.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    headers: Option<BTreeMap<String, SealedSecret>>,
    /// Must be null: Deskbell has no channels.
    channels: Option<Vec<String>>,
    /// Must be null or 1.
    version: Option<u32>,
}

impl EndpointIn {
    /// What a new endpoint is made of.
    pub(in crate::svix) fn create(mut self) -> Result<NewEndpoint, ApiError> {
        let secret = self.secret.take();
        let headers = header_values::checked(self.headers.take().unwrap_or_default())?;
        let settings = self.replace(&EndpointSettings::default())?;
        Ok(NewEndpoint { settings, secret, headers })
    }

    /// The settings in place of these. What is left out gets its default, but for the uid, and for what
    /// Svix does not know.
    pub(in crate::svix) fn replace(
        self,
        current: &EndpointSettings,
    ) -> Result<EndpointSettings, ApiError> {
        if self.url.is_none() {
            return Err(invalid("url", "expected a URL"));
        }
        let (uid, when) = (current.uid.clone(), current.when.clone());
        self.apply(EndpointSettings { uid, when, ..EndpointSettings::default() })
    }

    /// These settings with what was given changed.
    pub(in crate::svix) fn apply(
        self,
        current: EndpointSettings,
    ) -> Result<EndpointSettings, ApiError> {
        self.refuse_unsupported()?;
        if let Some(Some(uid)) = &self.uid {
            check_uid(uid)?;
        }
        let events = one_of(
            ("eventTypes", self.event_types.map(|types| types.map(sorted))),
            ("filterTypes", self.filter_types.map(|types| types.map(sorted))),
        )?;
        let rate = one_of(("throttleRate", self.throttle_rate), ("rateLimit", self.rate_limit))?;
        let settings = EndpointSettings {
            url: self.url.unwrap_or(current.url),
            description: self.description.unwrap_or(current.description),
            events: events.unwrap_or(current.events),
            when: current.when,
            disabled: self.disabled.unwrap_or(current.disabled),
            rate_limit: rate.unwrap_or(current.rate_limit),
            uid: self.uid.unwrap_or(current.uid),
            metadata: self.metadata.unwrap_or(current.metadata),
        };
        check(&settings)?;
        Ok(settings)
    }

    fn refuse_unsupported(&self) -> Result<(), ApiError> {
        if self.channels.as_ref().is_some_and(|channels| !channels.is_empty()) {
            return Err(invalid("channels", "Deskbell has no channels; use `eventTypes`"));
        }
        if self.version.is_some_and(|version| version != 1) {
            return Err(invalid("version", "expected 1 or null"));
        }
        if self.secret.is_some() {
            return Err(invalid("secret", "a secret is changed by `secret/rotate`"));
        }
        if self.headers.is_some() {
            return Err(invalid("headers", "headers are changed by the endpoint's `headers`"));
        }
        Ok(())
    }
}

/// A uid that somebody may have. It is never mistaken for an id.
pub(in crate::svix) fn check_uid(uid: &str) -> Result<(), ApiError> {
    check_name("uid", uid)?;
    match uid.starts_with(ENDPOINT_ID_PREFIX) {
        true => Err(invalid("uid", format!("`{ENDPOINT_ID_PREFIX}` is what ids begin with"))),
        false => Ok(()),
    }
}

fn check(settings: &EndpointSettings) -> Result<(), ApiError> {
    if settings.description.len() > DESCRIPTION_BYTES_MAX {
        let message = format!("expected at most {DESCRIPTION_BYTES_MAX} bytes");
        return Err(invalid("description", message));
    }
    if let Some(events) = &settings.events {
        check_types(events)?;
    }
    if settings.rate_limit.is_some_and(|rate| !(1..=RATE_MAX).contains(&rate)) {
        return Err(invalid("throttleRate", format!("expected 1 to {RATE_MAX}")));
    }
    let metadata = settings.metadata.iter().map(|(key, value)| key.len() + value.len());
    if metadata.sum::<usize>() > METADATA_BYTES_MAX {
        return Err(invalid("metadata", format!("expected at most {METADATA_BYTES_MAX} bytes")));
    }
    Ok(())
}

fn check_types(types: &[String]) -> Result<(), ApiError> {
    if types.is_empty() || types.len() > TYPES_MAX {
        let message = format!("expected 1 to {TYPES_MAX} types, or null for all");
        return Err(invalid("eventTypes", message));
    }
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte);
    let is_type = |name: &&String| {
        !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(is_known)
    };
    match types.iter().find(|name| !is_type(name)) {
        Some(_) => Err(invalid("eventTypes", "expected types such as `user.created` or `user.*`")),
        None => Ok(()),
    }
}

/// What was given under one name or the other.
fn one_of<T: PartialEq>(
    (name, new): (&str, Option<T>),
    (old_name, old): (&str, Option<T>),
) -> Result<Option<T>, ApiError> {
    match (new, old) {
        (Some(new), Some(old)) if new != old => {
            let message = format!("set either `{name}` or `{old_name}`, or both to the same");
            Err(invalid(old_name, message))
        }
        (Some(one), _) | (None, Some(one)) => Ok(Some(one)),
        (None, None) => Ok(None),
    }
}

fn sorted(mut types: Vec<String>) -> Vec<String> {
    types.sort_unstable();
    types.dedup();
    types
}

fn invalid(name: &str, message: impl Into<String>) -> ApiError {
    ApiError::invalid(Part::Body, name, message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: &Value) -> EndpointIn {
        EndpointIn::deserialize(body).unwrap()
    }

    fn current() -> EndpointSettings {
        EndpointSettings {
            url: "https://example.com/a".into(),
            description: "A".into(),
            events: Some(vec!["user.*".into()]),
            when: Some("true".into()),
            disabled: true,
            rate_limit: Some(5),
            uid: Some("a".into()),
            metadata: BTreeMap::from([("k".into(), "v".into())]),
        }
    }

    #[test]
    fn a_patch_changes_what_it_names() {
        let body = json!({"eventTypes": null, "throttleRate": 7, "disabled": false});
        let patched = read(&body).apply(current()).unwrap();
        let expected =
            EndpointSettings { events: None, rate_limit: Some(7), disabled: false, ..current() };
        assert_eq!(patched, expected);
        assert_eq!(read(&json!({"uid": null})).apply(current()).unwrap().uid, None);
    }

    #[test]
    fn a_replacement_keeps_the_uid_and_what_svix_does_not_know() {
        let replaced = read(&json!({"url": "https://example.com/b"})).replace(&current()).unwrap();
        let expected = EndpointSettings {
            url: "https://example.com/b".into(),
            when: Some("true".into()),
            uid: Some("a".into()),
            ..EndpointSettings::default()
        };
        assert_eq!(replaced, expected);
    }

    #[test]
    fn both_generations_names_are_read() {
        for body in [
            json!({"filterTypes": ["b", "a"], "rateLimit": 3}),
            json!({"eventTypes": ["a", "b"], "throttleRate": 3}),
            json!({"filterTypes": ["b", "a"], "eventTypes": ["a", "b"], "rateLimit": 3,
                   "throttleRate": 3, "version": 1, "channels": null, "secret": null}),
        ] {
            let settings = read(&body).apply(current()).unwrap();
            assert_eq!(settings.events, Some(vec!["a".into(), "b".into()]), "{body}");
            assert_eq!(settings.rate_limit, Some(3), "{body}");
        }
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        for (body, name) in [
            (json!({"channels": ["a"]}), "channels"),
            (json!({"version": 2}), "version"),
            (json!({"secret": "whsec_x"}), "secret"),
            (json!({"headers": {"a": "b"}}), "headers"),
            (json!({"eventTypes": ["a"], "filterTypes": ["b"]}), "filterTypes"),
            (json!({"eventTypes": []}), "eventTypes"),
            (json!({"eventTypes": ["a b"]}), "eventTypes"),
            (json!({"throttleRate": 0}), "throttleRate"),
            (json!({"uid": "a b"}), "uid"),
            (json!({"uid": ""}), "uid"),
            (json!({"uid": "ep_1"}), "uid"),
            (json!({"metadata": {"k": "v".repeat(5000)}}), "metadata"),
        ] {
            let error = read(&body).apply(current()).unwrap_err();
            let ApiError::Invalid(error) = error else { panic!("{body}: {error:?}") };
            assert_eq!(error.loc, ["body", name], "{body}");
        }
    }
}
