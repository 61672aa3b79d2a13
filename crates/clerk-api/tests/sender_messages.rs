//! Messages of the sender: listed, and sent again.

use std::time::Duration;

use clerk_api::sender::{AttemptStatus, Message, SendAgainError, SenderSession, TimeRange};
use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::sender_api::{
    Fault, SenderApi, SenderApiOptions, SentMessage, SimulatedEndpoint,
};

use super::support::{START_MS, client_of, session_with};

/// Longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Message of this number: one a second.
fn message(number: i64) -> SentMessage {
    SentMessage {
        id: format!("msg_{number:03}"),
        event_type: "user.created".to_owned(),
        at_ms: START_MS + number * 1_000,
        body: Some(format!(r#"{{"type":"user.created","number":{number}}}"#).into()),
    }
}

async fn with_messages(count: i64) -> (SenderApi, SenderSession) {
    let (api, session) = session_with(SenderApiOptions::default()).await;
    (0..count).for_each(|number| api.insert_message(message(number)));
    (api, session)
}

async fn all(session: &SenderSession, range: TimeRange) -> Vec<Message> {
    let (mut all, mut iterator) = (Vec::new(), None);
    loop {
        let page = session.messages(range, iterator.as_deref()).await.unwrap();
        all.extend(page.items);
        iterator = page.next;
        if iterator.is_none() {
            return all;
        }
    }
}

#[tokio::test]
async fn messages_come_newest_first_to_the_end() {
    let (_api, session) = with_messages(601).await;
    let found = all(&session, TimeRange::default()).await;
    let ids: Vec<_> = found.iter().map(|message| message.id.as_str()).collect();
    assert_eq!((ids.len(), ids[0], ids[600]), (601, "msg_600", "msg_000"));
    assert_eq!(found[0].timestamp, START_MS + 600_000);
    assert_eq!(found[0].event_type, "user.created");
    let payload = found[0].payload.as_ref().unwrap();
    assert!(payload.get().contains("600"), "{payload}");
    assert!(!format!("{:?}", found[0]).contains("number"), "{:?}", found[0]);
}

#[tokio::test]
async fn one_is_found_by_its_id() {
    let (_api, session) = with_messages(3).await;
    let found = session.message("msg_001").await.unwrap().unwrap();
    assert_eq!((&*found.id, found.timestamp), ("msg_001", START_MS + 1_000));
    assert!(found.payload.unwrap().get().contains("\"number\":1"));
    assert!(session.message("msg_009").await.unwrap().is_none());
    assert!(session.message("../endpoint").await.is_err(), "an id makes no path");
}

#[tokio::test]
async fn a_time_range_bounds_them() {
    let (_api, session) = with_messages(10).await;
    let at = |number: i64| Some(START_MS + number * 1_000);
    for (after, before, expected) in
        [(None, None, 10), (at(6), None, 3), (None, at(2), 2), (at(2), at(5), 2), (at(9), None, 0)]
    {
        let found = all(&session, TimeRange { after, before }).await;
        assert_eq!(found.len(), expected, "{after:?} to {before:?}");
    }
}

#[tokio::test]
async fn there_is_no_payload_where_it_is_not_asked_for_or_not_kept() {
    let (api, session) = with_messages(1).await;
    api.insert_message(SentMessage { body: None, ..message(1) });
    let ids = session.message_ids(TimeRange::default(), None).await.unwrap().items;
    assert!(ids.iter().all(|message| message.payload.is_none()), "{ids:?}");
    let [expired, kept] = &all(&session, TimeRange::default()).await[..] else { panic!("two") };
    assert!(expired.payload.is_none());
    assert!(kept.payload.is_some());
}

#[tokio::test]
async fn a_message_is_sent_again_and_the_attempt_is_listed() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let (api, session) = with_messages(3).await;
    let endpoint = SimulatedEndpoint::new(&receiver.url());
    api.insert_endpoint(endpoint.clone());
    session.resend("msg_001", &endpoint.id).await.unwrap();
    tokio::time::timeout(TIMEOUT, api.wait_for_attempts(1)).await.unwrap();
    let [received] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(received.message_id, "msg_001");
    assert_eq!(received.body, message(1).body.unwrap());

    let attempts = session.attempts(&endpoint.id, TimeRange::default(), None).await.unwrap();
    let [attempt] = &attempts.items[..] else { panic!("one attempt") };
    assert_eq!((&*attempt.msg_id, attempt.response_status), ("msg_001", 200));
    assert_eq!(attempt.status, AttemptStatus::Succeeded);
    assert!(attempts.next.is_none());

    let error = session.resend("msg_unknown", &endpoint.id).await.unwrap_err();
    assert_eq!(error.api_error().unwrap().status, 404);
    let error = session.resend("msg_1/..", &endpoint.id).await.unwrap_err();
    assert!(matches!(error, SendAgainError::Id(_)), "{error:?}");
}

#[tokio::test]
async fn failed_messages_of_a_time_are_sent_again() {
    let receiver = Receiver::start(|received| match received.attempt {
        1 => Reply::Status(500),
        _ => Reply::Status(200),
    });
    let receiver = receiver.await.unwrap();
    let (api, session) = with_messages(0).await;
    let endpoint = SimulatedEndpoint::new(&receiver.url());
    api.insert_endpoint(endpoint.clone());
    (0..3).for_each(|number| api.publish(&message(number)));
    tokio::time::timeout(TIMEOUT, api.wait_for_attempts(3)).await.unwrap();
    let attempts = session.attempts(&endpoint.id, TimeRange::default(), None).await.unwrap();
    let is_failed = |status| status == AttemptStatus::Failed;
    assert!(attempts.items.iter().all(|attempt| is_failed(attempt.status)), "{attempts:?}");

    let until = Some(START_MS + 2_000);
    session.recover(&endpoint.id, START_MS + 1_000, until).await.unwrap();
    tokio::time::timeout(TIMEOUT, api.wait_for_attempts(4)).await.unwrap();
    session.recover(&endpoint.id, START_MS, None).await.unwrap();
    tokio::time::timeout(TIMEOUT, api.wait_for_attempts(6)).await.unwrap();
    let last: Vec<_> = api.attempts()[3..].iter().map(|one| one.message_id.clone()).collect();
    assert_eq!(last[0], "msg_001");
    assert!(last.contains(&"msg_000".to_owned()) && last.contains(&"msg_002".to_owned()));
}

#[tokio::test]
async fn the_senders_rate_limit_is_waited_for() {
    let api = SenderApi::start(SenderApiOptions::default(), |request| match request.number {
        3 => Fault::RateLimited(Duration::ZERO),
        4 => Fault::Status(502),
        _ => Fault::None,
    });
    let api = api.await.unwrap();
    let session = client_of(&api).sender_session().await.unwrap();
    assert!(session.messages(TimeRange::default(), None).await.unwrap().items.is_empty());
    assert_eq!(api.requests().len(), 5);
}
