//! The load generator counts what the server answers.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use clerk_webhooks::Secret;
use deskbell_sim::load::{self, IdOrder, LoadOptions, PreparedRequest, Target, prepare};
use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::{Scenario, World};

fn target() -> Target {
    Target {
        host: "localhost".to_owned(),
        path: "/api/webhooks".to_owned(),
        secret: Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap(),
        seed: 1,
        ids: IdOrder::Time,
    }
}

fn requests(count: usize) -> Arc<[PreparedRequest]> {
    let bodies: Vec<Bytes> =
        World::new(&Scenario::new(1, 16)).map(|message| message.body).collect();
    prepare(&target(), &bodies, count).unwrap().into()
}

fn address(receiver: &Receiver) -> SocketAddr {
    let url = receiver.url();
    url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap()
}

#[tokio::test]
async fn every_request_is_sent_once_under_an_id_of_its_own() {
    let receiver =
        Receiver::start(|one| Reply::Status(if one.body.len() % 2 == 0 { 200 } else { 503 }));
    let receiver = receiver.await.unwrap();
    let options = LoadOptions { address: address(&receiver), connections: 8, duration_max: None };
    let report = load::run(options, requests(500)).await;

    let received = receiver.received();
    let ids: HashSet<String> = received.iter().map(|one| one.message_id.clone()).collect();
    assert_eq!((received.len(), ids.len()), (500, 500));
    assert!(received.iter().all(|one| one.path == "/api/webhooks"));
    let even = received.iter().filter(|one| one.body.len() % 2 == 0).count();
    assert_eq!((report.answered, report.acked, report.refused), (500, even, 500 - even));
    assert_eq!(report.broken, 0);
    assert!(report.acked_per_second > 0.0 && report.ack_ms_p99 >= report.ack_ms_p50);
}

#[tokio::test]
async fn a_broken_connection_is_counted_and_made_anew() {
    let receiver =
        Receiver::start(
            |one| {
                if one.body.len() % 3 == 0 { Reply::Close } else { Reply::Status(200) }
            },
        );
    let receiver = receiver.await.unwrap();
    let options = LoadOptions { address: address(&receiver), connections: 4, duration_max: None };
    let report = load::run(options, requests(200)).await;
    assert_eq!(report.acked + report.broken, 200);
    assert!(report.broken > 0 && report.acked > 0, "{report:?}");
}

#[tokio::test]
async fn nobody_listening_ends_the_load() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let address = address(&receiver);
    drop(receiver);
    let options = LoadOptions { address, connections: 3, duration_max: None };
    let report = load::run(options, requests(50)).await;
    assert_eq!((report.answered, report.broken), (0, 3));
}
