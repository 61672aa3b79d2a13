//! `[[source]]`: a Clerk instance that sends to us.

use clerk_api::DEFAULT_SHARE;
use clerk_webhooks::Secret;
use deskbell_config::{
    ConfigError, Duration, Environment, Fault, HttpUrl, NOTICE_SOURCE, REDACTED, SecretText, Step,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::backend_api_config::{self, BackendKey, BackfillMode};
use crate::sender_config::{self, SenderConfig, SourceMode};

/// Where to find the secret, as Clerk's dashboard names it.
const WHERE_THE_SECRET_IS: &str = "In the Clerk dashboard open Configure > Webhooks, choose your \
     endpoint (or add one) and copy its Signing Secret, which begins with whsec_. Then:\n\n    \
     export CLERK_WEBHOOK_SIGNING_SECRET=whsec_…";

/// One source.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceConfig {
    /// Its name, which its events have in the log. Default: `clerk`.
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
    /// The secret key of the instance (`sk_…`), for Clerk's Backend API. Default: from the environment,
    /// `CLERK_SECRET_KEY`, where there is one source alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_key: Option<BackendKey>,
    /// The address of Clerk's Backend API. Default: `https://api.clerk.com/v1`, or what the environment
    /// has as `CLERK_API_URL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_url: Option<HttpUrl>,
    /// The share of the instance's rate limit that is used, more than 0 and at most 1: the application's
    /// own requests need the rest. Default: `0.5`.
    pub api_rate_share: f64,
    /// Whether `deskbell serve` fills a mirror with what existed before it. Default: `auto`, where there
    /// is a secret key.
    pub backfill: BackfillMode,
    /// How events come: `push`, or `pull` to fetch them from the sender's record. Default: `push`.
    pub mode: SourceMode,
    /// What is done about the endpoint in Clerk's sender. Default: nothing.
    pub sender: SenderConfig,
    /// Where the sender is, in tests: from the environment alone.
    #[serde(skip)]
    pub sender_url: Option<HttpUrl>,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            name: "clerk".to_owned(),
            path: vec!["/api/webhooks".to_owned(), "/api/webhooks/clerk".to_owned()],
            signing_secrets: Vec::new(),
            tolerance: Duration::new(std::time::Duration::from_secs(300)),
            instance_id: None,
            secret_key: None,
            api_url: None,
            api_rate_share: DEFAULT_SHARE,
            backfill: BackfillMode::default(),
            mode: SourceMode::default(),
            sender: SenderConfig::default(),
            sender_url: None,
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

/// A signing secret; it never shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningSecret(pub Secret);

impl Serialize for SigningSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl SourceConfig {
    /// Takes the secrets from the environment, where it has none and needs some; a warning about them.
    ///
    /// # Errors
    /// The environment has none either, or one that is none.
    pub fn take_secrets(
        &mut self,
        environment: &Environment,
    ) -> Result<Option<String>, ConfigError> {
        if self.mode == SourceMode::Pull || !self.signing_secrets.is_empty() {
            return Ok(None);
        }
        let found = Secret::list_from_vars(|name| environment.get(name))
            .map_err(|error| ConfigError::new(error.to_string(), WHERE_THE_SECRET_IS.to_owned()))?;
        self.signing_secrets = found.secrets.into_iter().map(SigningSecret).collect();
        Ok(found.ignored.map(|ignored| {
            format!("{ignored} is set too, and differs from {}; it is not used", found.variable)
        }))
    }

    /// Takes the secret key and the API's address from the environment, where it has none; a warning
    /// about them.
    pub fn take_secret_key(&mut self, environment: &Environment) -> Option<String> {
        if self.api_url.is_none()
            && let Some(url) = backend_api_config::url_of(environment)
        {
            match url.parse() {
                Ok(url) => self.api_url = Some(url),
                Err(error) => return Some(format!("CLERK_API_URL is not used: {error}")),
            }
        }
        if self.secret_key.is_some() {
            return None;
        }
        match backend_api_config::key_of(environment)? {
            Ok(key) => self.secret_key = Some(key),
            Err(warning) => return Some(warning),
        }
        None
    }

    /// Takes the sender's address from the environment, if that has one; a warning about it.
    pub fn take_sender_url(&mut self, environment: &Environment) -> Option<String> {
        match sender_config::url_of(environment)? {
            Ok(url) => self.sender_url = Some(url),
            Err(warning) => return Some(warning),
        }
        None
    }

    /// Whether it has the secret key, if it needs it. A fault's path begins at the source.
    ///
    /// # Errors
    /// What needs it.
    pub fn check_secret_key(&self) -> Result<(), Fault> {
        match self.secret_key {
            Some(_) => Ok(()),
            None => sender_config::check_key(self.mode, self.sender),
        }
    }

    /// Whether its keys make sense. A fault's path begins at the source.
    ///
    /// # Errors
    /// The first fault.
    pub fn validate(&self) -> Result<(), Fault> {
        let at = |key| vec![Step::Key(key)];
        if self.name.trim().is_empty() {
            return Err(Fault::at(at("name"), "a source needs a name"));
        }
        if self.name == NOTICE_SOURCE {
            let message = "`deskbell` is the source of Deskbell's own notices";
            return Err(
                Fault::at(at("name"), message).with_help("choose another name, for example clerk")
            );
        }
        for (number, path) in self.path.iter().enumerate() {
            check_path(path, vec![Step::Key("path"), Step::Index(number)])?;
        }
        backend_api_config::check_share(self.api_rate_share)?;
        self.sender.check(self.mode)?;
        if self.path.is_empty() {
            return Err(Fault::at(at("path"), "a source needs at least one path"));
        }
        Ok(())
    }
}

/// Paths that are ours: nothing may be posted there.
const RESERVED: &[&str] = &[
    "/healthz",
    "/readyz",
    "/metrics",
    "/sign-in",
    "/sign-out",
    "/dashboard",
    "/api/openapi.json",
];
/// Prefixes of paths that are ours; `/ingest/api/v1/` is one of Svix's API.
const RESERVED_BELOW: &[&str] = &["/api/v1/", "/dashboard/", "/ingest/api/v1/"];

fn check_path(path: &str, at: Vec<Step>) -> Result<(), Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    if !path.starts_with('/') || !path.bytes().all(plain) {
        let message = format!("`{path}` is not a path that a source can have");
        return Err(Fault::at(at, message)
            .with_help("write it as in the endpoint's URL, from the first slash: /api/webhooks"));
    }
    let is_below = |prefix: &&str| path.starts_with(prefix);
    if RESERVED.contains(&path) || RESERVED_BELOW.iter().any(is_below) {
        return Err(Fault::at(at, format!("`{path}` is a path of Deskbell itself"))
            .with_help("choose another, for example /api/webhooks"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api, metrics_page, sign_in, svix};

    #[test]
    fn no_source_has_a_path_of_ours() {
        let own = api::routes();
        let tables = [&own[..], svix::ROUTES, sign_in::ROUTES, metrics_page::ROUTES];
        for route in tables.into_iter().flatten() {
            let path = route.path.replace("{*rest}", "a/b").replace(['{', '}'], "");
            let fault = check_path(&path, Vec::new()).unwrap_err();
            assert!(fault.message.contains("is a path of Deskbell itself"), "{path}: {fault:?}");
        }
        for path in ["/", "/api/webhooks", "/ingest", "/ingest/clerk", "/api"] {
            check_path(path, Vec::new()).unwrap();
        }
    }
}
