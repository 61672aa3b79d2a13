//! The envelope around a payload, written as Clerk's backend (in Go) writes JSON: compact, keys sorted, `<`, `>` and `&` escaped.

use std::io;

use bytes::Bytes;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::names;

const BODY_BYTES_TYPICAL: usize = 2048;

const USER_AGENTS: &[&str] = &[
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "clerk/clerk-sdk-go@v2.0.0",
    "okhttp/4.12.0",
    "",
];

/// What surrounds the data of one event.
#[derive(Serialize)]
pub(crate) struct Envelope<'a, T> {
    pub(crate) data: &'a T,
    pub(crate) event_attributes: EventAttributes,
    pub(crate) instance_id: &'a str,
    pub(crate) object: &'static str,
    pub(crate) timestamp: i64,
    pub(crate) r#type: &'static str,
}

#[derive(Serialize)]
pub(crate) struct EventAttributes {
    http_request: HttpRequest,
}

#[derive(Serialize)]
struct HttpRequest {
    client_ip: String,
    user_agent: &'static str,
}

/// The data of a `….deleted` event: no more than the id, and no time of its own.
#[derive(Serialize)]
pub(crate) struct DeletedObject<'a> {
    pub(crate) deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) external_id: Option<&'a str>,
    pub(crate) id: &'a str,
    pub(crate) object: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) slug: Option<&'a str>,
}

impl EventAttributes {
    pub(crate) fn draw(rng: &mut ChaCha8Rng) -> Self {
        let client_ip = match rng.random_range(0..10) {
            0 => String::new(),
            1..=3 => format!("2001:db8::{:x}", rng.random::<u16>()),
            _ => format!("203.0.113.{}", rng.random::<u8>()),
        };
        Self { http_request: HttpRequest { client_ip, user_agent: names::pick(USER_AGENTS, rng) } }
    }
}

impl<T: Serialize> Envelope<'_, T> {
    /// The body that is signed and sent.
    pub(crate) fn to_body(&self) -> Bytes {
        let mut body = Vec::with_capacity(BODY_BYTES_TYPICAL);
        let written = self.serialize(&mut Serializer::with_formatter(&mut body, GoFormatter));
        debug_assert!(written.is_ok(), "a payload has text keys only, and memory takes every byte");
        body.into()
    }
}

/// Compact JSON with the escapes that Go's `encoding/json` makes by default.
struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            let (plain, special) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut letters = special.chars();
            if let Some(letter) = letters.next() {
                write!(writer, "\\u{:04x}", u32::from(letter))?;
            }
            rest = letters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn go_escapes_are_written_and_read_back() {
        let data = json!({"b": "R&D <core>\u{2028}é\"\n", "a": "plain"});
        let mut body = Vec::new();
        data.serialize(&mut Serializer::with_formatter(&mut body, GoFormatter)).unwrap();
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains(r#""R\u0026D \u003ccore\u003e\u2028é\"\n""#), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), data);
    }
}
