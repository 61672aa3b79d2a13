//! The secrets that requests are signed with.

use std::fmt;

use clerk_webhooks::{Secret, UnixMillis};
use deskbell_config::{REDACTED, SECRET};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::config::text::SigningSecret;

/// A secret that requests are signed with: `"whsec_…"` or `"whsk_…"`, or during a rotation
/// `{ secret = "…", until = "2026-12-01T00:00:00Z" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSecret {
    /// The key; it never shows.
    pub secret: SigningSecret,
    /// The signatures that it makes.
    pub version: SignatureVersion,
    /// When it is last used. Default: always.
    pub until: Option<UnixMillis>,
}

/// The kinds of signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureVersion {
    /// HMAC-SHA256, with a secret that both sides share: `whsec_…`.
    V1,
    /// Ed25519, with a private key, `whsk_…`, of which the receiver has the public half.
    V1a,
}

impl fmt::Display for SignatureVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "v1",
            Self::V1a => "v1a",
        })
    }
}

impl EndpointSecret {
    /// One secret. The text is not repeated in errors.
    fn parse<E: Error>(text: &str) -> Result<Self, E> {
        let version = if text.starts_with("whsec_") {
            SignatureVersion::V1
        } else if text.starts_with("whsk_") {
            SignatureVersion::V1a
        } else if text.starts_with("whpk_") {
            return Err(E::custom(
                "a public key cannot sign: write the private one, whsk_…, and give this one to the \
                 receiver",
            ));
        } else {
            return Err(E::custom(
                "this is no secret to sign with: it begins with whsec_, or with whsk_ for v1a",
            ));
        };
        let secret = SigningSecret(Secret::parse(text).map_err(E::custom)?);
        Ok(Self { secret, version, until: None })
    }
}

impl Serialize for EndpointSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(until) = self.until else { return serializer.serialize_str(REDACTED) };
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("secret", REDACTED)?;
        map.serialize_entry("until", &until.to_string())?;
        map.end()
    }
}

/// The secrets of one entry: a variable has only one value, and may hold several.
#[derive(Debug)]
pub(super) struct Secrets(pub(super) Vec<EndpointSecret>);

impl<'de> Deserialize<'de> for Secrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SECRET, SecretsVisitor)
    }
}

struct SecretsVisitor;

impl<'de> Visitor<'de> for SecretsVisitor {
    type Value = Secrets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret, or { secret = \"…\", until = \"2026-12-01T00:00:00Z\" }")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<Secrets, D::Error> {
        value.deserialize_any(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secrets, E> {
        let parts = text.split(|c: char| c == ',' || c.is_whitespace());
        let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Err(E::custom("the secret is empty"));
        }
        parts.into_iter().map(EndpointSecret::parse).collect::<Result<_, _>>().map(Secrets)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secrets, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Rotated {
            secret: Secrets,
            #[serde(default, deserialize_with = "moment")]
            until: Option<UnixMillis>,
        }
        let Rotated { secret: Secrets(secrets), until } =
            Rotated::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Secrets(secrets.into_iter().map(|secret| EndpointSecret { until, ..secret }).collect()))
    }
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixMillis>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| {
        D::Error::custom(format_args!("`{text}` is not a time; write 2026-12-01T00:00:00Z"))
    })
}
