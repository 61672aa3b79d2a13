//! The sender's arithmetic, held against an endpoint that counts for itself.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use clerk_webhooks::{Secret, Verifier};
use deskbell_sim::receiver::{Received, Receiver, Reply};
use deskbell_sim::{
    Fate, Message, Progress, Reorder, Scenario, Sender, SenderError, SenderOptions, World,
};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_b3RoZXIgc2VjcmV0IG9mIGEgcm90YXRpb24h";

fn options(receiver: &Receiver) -> SenderOptions {
    SenderOptions {
        retry_schedule: vec![Duration::from_millis(1); 3],
        ..SenderOptions::new(receiver.url(), Secret::parse(SECRET).unwrap())
    }
}

fn by_id(received: &[Received]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for one in received {
        *counts.entry(one.message_id.as_str()).or_default() += 1;
    }
    counts
}

fn messages(seed: u64, events: usize) -> Vec<Message> {
    World::new(&Scenario::new(seed, events)).collect()
}

/// The wall clock: signatures bear it.
#[expect(clippy::disallowed_methods, reason = "what was signed just now is verified just now")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[tokio::test]
async fn sends_and_duplicates_are_what_the_endpoint_counts() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let options = SenderOptions { duplicates: 0.2, seed: 7, ..options(&receiver) };
    let mut last = Progress::default();
    let report = Sender::new(options)
        .unwrap()
        .run(World::new(&Scenario::new(1, 600)), |progress| last = *progress)
        .await;

    let received = receiver.received();
    let counts = by_id(&received);
    assert_eq!((report.sent, report.acked, report.retries), (600, 600, 0));
    assert_eq!(counts.len(), 600);
    assert_eq!(received.len() as u64, report.sent + report.duplicates);
    assert_eq!(counts.values().filter(|&&times| times == 2).count() as u64, report.duplicates);
    assert!((60..200).contains(&report.duplicates), "{}", report.duplicates);
    assert!(report.unacked.is_empty());
    assert!(report.acked_per_second > 0.0 && report.ack_ms_p50 > 0.0);
    assert!(report.ack_ms_p99 >= report.ack_ms_p50);
    assert_eq!((last.sent, last.acked, last.duplicates), (600, 600, report.duplicates));
}

#[tokio::test]
async fn every_request_is_signed_and_bears_the_bytes_of_its_message() {
    let receiver = Receiver::start(|one| Reply::Status(if one.attempt == 1 { 500 } else { 204 }));
    let receiver = receiver.await.unwrap();
    let messages = messages(2, 100);
    let sender = Sender::new(SenderOptions { duplicates: 0.0, ..options(&receiver) }).unwrap();
    let report = sender.run(messages.clone(), |_| ()).await;

    assert_eq!((report.acked, report.retries, report.duplicates), (100, 100, 0));
    let verifier = Verifier::new(Secret::parse(SECRET).unwrap());
    let sent: BTreeMap<&str, &[u8]> =
        messages.iter().map(|message| (message.id.as_str(), &message.body[..])).collect();
    for one in receiver.received() {
        let verified = verifier.verify(&one.headers, &one.body, now()).unwrap();
        assert_eq!(sent[verified.id()], verified.body());
        assert_eq!(one.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a_flaky_endpoint_gets_everything_in_the_end() {
    let receiver = Receiver::start(|one| match (one.attempt, one.body.len() % 5) {
        (1, 0) => Reply::Status(503),
        (1, 1) => Reply::Close,
        (1 | 2, 2) => Reply::Status(302),
        (1, 3) => Reply::Hang,
        _ => Reply::Status(200),
    });
    let receiver = receiver.await.unwrap();
    let timeout = Duration::from_millis(300);
    let options = SenderOptions { timeout, duplicates: 0.1, ..options(&receiver) };
    let report =
        Sender::new(options).unwrap().run(World::new(&Scenario::new(3, 200)), |_| ()).await;

    assert_eq!((report.sent, report.acked), (200, 200));
    let received = receiver.received();
    assert_eq!(received.len() as u64, report.sent + report.duplicates + report.retries);
    assert!(report.retries > 100, "{} retries", report.retries);
    let acked: HashSet<&str> = received.iter().map(|one| one.message_id.as_str()).collect();
    assert_eq!(acked.len(), 200);
}

#[tokio::test]
async fn what_is_given_up_is_named() {
    let refused = messages(4, 50)[17].id.clone();
    let id = refused.clone();
    let receiver =
        Receiver::start(move |one| Reply::Status(if one.message_id == id { 500 } else { 200 }));
    let receiver = receiver.await.unwrap();
    let options = SenderOptions { duplicates: 1.0, ..options(&receiver) };
    let report = Sender::new(options).unwrap().run(messages(4, 50), |_| ()).await;

    assert_eq!((report.sent, report.acked, report.duplicates), (50, 49, 50));
    assert_eq!(report.unacked, [refused.as_str()]);
    assert_eq!(report.retries, 6, "two deliveries with three retries each");
    assert_eq!(by_id(&receiver.received())[refused.as_str()], 8);
}

#[tokio::test]
async fn two_secrets_are_two_endpoints_with_the_same_message_ids() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let secrets = [SECRET, OTHER_SECRET].map(|text| Secret::parse(text).unwrap());
    let options =
        SenderOptions { duplicates: 0.0, secrets: secrets.to_vec(), ..options(&receiver) };
    let report = Sender::new(options).unwrap().run(messages(5, 80), |_| ()).await;

    assert_eq!((report.sent, report.acked, report.duplicates), (80, 80, 80));
    let received = receiver.received();
    assert!(by_id(&received).values().all(|&times| times == 2));
    for secret in secrets {
        let verifier = Verifier::new(secret);
        let verified = |one: &&Received| verifier.verify(&one.headers, &one.body, now()).is_ok();
        assert_eq!(received.iter().filter(verified).count(), 80);
    }
}

#[tokio::test]
async fn one_connection_at_a_time_and_no_disturbance_keep_the_order_of_events() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let options = SenderOptions {
        concurrency: 1,
        duplicates: 0.0,
        reorder: Reorder::NONE,
        ..options(&receiver)
    };
    let messages = messages(6, 60);
    Sender::new(options).unwrap().run(messages.clone(), |_| ()).await;
    let received: Vec<String> = receiver.received().into_iter().map(|one| one.message_id).collect();
    let sent: Vec<String> = messages.into_iter().map(|message| message.id).collect();
    assert_eq!(received, sent);
}

#[tokio::test(start_paused = true)]
async fn a_rate_spreads_the_messages_over_time() {
    let started = tokio::time::Instant::now();
    let options = SenderOptions {
        rate_per_second: Some(10.0),
        retry_schedule: Vec::new(),
        // Nothing listens: with the clock paused no answer could be waited for.
        ..SenderOptions::new("http://127.0.0.1:9/", Secret::parse(SECRET).unwrap())
    };
    let options = SenderOptions { duplicates: 0.0, ..options };
    let report = Sender::new(options).unwrap().run(messages(7, 31), |_| ()).await;
    assert_eq!((report.sent, report.acked, report.unacked.len()), (31, 0, 31));
    assert!(started.elapsed() >= Duration::from_secs(3), "{:?}", started.elapsed());
}

/// Passes connections on to this address, and counts them.
async fn counting_proxy(to: String) -> (String, Arc<AtomicUsize>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (count, mut tasks) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    let opened = Arc::clone(&count);
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut from, _)) = listener.accept().await {
            opened.fetch_add(1, Ordering::Relaxed);
            let mut to = TcpStream::connect(&to).await.unwrap();
            connections.spawn(async move {
                // It ends as either side does.
                let _ = copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    (url, count, tasks)
}

#[tokio::test]
async fn connections_end_now_and_then_and_after_failures() {
    for (share_refused, expected) in [(0, 5..=8), (50, 12..=80)] {
        let receiver = Receiver::start(move |one| {
            let refused = share_refused > 0 && one.attempt == 1 && one.body.len() % 50 == 0;
            Reply::Status(if refused { 503 } else { 200 })
        });
        let receiver = receiver.await.unwrap();
        let to = receiver.url().replace("http://", "").replace('/', "");
        let (url, opened, _proxy) = counting_proxy(to).await;
        let options = SenderOptions { url, concurrency: 1, duplicates: 0.0, ..options(&receiver) };
        let report = Sender::new(options).unwrap().run(messages(8, 500), |_| ()).await;
        assert_eq!(report.acked, 500);
        let opened = opened.load(Ordering::Relaxed);
        assert!(expected.contains(&opened), "{opened} connections, {} retries", report.retries);
    }
}

#[tokio::test]
async fn a_stopped_run_knows_what_arrived_what_may_have_and_what_cannot_have() {
    let silent = messages(9, 100)[40].id.clone();
    let id = silent.clone();
    let receiver = Receiver::start(move |one| match one.message_id == id {
        true => Reply::Hang,
        false => Reply::Status(200),
    });
    let receiver = receiver.await.unwrap();
    let options = SenderOptions {
        concurrency: 1,
        duplicates: 0.0,
        reorder: Reorder::NONE,
        ..options(&receiver)
    };
    let sender = Sender::new(options).unwrap();
    let report = sender.run_until(messages(9, 100), |_| (), receiver.wait_for(41)).await;
    assert!(report.stopped && report.unacked.is_empty());
    assert_eq!((report.sent, report.acked, report.open.len()), (41, 40, 1));
    let fates: Vec<_> = messages(9, 100).iter().map(|one| report.fate(&one.id)).collect();
    assert!(fates[..40].iter().all(|&fate| fate == Fate::Acked));
    assert_eq!((fates[40], report.open.contains(&silent)), (Fate::Unknown, true));
    assert!(fates[41..].iter().all(|&fate| fate == Fate::Unsent));
}

#[tokio::test]
async fn options_that_will_not_do_are_refused() {
    let secret = || Secret::parse(SECRET).unwrap();
    let url = SenderOptions::new("no url", secret());
    assert!(matches!(Sender::new(url), Err(SenderError::Url { .. })));
    let none = SenderOptions { secrets: Vec::new(), ..SenderOptions::new("http://a/", secret()) };
    assert!(matches!(Sender::new(none), Err(SenderError::NoSecret)));
}
