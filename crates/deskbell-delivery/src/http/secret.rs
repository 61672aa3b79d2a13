//! The secrets that requests are signed with.

use std::fmt;
use std::str::FromStr;

use clerk_webhooks::{Secret, UnixMillis};
use deskbell_config::{REDACTED, SECRET};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A secret that requests are signed with: `"whsec_…"` or `"whsk_…"`, or during a rotation
/// `{ secret = "…", until = "2026-12-01T00:00:00Z" }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointSecret {
    /// The key; it never shows.
    pub secret: Secret,
    /// The signatures that it makes.
    pub version: SignatureVersion,
    /// When it is last used. Default: always.
    pub until: Option<UnixMillis>,
}

/// The secrets of a destination. One entry of the config may hold several, with spaces or commas
/// between them: a variable has only one value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EndpointSecrets(pub Vec<EndpointSecret>);

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
    /// Whether it signs what is sent at this time.
    pub(super) fn is_live(&self, seconds: u64) -> bool {
        let sent_at = i128::from(seconds) * 1_000;
        self.until.is_none_or(|until| sent_at < i128::from(until.as_millis()))
    }
}

impl FromStr for EndpointSecret {
    type Err = String;

    /// The text is not repeated in errors.
    fn from_str(text: &str) -> Result<Self, String> {
        let version = if text.starts_with("whsec_") {
            SignatureVersion::V1
        } else if text.starts_with("whsk_") {
            SignatureVersion::V1a
        } else if text.starts_with("whpk_") {
            return Err(
                "a public key cannot sign: write the private one, whsk_…, and give this one \
                        to the receiver"
                    .to_owned(),
            );
        } else {
            return Err(
                "this is no secret to sign with: it begins with whsec_, or with whsk_ for \
                        v1a"
                .to_owned(),
            );
        };
        let secret = Secret::parse(text).map_err(|error| error.to_string())?;
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

impl<'de> Deserialize<'de> for EndpointSecrets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(SECRET, SecretsVisitor)
    }
}

struct SecretsVisitor;

impl<'de> Visitor<'de> for SecretsVisitor {
    type Value = EndpointSecrets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret, or { secret = \"…\", until = \"2026-12-01T00:00:00Z\" }")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        value: D,
    ) -> Result<EndpointSecrets, D::Error> {
        value.deserialize_any(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<EndpointSecrets, E> {
        let parts = text.split(|c: char| c == ',' || c.is_whitespace());
        let secrets = parts.filter(|part| !part.is_empty()).map(str::parse::<EndpointSecret>);
        let secrets: Vec<_> = secrets.collect::<Result<_, _>>().map_err(E::custom)?;
        if secrets.is_empty() {
            return Err(E::custom("the secret is empty"));
        }
        Ok(EndpointSecrets(secrets))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<EndpointSecrets, A::Error> {
        let mut all = EndpointSecrets::default();
        while let Some(EndpointSecrets(secrets)) = list.next_element()? {
            all.0.extend(secrets);
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EndpointSecrets, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Rotated {
            secret: EndpointSecrets,
            #[serde(default, deserialize_with = "moment")]
            until: Option<UnixMillis>,
        }
        let Rotated { mut secret, until } = Rotated::deserialize(MapAccessDeserializer::new(map))?;
        secret.0.iter_mut().for_each(|one| one.until = until);
        Ok(secret)
    }
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixMillis>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(|_| {
        D::Error::custom(format_args!(
            "expected a time such as 2026-12-01T00:00:00Z, found `{text}`"
        ))
    })
}
