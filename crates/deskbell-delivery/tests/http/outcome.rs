//! What follows from a reply: the table.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deskbell_delivery::{Outcome, reply_outcome};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::support::SENT_AT;

const DAY: u64 = 24 * 3600;

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(SENT_AT)
}

fn outcome(status: u16, lines: &[(&'static str, &[u8])]) -> Outcome {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_bytes(value).unwrap());
    }
    reply_outcome(StatusCode::from_u16(status).unwrap(), &headers, now())
}

#[test]
fn of_every_status() {
    for status in 100..1000 {
        let kind = match outcome(status, &[]) {
            Outcome::Delivered => "delivered",
            Outcome::Retry { after: None, .. } => "retry",
            Outcome::Retry { .. } | Outcome::Reject { .. } => "other",
            Outcome::Gone { .. } => "gone",
        };
        let wanted = match status {
            200..=299 => "delivered",
            410 => "gone",
            _ => "retry",
        };
        assert_eq!(kind, wanted, "{status}");
    }
}

#[test]
fn the_words() {
    for (status, words) in [
        (500, "the receiver answered 500 Internal Server Error"),
        (404, "the receiver answered 404 Not Found"),
        (599, "the receiver answered 599"),
        (302, "the receiver answered 302 Found, and redirects are not followed"),
    ] {
        let wanted = Outcome::Retry { after: None, reason: words.to_owned() };
        assert_eq!(outcome(status, &[]), wanted);
    }
    let gone = Outcome::Gone { reason: "the receiver answered 410 Gone".to_owned() };
    assert_eq!(outcome(410, &[("retry-after", b"5")]), gone);
}

#[test]
fn what_retry_after_asks_for() {
    let date = |seconds| httpdate::fmt_http_date(now() + Duration::from_secs(seconds));
    let past = httpdate::fmt_http_date(now() - Duration::from_secs(60));
    for (text, seconds) in [
        ("0", Some(0)),
        ("120", Some(120)),
        (" 120 ", Some(120)),
        ("86400", Some(DAY)),
        ("86401", Some(DAY)),
        ("99999999999999999999999999", Some(DAY)),
        (&"9".repeat(5_000), Some(DAY)),
        (&date(90), Some(90)),
        (&date(0), Some(0)),
        (&date(30 * DAY), Some(DAY)),
        (&past, None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(DAY)),
        ("1e300", None),
        ("-1", None),
        ("+5", None),
        ("1.5", None),
        ("", None),
        ("soon", None),
        ("NaN", None),
        ("5 minutes", None),
        ("Fri, 99 Foo 2023 99:99:99 GMT", None),
    ] {
        for status in [429, 503, 500, 302] {
            let found = outcome(status, &[("retry-after", text.as_bytes())]);
            let Outcome::Retry { after, .. } = found else { panic!("{found:?}") };
            assert_eq!(after, seconds.map(Duration::from_secs), "{status} {text}");
        }
    }
    let not_text = outcome(503, &[("retry-after", b"\xff\xfe")]);
    assert!(matches!(not_text, Outcome::Retry { after: None, .. }));
}

#[test]
fn a_receiver_may_end_the_attempts_at_a_message() {
    let ended = |status, value: &[u8]| outcome(status, &[("webhook-delivery", value)]);
    for value in [&b"abort-message"[..], b"Abort-Message", b" abort-message "] {
        for status in [400, 422, 500, 503] {
            let found = ended(status, value);
            let Outcome::Reject { reason } = found else { panic!("{found:?}") };
            assert!(reason.ends_with(", and asked for no more attempts"), "{reason}");
        }
    }
    assert_eq!(ended(200, b"abort-message"), Outcome::Delivered);
    assert!(matches!(ended(410, b"abort-message"), Outcome::Gone { .. }));
    for value in [&b""[..], b"abort", b"\xff"] {
        assert!(matches!(ended(400, value), Outcome::Retry { .. }));
    }
}
