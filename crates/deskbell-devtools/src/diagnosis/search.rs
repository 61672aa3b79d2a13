//! Looking for the mistake: every key, body and form of the signature that is known, until one fits.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clerk_webhooks::VerifyError;

use super::bodies::{self, Body};
use super::captured::Captured;
use super::causes::{Cause, CauseCode};
use super::keys::{self, Key};
use super::receiver::Receiver;

/// Timestamps from here on are in milliseconds.
const MILLISECONDS_FROM: u64 = 100_000_000_000;
/// What proxies, servers and frameworks put before the names of headers.
const PREFIXES: &[&str] = &["x-forwarded-", "x-original-", "http-", "x-"];
const PARTS: [&str; 3] = ["id", "timestamp", "signature"];

/// What explains a refusal.
#[derive(Debug, Default)]
pub(super) struct Explained {
    /// The name of the secret that it is signed with.
    pub(super) secret: Option<String>,
    pub(super) causes: Vec<Cause>,
}

/// The three headers, by whatever name they came.
struct Signed<'a> {
    id: &'a str,
    timestamp: &'a str,
    signature: &'a str,
}

pub(super) fn explain(
    captured: &Captured,
    receiver: &Receiver<'_>,
    rule: &VerifyError,
) -> Explained {
    match rule {
        VerifyError::TooOld { age, .. } => {
            let found = format!("it was signed {} s before this time", age.as_secs());
            return of_time(CauseCode::Replayed.found(found));
        }
        VerifyError::TooNew { .. } if is_in_milliseconds(captured) => {
            let found = "svix-timestamp is in milliseconds";
            return of_time(CauseCode::TimestampInMilliseconds.found(found));
        }
        VerifyError::TooNew { ahead, .. } => {
            let found = format!("it was signed {} s after this time", ahead.as_secs());
            return of_time(CauseCode::Clock.found(found));
        }
        _ => {}
    }
    let (signed, renamed) = match signed(captured) {
        Ok(found) => found,
        Err(missing) => return Explained { secret: None, causes: vec![missing] },
    };
    let keys = keys::candidates(receiver.secrets, receiver.own);
    let bodies = bodies::candidates(&captured.body);
    let mut explained = fitting(&signed, &keys, &bodies)
        .unwrap_or_else(|| Explained { secret: None, causes: unsigned(captured) });
    explained.causes.splice(0..0, renamed);
    explained
}

fn is_in_milliseconds(captured: &Captured) -> bool {
    let text = captured.header("svix-timestamp").or_else(|| captured.header("webhook-timestamp"));
    let number = text.and_then(|text| text.parse::<u64>().ok());
    number.is_some_and(|number| number >= MILLISECONDS_FROM)
}

fn of_time(cause: Cause) -> Explained {
    Explained { secret: None, causes: vec![cause] }
}

/// The three headers of one family, and under which other names they came.
fn signed(captured: &Captured) -> Result<(Signed<'_>, Option<Cause>), Cause> {
    for family in ["svix", "webhook"] {
        let [id, timestamp, signature] =
            PARTS.map(|part| captured.header(&format!("{family}-{part}")));
        if let (Some(id), Some(timestamp), Some(signature)) = (id, timestamp, signature) {
            return Ok((Signed { id, timestamp, signature }, None));
        }
    }
    for family in ["svix", "webhook"] {
        let [id, timestamp, signature] =
            PARTS.map(|part| renamed(captured, &format!("{family}-{part}")));
        if let (Some(id), Some(timestamp), Some(signature)) = (id, timestamp, signature) {
            let names = [id.0, timestamp.0, signature.0].join(", ");
            let cause = CauseCode::HeaderRenamed.found(format!("the headers came as {names}"));
            let signed = Signed { id: id.1, timestamp: timestamp.1, signature: signature.1 };
            return Ok((signed, Some(cause)));
        }
    }
    let missing: Vec<_> = PARTS
        .iter()
        .map(|part| format!("svix-{part}"))
        .filter(|name| renamed(captured, name).is_none())
        .collect();
    Err(CauseCode::HeaderMissing.found(format!("there is no header {}", missing.join(", "))))
}

/// The header by its name, or by one that a proxy may have made of it.
fn renamed<'a>(captured: &'a Captured, wanted: &str) -> Option<(&'a str, &'a str)> {
    let found = captured.headers.iter().find(|(name, _)| {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let bare = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
        name == wanted || bare == Some(wanted)
    });
    found.map(|(name, value)| (name.as_str(), value.trim()))
}

/// The key, body and form that fit the signature with the fewest mistakes.
fn fitting(signed: &Signed<'_>, keys: &[Key], bodies: &[Body]) -> Option<Explained> {
    let times = times(signed.timestamp);
    let mut best: Option<Explained> = None;
    for body in bodies {
        for key in keys {
            for (seconds, in_milliseconds) in &times {
                let Some(form) = form(signed, key, *seconds, &body.bytes) else { continue };
                let causes = [key.cause.clone(), in_milliseconds.clone(), form];
                let causes: Vec<_> =
                    body.causes.iter().cloned().chain(causes.into_iter().flatten()).collect();
                if best.as_ref().is_none_or(|best| causes.len() < best.causes.len()) {
                    best = Some(Explained { secret: Some(key.name.clone()), causes });
                }
            }
        }
    }
    best
}

/// The number that was signed, and the mistake about it.
fn times(text: &str) -> Vec<(u64, Option<Cause>)> {
    let Ok(number) = text.parse::<u64>() else { return Vec::new() };
    if number < MILLISECONDS_FROM {
        return vec![(number, None)];
    }
    let cause = || {
        let found = format!("svix-timestamp is in milliseconds: {number}");
        Some(CauseCode::TimestampInMilliseconds.found(found))
    };
    vec![(number, cause()), (number / 1_000, cause())]
}

/// Whether one of the signatures is of this body by this key, and in which wrong form; `None` if none is.
fn form(signed: &Signed<'_>, key: &Key, seconds: u64, body: &[u8]) -> Option<Option<Cause>> {
    let made = key.signer.sign(signed.id, seconds, body);
    let expected = made.signature().split_once(',').map_or(made.signature(), |(_, text)| text);
    for token in signed.signature.split_ascii_whitespace() {
        if let Some(text) = token.strip_prefix("v1,")
            && text == expected
        {
            return Some(None);
        }
        let bare = ["v1,", "v1=", "sha256="]
            .iter()
            .find_map(|prefix| token.strip_prefix(prefix))
            .unwrap_or(token);
        let code = if bare == expected {
            CauseCode::SignatureWithoutVersion.found("the signature lacks `v1,` before it")
        } else if bare.trim_end_matches('=').replace('-', "+").replace('_', "/")
            == expected.trim_end_matches('=')
        {
            CauseCode::SignatureUrlSafe.found("the signature is in the URL-safe alphabet of base64")
        } else if bare.eq_ignore_ascii_case(&hex::encode(
            BASE64_STANDARD.decode(expected).unwrap_or_default(),
        )) {
            CauseCode::SignatureHex.found("the signature is hex")
        } else {
            continue;
        };
        return Some(Some(code));
    }
    None
}

/// What can be seen where no signature fits.
fn unsigned(captured: &Captured) -> Vec<Cause> {
    let length = captured.body.len();
    if length == 0 {
        return vec![CauseCode::BodyEmpty.found("the body is empty")];
    }
    let announced =
        captured.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if let Some(announced) = announced.filter(|announced| *announced > length) {
        let found = format!("content-length is {announced}, and the body has {length} bytes");
        return vec![CauseCode::BodyTruncated.found(found)];
    }
    if captured.is_parsed {
        let found = "the capture has the body as parsed JSON, whose signed text is lost";
        return vec![CauseCode::BodyParsed.found(found)];
    }
    let parsed = serde_json::from_slice::<serde::de::IgnoredAny>(&captured.body);
    if parsed.is_err_and(|error| error.is_eof()) {
        return vec![CauseCode::BodyTruncated.found("the body is JSON that ends in the middle")];
    }
    Vec::new()
}
