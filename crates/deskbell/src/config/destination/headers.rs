//! `headers`: what a request bears beside its own headers.

use std::fmt;

use reqwest::header::{HeaderName, HeaderValue};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::SecretText;

/// Headers that a request has of itself.
const OWN_HEADERS: &[&str] =
    &["connection", "content-length", "content-type", "host", "te", "transfer-encoding", "upgrade"];
/// What the names of the headers of a signature begin with.
const SIGNATURE_HEADERS: &[&str] = &["svix-", "webhook-"];

/// Headers by name, in lower case, in the order of the file. Their values never show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, SecretText)>);

struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let Ok(name) = HeaderName::try_from(&text) else {
            return Err(D::Error::custom(format_args!("`{text}` is not the name of a header")));
        };
        let name = name.as_str();
        if OWN_HEADERS.contains(&name) || SIGNATURE_HEADERS.iter().any(|one| name.starts_with(one))
        {
            return Err(D::Error::custom(format_args!(
                "the header `{name}` is set by Deskbell itself"
            )));
        }
        Ok(Self(name.to_owned()))
    }
}

struct Value(SecretText);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "SecretText")]
        struct Text(String);

        let Text(text) = Text::deserialize(deserializer)?;
        if HeaderValue::try_from(&text).is_err() {
            return Err(D::Error::custom(
                "a header's value has no line breaks and no other control characters",
            ));
        }
        Ok(Self(text.into()))
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
                let mut pairs: Vec<(String, SecretText)> = Vec::new();
                while let Some((Name(name), Value(value))) = map.next_entry()? {
                    if pairs.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom(format_args!(
                            "the header `{name}` is set twice"
                        )));
                    }
                    pairs.push((name, value));
                }
                Ok(Headers(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

impl Headers {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
