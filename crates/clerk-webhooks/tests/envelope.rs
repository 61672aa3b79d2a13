//! `Envelope::parse` and `EventHead::parse`: what they accept, what they refuse and why, and how deep they can go.

use clerk_webhooks::{Envelope, EventHead, NotAnEvent, UnixMillis};
use serde_json::value::RawValue;

fn parse(body: &str) -> Envelope<'_> {
    parse_both(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error}"))
}

/// The envelope; the head says the same.
fn parse_both(body: &[u8]) -> Result<Envelope<'_>, NotAnEvent> {
    let envelope = Envelope::parse(body);
    assert_eq!(EventHead::parse(body), envelope.clone().map(EventHead::from));
    envelope
}

#[test]
fn reads_a_whole_delivery() {
    let envelope = parse(
        r#"{"data":{"id":"user_1","first_name":null},"object":"event","type":"user.created","timestamp":1654012591835,
            "instance_id":"ins_1","event_attributes":{"http_request":{"client_ip":"::1","user_agent":""}}}"#,
    );
    assert_eq!(envelope.event_type, "user.created");
    assert_eq!(envelope.timestamp.map(UnixMillis::as_millis), Some(1_654_012_591_835));
    assert_eq!(envelope.instance_id.as_deref(), Some("ins_1"));
    assert_eq!(envelope.data.map(RawValue::get), Some(r#"{"id":"user_1","first_name":null}"#));
    assert!(envelope.event_attributes.is_some());
    assert_eq!(envelope.subject().as_deref(), Some("user_1"));
    assert_eq!(envelope.occurred_at(7).as_millis(), 1_654_012_591_835);
}

#[test]
fn only_the_type_is_required() {
    let envelope = parse(r#" {"type":"user.created"} "#);
    assert_eq!((envelope.timestamp, envelope.instance_id.as_deref()), (None, None));
    assert!(envelope.data.is_none() && envelope.event_attributes.is_none());
    assert_eq!(envelope.subject(), None);
    assert_eq!(envelope.occurred_at(1_716_883_200).as_millis(), 1_716_883_200_000);
    assert!(envelope.occurred_at(u64::MAX).as_millis() > 0);
}

#[test]
fn reads_odd_members_as_far_as_they_go() {
    for (member, millis) in [
        (r#""1654012591835""#, Some(1_654_012_591_835)),
        (r#""2022-05-31T15:56:31.835Z""#, Some(1_654_012_591_835)),
        ("1654012591", Some(1_654_012_591_000)),
        ("1654012591.835", Some(1_654_012_591_835)),
        ("1654012591835.0", Some(1_654_012_591_835)),
        ("0", None),
        ("-5", None),
        ("null", None),
        ("true", None),
        ("[]", None),
        ("1e400", None),
        ("123456789012345678901234567890", None),
        (r#""0001-01-01T00:00:00Z""#, None),
    ] {
        let body = format!(r#"{{"type":"t","timestamp":{member}}}"#);
        assert_eq!(parse(&body).timestamp.map(UnixMillis::as_millis), millis, "{member}");
    }
    for member in ["5", "null", "{}", r#""""#, "[\"ins_1\"]"] {
        let body =
            format!(r#"{{"type":"t","instance_id":{member},"object":7,"event_attributes":3}}"#);
        assert_eq!(parse(&body).instance_id, None, "{member}");
    }
}

#[test]
fn finds_the_subject_and_nothing_that_only_looks_like_it() {
    for (data, subject) in [
        (r#"{"id":"user_1"}"#, Some("user_1")),
        (r#"{"organization":{"id":"org_1"},"id":"orgmem_1"}"#, Some("orgmem_1")),
        (r#"{"\u0069d":"user\u005f1"}"#, Some("user_1")),
        (r#"{"id":"a","id":"b"}"#, Some("b")),
        (r#"{"id":"a","id":null}"#, None),
        (r#"{"\ud800":1,"id":"user_1"}"#, Some("user_1")),
        (r#"{"id":7}"#, None),
        (r#"{"id":""}"#, None),
        (r#"{"id":{"id":"x"}}"#, None),
        (r#"{"data":{"id":"x"}}"#, None),
        (r#"{"ID":"x"}"#, None),
        (r#"[{"id":"x"}]"#, None),
        (r#""id""#, None),
        ("null", None),
        ("1e999", None),
        (r#""\ud800""#, None),
    ] {
        let body = format!(r#"{{"type":"t","id":"msg","data":{data}}}"#);
        assert_eq!(parse(&body).subject().as_deref(), subject, "{data}");
    }
}

#[test]
fn the_last_of_a_repeated_member_counts() {
    let envelope = parse(r#"{"type":"a","data":{"id":"1"},"type":"b","data":{"id":"2"}}"#);
    assert_eq!((&*envelope.event_type, envelope.subject().as_deref()), ("b", Some("2")));
    assert_eq!(parse_both(br#"{"type":"a","type":null}"#).unwrap_err(), NotAnEvent::NoType);
}

#[test]
fn the_event_type_is_the_envelopes_own() {
    let envelope = parse(r#"{"data":{"type":"user","id":"perm_1"},"type":"permission.created"}"#);
    assert_eq!(envelope.event_type, "permission.created");
    assert_eq!(parse(r#"{"\u0074ype":"user\u002ecreated"}"#).event_type, "user.created");
    for (written, read) in [
        (r"a\ud800", "a\u{fffd}"),
        (r"\ud800\udbffb", "\u{fffd}\u{fffd}b"),
        (r"a\udc00é\ud83d\ude00", "a\u{fffd}é😀"),
    ] {
        assert_eq!(parse(&format!(r#"{{"type":"{written}"}}"#)).event_type, read, "{written}");
    }
}

#[test]
fn says_why_a_body_is_no_event() {
    for (body, code) in [
        (&b"{\"type\":\"t\",\"data\":{\"id\":\"x\",\"a\":\"\xff\"}}"[..], "not_utf8"),
        (b"{\"type\":\"t\",\"data\":{\"id\":\"x\",\"a\nb\":1}}", "not_json"),
        (b"{\"type\":\"t\",\"data\":{\"id\":\"x\",\"a\":tru}}", "not_json"),
        (b"", "not_json"),
        (b"  ", "not_json"),
        (b"user.created", "not_json"),
        (b"{\"type\":\"t\"", "not_json"),
        (b"{\"type\":\"t\"} x", "not_json"),
        (b"{\"type\":\"t\",}", "not_json"),
        (b"\xef\xbb\xbf{\"type\":\"t\"}", "not_json"),
        (b"{\"type\":\"t\",\"data\":{\"a\":01}}", "not_json"),
        (b"{\"type\":\"t\",\"a\nb\":1}", "not_json"),
        (b"{\"type\":\"t\nt\"}", "not_json"),
        (b"{\"type\":\"t\",1:1}", "not_json"),
        (b"[1,", "not_json"),
        (b"{\"type\":\"\xff\"}", "not_utf8"),
        (b"[{\"type\":\"t\"}]", "not_an_object"),
        (b"\"user.created\"", "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "no_type"),
        (b"{\"type\":null}", "no_type"),
        (b"{\"event\":\"user.created\"}", "no_type"),
        (b"{\"type\":5}", "type_not_text"),
        (b"{\"type\":{\"a\":\"b\"}}", "type_not_text"),
        (b"{\"type\":\"\"}", "empty_type"),
    ] {
        let error = parse_both(body).expect_err(&String::from_utf8_lossy(body));
        assert_eq!(error.code(), code, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn says_where_the_json_is_broken() {
    let error = parse_both(b"{\n  \"type\": \"t\",\n  \"data\": secret\n}").unwrap_err();
    let NotAnEvent::NotJson { line, column, ref reason } = error else { panic!("{error:?}") };
    assert_eq!((line, column), (3, 11));
    assert!(
        reason.contains("line 3 column 11") && !error.to_string().contains("secret"),
        "{error}"
    );
}

#[test]
fn depth_neither_overflows_nor_refuses() {
    let depth = 100_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let body = format!(r#"{{"data":{{"id":"user_1","m":{nested}}},"x":{nested},"type":"t"}}"#);
        let envelope = parse(&body);
        assert_eq!(envelope.subject().as_deref(), Some("user_1"));
        assert!(parse_both(nested.as_bytes()).is_err());
    }
}

#[test]
fn debug_shows_no_payload() {
    let body = r#"{"type":"sms.created","data":{"message":"123456"},"event_attributes":{"ip":"10.9.8.7"}}"#;
    let shown = format!("{:?}", parse(body));
    assert!(shown.contains("sms.created") && shown.contains("data_bytes: Some(20)"), "{shown}");
    assert!(!shown.contains("123456") && !shown.contains("10.9.8.7"), "{shown}");
}
