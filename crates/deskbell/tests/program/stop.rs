//! How long the program takes to stop, with and without something in its hands.

use std::time::{Duration, Instant};

use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::{Message, Scenario, World};

use super::support::{Serving, forwarding_to, http_client, send, within};

/// Without anything in flight.
const IDLE_STOP_MAX: Duration = Duration::from_secs(1);
/// The grace period of 10 s, and what a busy machine takes beside it.
const STOP_MAX: Duration = Duration::from_secs(12);

#[tokio::test]
async fn an_idle_program_stops_at_once() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    forwarding_to(directory.path(), &receiver.url(), "");
    let serving = Serving::start(directory.path()).await;
    assert_eq!(send(&http_client(), &serving.url(), &message()).await, Some(200));
    within(receiver.wait_for(1)).await;
    assert_stops_within(serving, IDLE_STOP_MAX).await;
}

#[tokio::test]
async fn a_delivery_that_hangs_is_cut_off_after_the_grace_period_and_made_again() {
    let receiver =
        Receiver::start(|one| if one.attempt == 1 { Reply::Hang } else { Reply::Status(200) });
    let receiver = receiver.await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    forwarding_to(directory.path(), &receiver.url(), "timeout = \"1m\"");
    let serving = Serving::start(directory.path()).await;
    assert_eq!(send(&http_client(), &serving.url(), &message()).await, Some(200));
    within(receiver.wait_for(1)).await;
    let said = assert_stops_within(serving, STOP_MAX).await;
    assert!(said.iter().any(|line| line.contains("will be repeated")), "{said:#?}");
    let serving = Serving::start(directory.path()).await;
    within(receiver.wait_for(2)).await;
    let received = receiver.received();
    assert_eq!(received[0].message_id, received[1].message_id);
    assert_stops_within(serving, IDLE_STOP_MAX).await;
    assert_eq!(receiver.count(), 2, "it is not made a third time");
}

fn message() -> Message {
    World::new(&Scenario::new(1, 1)).next().unwrap()
}

async fn assert_stops_within(serving: Serving, max: Duration) -> Vec<String> {
    let asked = Instant::now();
    let (code, said) = serving.terminate().await;
    let took = asked.elapsed();
    assert_eq!(code, 0, "{said:#?}");
    assert!(took < max, "it took {took:?}: {said:#?}");
    said
}
