//! Requests that no handler may accept: each breaks one rule of the signature.

use clerk_webhooks::{HeaderFamily, Secret, Signer};
use http::{HeaderMap, Method};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::cast::Cast;
use crate::client::Client;
use crate::new_secret::new_secret;
use crate::samples::{message_id, sample};

/// How old a stale request is: far more than the five minutes that a verifier tolerates.
const STALE_SECONDS: u64 = 3_600;

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Probe {
    /// It is signed with another secret.
    Forged,
    /// Its body is not the one that was signed.
    Tampered,
    /// It was signed an hour ago.
    Stale,
    /// It has no signature.
    Unsigned,
}

/// How a handler took a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeResult {
    /// It answered with this status, which is not 2xx.
    Refused(u16),
    /// It answered with this status, which is 2xx.
    Accepted(u16),
    NoReply,
}

impl Probe {
    pub const ALL: [Self; 4] = [Self::Forged, Self::Tampered, Self::Stale, Self::Unsigned];

    /// The request in words.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Forged => "an event signed with another secret",
            Self::Tampered => "an event whose body was changed after it was signed",
            Self::Stale => "an event that was signed an hour ago",
            Self::Unsigned => "an event without a signature",
        }
    }

    /// Sends the request, at this time.
    pub async fn send(self, client: &Client, now_ms: i64) -> ProbeResult {
        let seconds = u64::try_from(now_ms / 1_000).unwrap_or_default();
        let sample = sample("user.created").unwrap_or_default();
        let mut event = Cast::random(now_ms).play(&sample, now_ms);
        let (id, body) = (message_id(), event.to_string().into_bytes());
        let (headers, body) = match self {
            Self::Forged => (forged(&id, seconds, &body), body),
            Self::Stale => (client.signed(&id, seconds - STALE_SECONDS, &body), body),
            Self::Unsigned => (HeaderMap::new(), body),
            Self::Tampered => {
                let headers = client.signed(&id, seconds, &body);
                event["data"]["first_name"] = Value::from("Mallory");
                (headers, event.to_string().into_bytes())
            }
        };
        match client.request(Method::POST, headers, body).await {
            Ok(reply) if reply.is_success() => ProbeResult::Accepted(reply.status),
            Ok(reply) => ProbeResult::Refused(reply.status),
            Err(_) => ProbeResult::NoReply,
        }
    }
}

/// The headers of a request that is signed with a secret of nobody's.
fn forged(id: &str, seconds: u64, body: &[u8]) -> HeaderMap {
    let signer = Secret::parse(&new_secret()).ok().and_then(|secret| Signer::new(&secret).ok());
    let headers =
        signer.and_then(|signer| signer.sign(id, seconds, body).to_map(HeaderFamily::Svix).ok());
    headers.unwrap_or_default()
}
