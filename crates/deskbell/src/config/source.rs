//! `[[source]]`: a Clerk instance that sends to us.

use std::collections::BTreeMap;

use clerk_webhooks::Secret;
use deskbell_config::{Fault, NOTICE_SOURCE, Step};
use serde::{Deserialize, Deserializer, Serialize};

use super::{ConfigError, Duration, Environment, SecretText, SigningSecret};

/// Where to find the secret, as Clerk's dashboard names the places.
const WHERE_THE_SECRET_IS: &str = "In the Clerk dashboard open Configure > Webhooks, choose your \
     endpoint (or add one) and copy its Signing Secret, which begins with whsec_. Then:\n\n    \
     export CLERK_WEBHOOK_SIGNING_SECRET=whsec_…";

/// One source.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    /// Its name, which its events bear in the log. Default: `clerk`.
    pub name: String,
    /// The paths that it posts to. Default: `/api/webhooks` and `/api/webhooks/clerk`.
    pub path: Vec<String>,
    /// Its signing secrets; several during a rotation. Default: from the environment,
    /// `CLERK_WEBHOOK_SIGNING_SECRET`.
    #[serde(deserialize_with = "secrets")]
    pub signing_secrets: Vec<SigningSecret>,
    /// How far a signature's timestamp may be from our clock, in either direction. Default: `5m`.
    pub tolerance: Duration,
    /// Its instance (`ins_…`). Events of another one are stored, and never applied to a mirror.
    /// Default: the one that the source's first two events agree on, which the store keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            name: "clerk".to_owned(),
            path: vec!["/api/webhooks".to_owned(), "/api/webhooks/clerk".to_owned()],
            signing_secrets: Vec::new(),
            tolerance: Duration::new(std::time::Duration::from_secs(300)),
            instance_id: None,
        }
    }
}

/// A list of secrets, of which one entry may hold several: a variable has only one value.
fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SigningSecret>, D::Error> {
    /// The secrets in one entry.
    struct Entry(Vec<Secret>);

    impl<'de> Deserialize<'de> for Entry {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let text = SecretText::deserialize(deserializer)?;
            Secret::parse_list(text.expose()).map(Self).map_err(serde::de::Error::custom)
        }
    }

    let entries = Vec::<Entry>::deserialize(deserializer)?;
    Ok(entries.into_iter().flat_map(|entry| entry.0).map(SigningSecret).collect())
}

/// The secrets that the environment holds, and warnings about them.
pub(super) fn secrets_from(
    environment: &Environment,
) -> Result<(Vec<SigningSecret>, Option<String>), ConfigError> {
    let found = Secret::list_from_vars(|name| environment.get(name))
        .map_err(|error| ConfigError::new(error.to_string(), WHERE_THE_SECRET_IS.to_owned()))?;
    let warning = found.ignored.map(|ignored| {
        format!("{ignored} is set too, and differs from {}; it is not used", found.variable)
    });
    Ok((found.secrets.into_iter().map(SigningSecret).collect(), warning))
}

/// Whether the sources fit together.
pub(super) fn check(sources: &[SourceConfig]) -> Result<(), Fault> {
    let mut names = BTreeMap::new();
    let mut paths = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        let at = |key| vec![Step::Key("source"), Step::Index(index), Step::Key(key)];
        if source.name.trim().is_empty() {
            return Err(Fault::at(at("name"), "a source needs a name"));
        }
        if source.name == NOTICE_SOURCE {
            return Err(Fault::at(
                at("name"),
                "`deskbell` is the source of Deskbell's own notices",
            )
            .with_help("choose another name, for example clerk"));
        }
        if names.insert(&source.name, ()).is_some() {
            return Err(Fault::at(at("name"), format!("two sources are named `{}`", source.name))
                .with_help("events bear their source's name: give each one of its own"));
        }
        for (number, path) in source.path.iter().enumerate() {
            let mut place = at("path");
            place.push(Step::Index(number));
            check_path(path, place.clone())?;
            if let Some(other) = paths.insert(path, &source.name) {
                let message = format!("`{path}` is a path of the source `{other}` already");
                return Err(Fault::at(place, message)
                    .with_help("give each source a path of its own, and its endpoint that URL"));
            }
        }
        if source.path.is_empty() {
            return Err(Fault::at(at("path"), "a source needs at least one path"));
        }
    }
    Ok(())
}

/// Paths that are ours: nothing may be posted there.
const RESERVED: &[&str] = &["/healthz", "/readyz", "/metrics"];

fn check_path(path: &str, place: Vec<Step>) -> Result<(), Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    if !path.starts_with('/') || !path.bytes().all(plain) {
        let message = format!("`{path}` is not a path that a source can have");
        return Err(Fault::at(place, message)
            .with_help("write it as in the endpoint's URL, from the first slash: /api/webhooks"));
    }
    if RESERVED.contains(&path) || path.starts_with("/api/v1/") {
        return Err(Fault::at(place, format!("`{path}` is a path of Deskbell itself"))
            .with_help("choose another, for example /api/webhooks"));
    }
    Ok(())
}
