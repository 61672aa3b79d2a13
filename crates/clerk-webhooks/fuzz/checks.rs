//! What the fuzz targets check, as plain functions: `tests/fuzz.rs` runs them on random and on chosen input in every test run.
//!
//! A request is written as lines, `name: value`, then an empty line and the body, so that a fuzzer's dictionary is the
//! protocol itself. `%` in a value stands for a good signature, which no fuzzer would find.
#![allow(dead_code, reason = "each target uses one")]

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clerk_webhooks::{
    Envelope, Event, EventHead, HeaderFamily, NotAnEvent, Secret, SignatureHeaders, Verifier,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::Sha256;

const KEY: &[u8] = b"the key of the fuzz targets";
const NOW: u64 = 1_700_000_000;
const TOLERANCE: u64 = 300;

type Lines = Vec<(String, Vec<u8>)>;

/// The header lines of a request, with lower-case names, and its body.
fn split(data: &[u8]) -> (Lines, &[u8]) {
    let mut lines = Lines::new();
    let mut rest = data;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        lines.push((name, line.get(colon + 1..).unwrap_or_default().to_vec()));
    }
    (lines, rest)
}

fn values<'a>(lines: &'a Lines, name: &str) -> Vec<&'a [u8]> {
    lines.iter().filter(|line| line.0 == name).map(|line| line.1.as_slice()).collect()
}

/// What is taken of any lines keeps the rules, and is the same from a map as from a function.
pub(crate) fn headers(data: &[u8]) {
    let (lines, _) = split(data);
    let found = SignatureHeaders::from_fn(|name| values(&lines, name));
    if let Ok(found) = &found {
        let family = found.family();
        for (name, value) in [(family.id(), found.id()), (family.timestamp(), found.timestamp())] {
            let [line] = values(&lines, name)[..] else { panic!("{name} was taken of {lines:?}") };
            assert_eq!(value.as_bytes(), line.trim_ascii());
            assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')), "{value:?}");
        }
        for token in found.signatures() {
            assert!(!token.is_empty() && !token.iter().any(|byte| matches!(byte, b' ' | b'\t')));
        }
    }
    let Some(map) = map(&lines) else { return };
    let same = SignatureHeaders::from_map(&map);
    assert_eq!(format!("{same:?}"), format!("{found:?}"));
}

/// None, where a line can be no header.
fn map(lines: &Lines) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        map.append(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(map)
}

/// The verdict on any request is the one that a plain reading of the rules gives.
pub(crate) fn verify(data: &[u8]) {
    let (mut lines, body) = split(data);
    sign_where_asked(&mut lines, body);
    let verifier = Verifier::new(Secret::from_bytes(KEY).expect("it is not empty"));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let found = SignatureHeaders::from_fn(|name| values(&lines, name)).and_then(|headers| {
        verifier.verify_headers(&headers, body, now).map(|it| it.id().to_owned())
    });
    let expected = plain_reading(&lines, body);
    assert_eq!(found.as_ref().ok(), expected.as_ref(), "{found:?} {lines:?}");
}

fn mac(id: &[u8], timestamp: &[u8], body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).expect("any length will do");
    mac.update(&[id, b".", timestamp, b".", body].concat());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Puts the signature of the request's first id and timestamp where a value has a `%`.
fn sign_where_asked(lines: &mut Lines, body: &[u8]) {
    for family in [HeaderFamily::Svix, HeaderFamily::Webhook] {
        let first = |name| values(lines, name).first().map(|value| value.trim_ascii().to_vec());
        let (Some(id), Some(timestamp)) = (first(family.id()), first(family.timestamp())) else {
            continue;
        };
        let mac = mac(&id, &timestamp, body);
        for (_, value) in lines.iter_mut().filter(|line| line.0 == family.signature()) {
            let parts: Vec<&[u8]> = value.split(|byte| *byte == b'%').collect();
            *value = parts.join(mac.as_bytes());
        }
    }
}

/// The id, where the request is good. Written to be read, with none of the library's code.
fn plain_reading(lines: &Lines, body: &[u8]) -> Option<String> {
    let trimmed = |name: String| -> Vec<Vec<u8>> {
        values(lines, &name).iter().map(|value| value.trim_ascii().to_vec()).collect()
    };
    let families = ["svix", "webhook"].map(|family| {
        ["id", "timestamp", "signature"].map(|part| trimmed(format!("{family}-{part}")))
    });
    let is_whole = |family: &[Vec<Vec<u8>>; 3]| {
        family.iter().all(|values| values.iter().any(|value| !value.is_empty()))
    };
    let [ids, timestamps, signatures] = families.into_iter().find(is_whole)?;
    let ([id], [timestamp]) = (&ids[..], &timestamps[..]) else { return None };
    let id_text = String::from_utf8(id.clone()).ok()?;
    if !id_text.chars().all(|c| c == '\t' || (' '..='~').contains(&c)) {
        return None;
    }
    let digits = timestamp.iter().all(u8::is_ascii_digit).then_some(timestamp)?;
    let seconds: u64 = String::from_utf8(digits.clone()).ok()?.parse().ok()?;
    let good = format!("v1,{}", mac(id, timestamp, body));
    let matches = signatures
        .iter()
        .flat_map(|line| line.split(|byte| matches!(byte, b' ' | b'\t')))
        .any(|token| token == good.as_bytes());
    (matches && seconds.abs_diff(NOW) <= TOLERANCE).then_some(id_text)
}

/// Any text is a secret, or an error that does not repeat it.
pub(crate) fn secret(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Secret::parse(text) {
        Ok(secret) => assert!(format!("{secret:?}").ends_with("redacted)")),
        Err(error) => assert!(!error.code().is_empty() && !error.to_string().is_empty()),
    }
    match Secret::parse_list(text) {
        Ok(list) => assert!(!list.is_empty()),
        Err(error) => assert!(error.position > 0),
    }
}

/// Any bytes are an event, or the reason why not; and what a plain JSON parser sees is what is seen here.
pub(crate) fn event(data: &[u8]) {
    let envelope = Envelope::parse(data);
    assert_eq!(EventHead::parse(data), envelope.clone().map(EventHead::from));
    let plain = serde_json::from_slice::<serde_json::Value>(data).ok();
    let envelope = match envelope {
        Ok(envelope) => envelope,
        Err(error) => {
            let plain_type = plain.as_ref().and_then(|json| json["type"].as_str());
            assert!(plain_type.unwrap_or_default().is_empty(), "{error}");
            if plain.is_some() {
                assert!(!matches!(error, NotAnEvent::NotUtf8 { .. } | NotAnEvent::NotJson { .. }));
            }
            return;
        }
    };
    if let Some(plain) = plain {
        assert_eq!(plain["type"].as_str(), Some(&*envelope.event_type));
        let id = plain["data"]["id"].as_str().filter(|id| !id.is_empty());
        assert_eq!(id, envelope.subject().as_deref());
    }
    let event = Event::from_envelope("msg_1", NOW, &envelope);
    assert_eq!(event.event_type.as_str(), &*envelope.event_type);
    let mut printed = String::new();
    write!(printed, "{event:?} {}", event.occurred_at).expect("a string takes any text");
}
