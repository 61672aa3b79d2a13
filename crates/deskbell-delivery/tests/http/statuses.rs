//! Statuses, as they come over the wire; `outcome.rs` has the table.

use std::time::Duration;

use deskbell_delivery::Outcome;

use super::support::{LONG, Receiver, attempt, retry_reason};

async fn outcome_of(answer: &str) -> Outcome {
    let receiver = Receiver::answering(answer).await;
    attempt(&receiver.channel(), LONG).await.outcome
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let other = Receiver::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
            other.url()
        );
        let receiver = Receiver::answering(answer).await;
        let attempt = attempt(&receiver.channel(), LONG).await;
        let reason = retry_reason(&attempt);
        assert!(reason.ends_with("and redirects are not followed"), "{reason}");
        assert_eq!((attempt.status, other.connections()), (Some(status), 0));
    }
}

#[tokio::test]
async fn an_early_hint_is_not_the_answer() {
    let answer = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(outcome_of(answer).await, Outcome::Delivered);
}

#[tokio::test]
async fn a_receiver_that_wants_another_protocol() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n";
    assert!(matches!(outcome_of(answer).await, Outcome::Retry { .. }));
}

#[tokio::test]
async fn not_modified_is_no_success() {
    let reason = "the receiver answered 304 Not Modified, and redirects are not followed";
    let outcome = Outcome::Retry { after: None, reason: reason.to_owned() };
    assert_eq!(outcome_of("HTTP/1.1 304 Not Modified\r\n\r\n").await, outcome);
}

#[tokio::test]
async fn what_the_receiver_asks_for() {
    let busy = |line: &str| {
        format!("HTTP/1.1 429 Too Many Requests\r\n{line}\r\ncontent-length: 0\r\n\r\n")
    };
    let reason = "the receiver answered 429 Too Many Requests".to_owned();
    let after = Some(Duration::from_secs(7));
    let outcome = Outcome::Retry { after, reason };
    assert_eq!(outcome_of(&busy("Retry-After: 7")).await, outcome);
    let outcome = outcome_of(&busy("webhook-delivery: abort-message")).await;
    assert!(matches!(outcome, Outcome::Reject { .. }), "{outcome:?}");
    let outcome = outcome_of("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await;
    assert!(matches!(outcome, Outcome::Gone { .. }), "{outcome:?}");
}
