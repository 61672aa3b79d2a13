//! Clerk's sender itself, without a server of ours.

use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::sender_api::{Fault, SenderApi, SenderApiOptions, SentMessage};
use tokio::process::Command;

use super::super::support::{deskbell, directory, within};
use super::handler::{LOCAL_SECRET, verified};
use super::{Listener, now_ms};

fn message(number: u32, event_type: &str) -> SentMessage {
    let at_ms = i64::try_from(now_ms()).unwrap();
    let body = format!(
        r#"{{"data":{{"id":"user_{number}","object":"user"}},"object":"event","timestamp":{at_ms},"type":"{event_type}"}}"#
    );
    let (id, event_type) = (format!("msg_{number}"), event_type.to_owned());
    SentMessage { id, event_type, at_ms, body: Some(body.into()) }
}

#[tokio::test]
async fn messages_of_clerks_sender_reach_a_handler() {
    let api = SenderApi::start(SenderApiOptions::default(), |_| Fault::None).await.unwrap();
    let handler = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    for (number, event_type) in [(1, "user.created"), (2, "email.created")] {
        api.insert_message(message(number, event_type));
    }
    let directory = directory();
    let mut command: Command = deskbell(directory.path());
    command
        .env("CLERK_SECRET_KEY", "sk_test_SimulatedByDeskbell")
        .env("CLERK_API_URL", api.clerk_url())
        .env("CLERK_SENDER_URL", api.sender_url())
        .args(["listen", "--secret", LOCAL_SECRET, "--from", "clerk"])
        .args(["--forward-to", &handler.url(), "--replay", "msg_1"]);
    let mut listener = Listener::start(command).await;
    within(handler.wait_for(1)).await;
    api.insert_message(message(3, "user.updated"));
    api.insert_message(message(4, "sms.created"));
    within(handler.wait_for(2)).await;
    // The session ends by itself after some hours.
    api.end_sessions();
    api.insert_message(message(5, "user.deleted"));
    within(handler.wait_for(3)).await;
    let ids: Vec<_> = handler.received().into_iter().map(|request| request.message_id).collect();
    assert_eq!(ids, ["msg_1", "msg_3", "msg_5"], "what was there before is not sent");
    for request in handler.received() {
        verified(&request).unwrap();
    }
    loop {
        let line = listener.line().await;
        if line.contains("sms.created") {
            assert!(line.contains("one-time code"), "{line}");
            break;
        }
    }
    assert_eq!(listener.interrupt().await, 0);
}
