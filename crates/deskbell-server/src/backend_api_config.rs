//! The keys of a source about Clerk's Backend API.

use clerk_api::SecretKey;
use deskbell_config::{Environment, Fault, REDACTED, SecretText, Step};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The variable of the secret key, as Clerk's own libraries name it.
const SECRET_KEY_VARIABLE: &str = "CLERK_SECRET_KEY";
/// The variable of the API's address, likewise; without `/v1`.
const API_URL_VARIABLE: &str = "CLERK_API_URL";

/// A secret key; it never shows.
#[derive(Debug, Clone)]
pub struct BackendKey(pub SecretKey);

/// When a mirror is filled with what existed before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BackfillMode {
    /// Once, by `deskbell serve`.
    #[default]
    Auto,
    /// On request alone.
    Never,
}

impl Serialize for BackendKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for BackendKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = SecretText::deserialize(deserializer)?;
        SecretKey::parse(text.expose()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The secret key of the environment, where it has one; or why what it has is none.
pub(crate) fn key_of(environment: &Environment) -> Option<Result<BackendKey, String>> {
    let text = environment.get(SECRET_KEY_VARIABLE).filter(|text| !text.trim().is_empty())?;
    let parsed = SecretKey::parse(&text).map(BackendKey);
    Some(parsed.map_err(|error| format!("{SECRET_KEY_VARIABLE} is not used: {error}")))
}

/// The API's address of the environment, where it has one.
pub(crate) fn url_of(environment: &Environment) -> Option<String> {
    let text = environment.get(API_URL_VARIABLE)?;
    let text = text.trim().trim_end_matches('/');
    let path = if text.ends_with("/v1") { "" } else { "/v1" };
    (!text.is_empty()).then(|| format!("{text}{path}"))
}

/// Whether this can be a share of the rate limit.
pub(crate) fn check_share(share: f64) -> Result<(), Fault> {
    if share > 0.0 && share <= 1.0 {
        return Ok(());
    }
    let message = format!("expected a share of more than 0 and at most 1, found {share}");
    Err(Fault::at(vec![Step::Key("api_rate_share")], message)
        .with_help("write 0.5 to leave the other half of Clerk's rate limit to your application"))
}
