//! `headers`: what a request has beside its own headers.

use std::fmt;

use deskbell_config::REDACTED;
use http::{HeaderName, HeaderValue};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Headers that belong to the connection or to the body, or would turn the request into another.
const OURS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Both families, whichever is used: a receiver looks for either.
const SIGNATURE_PREFIXES: [&str; 2] = ["svix-", "webhook-"];

/// Headers by name, in the order of the file. Their values never show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, HeaderValue)>);

/// A header that is not the config's to set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the header `{0}` is set by Deskbell itself")]
pub struct HeaderOfOurs(HeaderName);

impl Headers {
    /// Adds a header.
    ///
    /// # Errors
    /// Deskbell sets it itself, or it is the connection's.
    pub fn append(&mut self, name: HeaderName, mut value: HeaderValue) -> Result<(), HeaderOfOurs> {
        value.set_sensitive(true);
        self.0.push((not_ours(name)?, value));
        Ok(())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, name: &HeaderName) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }
}

fn not_ours(name: HeaderName) -> Result<HeaderName, HeaderOfOurs> {
    let text = name.as_str();
    let signs = SIGNATURE_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
    if signs || OURS.contains(&text) { Err(HeaderOfOurs(name)) } else { Ok(name) }
}

struct Name(HeaderName);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let name = HeaderName::try_from(&text)
            .map_err(|_| D::Error::custom(format_args!("`{text}` is not a valid header name")))?;
        not_ours(name).map(Self).map_err(D::Error::custom)
    }
}

struct Value(HeaderValue);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "SecretText")]
        struct Text(String);

        let Text(text) = Text::deserialize(deserializer)?;
        HeaderValue::try_from(text).map(Self).map_err(|_| {
            D::Error::custom(
                "a header value cannot contain line breaks or other control characters",
            )
        })
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Headers;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of names and values, such as { authorization = \"env:NAME\" }")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
                let mut headers = Headers::default();
                while let Some((Name(name), Value(value))) = map.next_entry()? {
                    if headers.contains(&name) {
                        return Err(A::Error::custom(format_args!(
                            "the header `{name}` is set twice"
                        )));
                    }
                    headers.append(name, value).map_err(A::Error::custom)?;
                }
                Ok(headers)
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, _)| (name.as_str(), REDACTED)))
    }
}
