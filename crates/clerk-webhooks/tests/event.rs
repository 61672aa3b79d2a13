//! `Event`: the typed variant, or the reason why there is none.

use std::mem::size_of;

use clerk_webhooks::{Envelope, Event, EventData, EventType, OtherReason};

fn event(body: &str) -> Event {
    let envelope =
        Envelope::parse(body.as_bytes()).unwrap_or_else(|error| panic!("{body}: {error}"));
    Event::from_envelope("msg_1", 1_716_883_200, &envelope)
}

fn reason(event: &Event) -> Option<OtherReason> {
    match event.data {
        EventData::Other { reason } => Some(reason),
        _ => None,
    }
}

#[test]
fn has_the_envelope_and_the_entity() {
    let event = event(
        r#"{"type":"organizationMembership.deleted","timestamp":1654013847054,"instance_id":"ins_1","object":"event",
            "event_attributes":{"http_request":{"client_ip":"","user_agent":"okhttp/4.12.0"}},
            "data":{"id":"orgmem_1","organization":{"id":"org_1"},"public_user_data":{"user_id":"user_1"}}}"#,
    );
    assert_eq!(event.id, "msg_1");
    assert_eq!(event.event_type, EventType::OrganizationMembershipDeleted);
    assert_eq!(event.occurred_at.as_millis(), 1_654_013_847_054);
    assert_eq!(event.instance_id.as_deref(), Some("ins_1"));
    assert_eq!(event.subject.as_deref(), Some("orgmem_1"));
    let request =
        event.event_attributes.and_then(|attributes| attributes.http_request).expect("a request");
    assert_eq!(
        (request.client_ip.as_deref(), request.user_agent.as_deref()),
        (None, Some("okhttp/4.12.0"))
    );
    assert!(event.raw.get().starts_with(r#"{"id":"orgmem_1","#));
    let EventData::OrganizationMembershipDeleted(membership) = event.data else {
        panic!("{:?}", event.data)
    };
    assert_eq!(
        (membership.user_id(), membership.organization_id()),
        (Some("user_1"), Some("org_1"))
    );
}

#[test]
fn says_why_it_has_no_typed_form() {
    for (body, expected) in [
        (r#"{"type":"agent.created","data":{"id":"x"}}"#, OtherReason::UnknownType),
        (r#"{"type":"user.created"}"#, OtherReason::NoData),
        (r#"{"type":"user.created","data":null}"#, OtherReason::NoData),
        (r#"{"type":"user.created","data":[{"id":"x"}]}"#, OtherReason::NotAnObject),
        (r#"{"type":"user.created","data":"x"}"#, OtherReason::NotAnObject),
        (r#"{"type":"user.created","data":{}}"#, OtherReason::NoId),
        (r#"{"type":"user.created","data":{"id":7}}"#, OtherReason::NoId),
        (r#"{"type":"user.deleted","data":{"id":"","deleted":true}}"#, OtherReason::NoId),
    ] {
        let event = event(body);
        assert_eq!(reason(&event), Some(expected), "{body}");
        assert_eq!(event.occurred_at.as_seconds(), 1_716_883_200, "{body}");
        let data = body.split_once("\"data\":").map_or("null", |(_, data)| &data[..data.len() - 1]);
        assert_eq!(event.raw.get(), data);
    }
}

#[test]
fn a_value_that_nothing_can_hold_costs_only_itself() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for value in ["1e400", "-1e400", r#""\ud800""#, r#"{"\udc00":1}"#, &deep] {
        let body = format!(
            r#"{{"type":"user.created","data":{{"id":"user_1","public_metadata":{value},"new":{value},"username":"ada"}}}}"#
        );
        let event = event(&body);
        let start = &value[..value.len().min(20)];
        let EventData::UserCreated(user) = &event.data else { panic!("{start}: {:?}", event.data) };
        assert_eq!(
            (user.id.as_str(), user.username.as_deref()),
            ("user_1", Some("ada")),
            "{start}"
        );
        assert!(user.public_metadata.is_none() && user.extra.is_empty(), "{start}");
        assert!(event.raw.get().contains(value), "{start}");
    }
}

#[test]
fn big_numbers_are_read_as_far_as_they_go() {
    let event = event(
        r#"{"type":"user.updated","data":{"id":"user_1","public_metadata":{"n":123456789012345678901234567890,
            "u":18446744073709551615},"created_at":123456789012345678901234567890,"last_active_at":18446744073709551615}}"#,
    );
    let EventData::UserUpdated(user) = &event.data else { panic!("{:?}", event.data) };
    let metadata = user.public_metadata.as_ref().expect("metadata");
    assert_eq!(metadata["n"].as_f64(), Some(1.234_567_890_123_456_8e29));
    assert_eq!(metadata["u"].as_u64(), Some(u64::MAX));
    assert_eq!((user.created_at, user.last_active_at), (None, None));
    assert_eq!(user.extra.len(), 2);
}

#[test]
fn depth_does_not_overflow() {
    let depth = 100_000;
    for (open, close) in [("[", "]"), ("{\"id\":", "}"), ("{\"data\":", "}")] {
        let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        for event_type in EventType::KNOWN {
            let body =
                format!(r#"{{"type":"{event_type}","event_attributes":{nested},"data":{nested}}}"#);
            assert!(reason(&event(&body)).is_some(), "{event_type}");
        }
    }
}

#[test]
fn debug_shows_no_codes() {
    for body in [
        r#"{"type":"sms.created","data":{"id":"sms_1","message":"428571","data":{"otp_code":"428571"}}}"#,
        r#"{"type":"email.created","data":{"id":"ema_1","subject":"428571","new":"428571"}}"#,
        r#"{"type":"email.created","data":{"subject":"428571"}}"#,
        r#"{"type":"emails.created","data":{"id":"ema_1","body":"428571"}}"#,
    ] {
        let shown = format!("{:?}", event(body));
        assert!(!shown.contains("428571"), "{shown}");
    }
}

#[test]
fn stays_small() {
    assert!(size_of::<EventData>() <= 16, "{} bytes", size_of::<EventData>());
}
