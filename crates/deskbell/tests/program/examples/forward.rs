//! Every event to two services, one of which is down for a while.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use clerk_webhooks::{Secret, Verifier};
use deskbell_sim::receiver::{Received, Receiver, Reply};
use deskbell_sim::{Message, Scenario, World};
use tokio::sync::watch;

use super::recipe::{Recipe, printed, service};
use super::samples::event;
use crate::program::support::{http_client, send, within};

const BILLING: &str = "whsec_YmlsbGluZy1zZWNyZXQtMjQtYnl0ZXMh";
const SEARCH: &str = "whsec_c2VhcmNoLXNlY3JldC1vZi0yNC1ieXRl";

fn recipe(billing: &Receiver, search: &Receiver) -> Recipe {
    let variables = [
        ("BILLING_URL", billing.url()),
        ("BILLING_WEBHOOK_SECRET", BILLING.into()),
        ("SEARCH_URL", search.url()),
        ("SEARCH_WEBHOOK_SECRET", SEARCH.into()),
    ];
    Recipe::new("forward", &variables)
}

/// A receiver that breaks connections until it is up; then it counts what it takes.
async fn down(is_up: &Arc<AtomicBool>) -> (Receiver, watch::Receiver<usize>) {
    let (is_up, (taken, count)) = (Arc::clone(is_up), watch::channel(0));
    let answer = move |_: &Received| {
        if !is_up.load(Ordering::SeqCst) {
            return Reply::Close;
        }
        taken.send_modify(|taken| *taken += 1);
        Reply::Status(204)
    };
    (Receiver::start(answer).await.unwrap(), count)
}

#[expect(clippy::disallowed_methods, reason = "signatures are held against the real time")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// The bodies by message id, each under the secret's signature.
fn verified(receiver: &Receiver, secret: &str) -> BTreeMap<String, Vec<u8>> {
    let verifier = Verifier::new(Secret::parse(secret).unwrap());
    let verify = |request: Received| {
        let verified = verifier.verify(&request.headers, &request.body, now()).unwrap();
        (verified.id().to_owned(), request.body.to_vec())
    };
    receiver.received().into_iter().map(verify).collect()
}

#[tokio::test]
async fn who_was_down_gets_everything_later() {
    let is_up = Arc::new(AtomicBool::new(false));
    let (billing, (search, taken)) = (service().await, down(&is_up).await);
    let recipe = recipe(&billing, &search);
    let (http, serving) = (http_client(), recipe.serve().await);
    let messages: Vec<Message> = World::new(&Scenario::new(3, 12)).collect();
    for message in &messages {
        assert_eq!(send(&http, &serving.url(), message).await, Some(200));
    }
    within(billing.wait_for(12)).await;
    within(search.wait_for(3)).await;
    // What is pending stays pending whatever happens to the program.
    serving.kill().await;
    is_up.store(true, Ordering::SeqCst);
    let serving = recipe.serve().await;
    within(taken.clone().wait_for(|taken| *taken >= 12)).await.unwrap();
    assert_eq!(serving.terminate().await.0, 0);
    let sent: BTreeMap<_, _> =
        messages.into_iter().map(|one| (one.id, one.body.to_vec())).collect();
    assert_eq!(verified(&billing, BILLING), sent);
    assert_eq!(verified(&search, SEARCH), sent);
    for seq in 1..=12 {
        let names: Vec<_> = recipe.delivered(seq).await.into_iter().map(|one| one.0).collect();
        assert_eq!(names, ["billing", "search"], "event {seq}");
    }
}

#[tokio::test]
async fn one_time_codes_go_nowhere() {
    let (billing, search) = (service().await, service().await);
    let recipe = recipe(&billing, &search);
    let (http, serving) = (http_client(), recipe.serve().await);
    for (at, event_type) in [(1, "email.created"), (2, "sms.created"), (3, "user.created")] {
        let message = event(event_type, 1_800_000_000_000 + at, &[]);
        assert_eq!(send(&http, &serving.url(), &message).await, Some(200));
    }
    for receiver in [&billing, &search] {
        within(receiver.wait_for(1)).await;
        let printed: Vec<_> = receiver.received().iter().map(printed).collect();
        assert_eq!(printed, ["msg_user.created_1800000000003 user.created"]);
    }
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!((recipe.delivered(1).await, recipe.delivered(2).await), (vec![], vec![]));
}

#[tokio::test]
async fn what_the_readme_shows_arrives() {
    let (billing, search) = (service().await, service().await);
    let recipe = recipe(&billing, &search);
    let serving = recipe.serve().await;
    recipe.follow_readme(&serving).await;
    for receiver in [&billing, &search] {
        within(receiver.wait_for(2)).await;
        let mut printed: Vec<_> = receiver.received().iter().map(printed).collect();
        printed.sort();
        assert_eq!(recipe.shown(), [printed.join("\n")]);
    }
    assert_eq!(serving.terminate().await.0, 0);
}
