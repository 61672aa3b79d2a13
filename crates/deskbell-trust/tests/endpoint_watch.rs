//! The endpoint in Clerk's sender is looked at, and what is wrong with it is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clerk_webhooks::Secret;
use deskbell_sim::sender_api::{Fault, SentAttempt, SimulatedEndpoint};
use deskbell_trust::{
    EndpointProblem, EndpointState, EndpointWatch, WatchedSource, read_watch_state,
};

use crate::sender::{Running, SenderWorld, endpoint, now_ms, until};

const MINUTE_MS: i64 = 60_000;
const OTHER_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn watched(world: &SenderWorld, endpoint: &SimulatedEndpoint) -> WatchedSource {
    WatchedSource {
        name: "clerk".to_owned(),
        paths: vec!["/api/webhooks".to_owned()],
        public_url: Some("https://hooks.example.com".parse().unwrap()),
        used_types: Arc::new(|_| vec!["user.created".to_owned(), "not.known".to_owned()]),
        signing_secrets: vec![Secret::parse(&endpoint.secret).unwrap()],
        re_enables: false,
        client: world.client(),
    }
}

fn start(world: &SenderWorld, source: WatchedSource) -> Running {
    let every = Duration::from_millis(5);
    let watch = EndpointWatch::new(world.store.clone(), vec![source], every);
    Running::of(|shutdown| watch.run(shutdown))
}

async fn state(world: &SenderWorld) -> EndpointState {
    let state = read_watch_state(&*world.store).await.unwrap().unwrap_or_default();
    state.sources.get("clerk").cloned().unwrap_or_default()
}

async fn names(world: &SenderWorld) -> Vec<&'static str> {
    state(world).await.problems.iter().map(|one| one.problem.as_str()).collect()
}

async fn until_names(world: &SenderWorld, expected: &[&str]) {
    until(&format!("{expected:?}"), async || names(world).await == expected).await;
}

/// Waits until the endpoint was looked at after this moment.
async fn until_looked_at(world: &SenderWorld) {
    let from_ms = now_ms();
    until("another look", async || state(world).await.looked_at_ms > from_ms).await;
}

fn attempt(endpoint: &SimulatedEndpoint, minutes_ago: i64, status: u16) -> SentAttempt {
    SentAttempt {
        id: format!("atmpt_{minutes_ago}"),
        message_id: format!("msg_{minutes_ago}"),
        endpoint_id: endpoint.id.clone(),
        url: endpoint.url.clone(),
        at_ms: now_ms() - minutes_ago * MINUTE_MS,
        status,
    }
}

#[tokio::test]
async fn an_endpoint_that_is_right_has_no_problem_and_each_wrong_one_is_named() {
    let world = SenderWorld::new().await;
    let ours = endpoint(&["user.created"]);
    let running = start(&world, watched(&world, &ours));
    until_names(&world, &["missing"]).await;
    world.api.insert_endpoint(ours.clone());
    until_names(&world, &[]).await;
    let change = |change: fn(&mut SimulatedEndpoint)| world.api.change_endpoint(&ours.id, change);
    change(|endpoint| endpoint.is_disabled = true);
    until_names(&world, &["disabled"]).await;
    change(|endpoint| endpoint.is_disabled = false);
    until_names(&world, &[]).await;
    change(|endpoint| endpoint.url = "https://old.example.com/api/webhooks".to_owned());
    until_names(&world, &["other_url"]).await;
    change(|endpoint| endpoint.url = "https://me:hunter2@old.example.com/x?key=hunter2".to_owned());
    until("the address", async || {
        let problem = state(&world).await.problems.pop().map(|one| one.problem);
        matches!(problem, Some(EndpointProblem::OtherUrl { url, .. }) if url == "https://old.example.com/x")
    })
    .await;
    change(|endpoint| endpoint.url = "https://hooks.example.com/api/webhooks".to_owned());
    change(|endpoint| endpoint.event_types = Some(vec!["user.updated".to_owned()]));
    until_names(&world, &["missing_event_types"]).await;
    let problem = state(&world).await.problems.remove(0).problem;
    let types = vec!["user.created".to_owned()];
    assert_eq!(problem, EndpointProblem::MissingEventTypes { id: ours.id.clone(), types });
    change(|endpoint| endpoint.event_types = None);
    change(|endpoint| endpoint.secret = OTHER_SECRET.to_owned());
    until_names(&world, &["other_secret"]).await;
    running.stop().await;
}

#[tokio::test]
async fn it_fails_where_all_attempts_of_a_while_have_failed() {
    let world = SenderWorld::new().await;
    let ours = endpoint(&["user.created"]);
    world.api.insert_endpoint(ours.clone());
    for minutes_ago in [40 * 60, 9, 5, 1] {
        world.api.insert_attempt(attempt(&ours, minutes_ago, 401));
    }
    let running = start(&world, watched(&world, &ours));
    until_looked_at(&world).await;
    assert!(names(&world).await.is_empty(), "not long enough: the oldest is from before");
    running.stop().await;

    let world = SenderWorld::new().await;
    world.api.insert_endpoint(ours.clone());
    for minutes_ago in [30, 20, 1] {
        world.api.insert_attempt(attempt(&ours, minutes_ago, 401));
    }
    let running = start(&world, watched(&world, &ours));
    until_names(&world, &["failing"]).await;
    let problem = state(&world).await.problems.remove(0).problem;
    let expected =
        EndpointProblem::Failing { id: ours.id.clone(), attempts: 3, last_status: Some(401) };
    assert_eq!(problem, expected);
    world.api.insert_attempt(attempt(&ours, 0, 200));
    until_names(&world, &[]).await;
    // A proxy that changes the path: events come in all the same.
    world.api.change_endpoint(&ours.id, |one| {
        one.url = "https://hooks.example.com/clerk".to_owned();
    });
    until_looked_at(&world).await;
    until_looked_at(&world).await;
    assert!(names(&world).await.is_empty());
    running.stop().await;
}

#[tokio::test]
async fn a_disabled_endpoint_is_enabled_again_only_where_that_is_wanted() {
    let world = SenderWorld::new().await;
    let ours = SimulatedEndpoint { is_disabled: true, ..endpoint(&["user.created"]) };
    world.api.insert_endpoint(ours.clone());
    let running = start(&world, watched(&world, &ours));
    until_looked_at(&world).await;
    until_looked_at(&world).await;
    assert!(world.api.endpoints()[0].is_disabled);
    running.stop().await;
    let source = WatchedSource { re_enables: true, ..watched(&world, &ours) };
    let running = start(&world, source);
    until("enabled again", async || !world.api.endpoints()[0].is_disabled).await;
    until_names(&world, &[]).await;
    running.stop().await;
}

#[tokio::test]
async fn what_was_seen_stays_while_the_sender_is_away_and_a_session_that_ended_is_renewed() {
    static IS_AWAY: AtomicBool = AtomicBool::new(false);
    let plan = |_: &_| {
        if IS_AWAY.load(Ordering::Relaxed) { Fault::Status(500) } else { Fault::None }
    };
    let world = SenderWorld::with(plan).await;
    let ours = SimulatedEndpoint { is_disabled: true, ..endpoint(&["user.created"]) };
    world.api.insert_endpoint(ours.clone());
    let running = start(&world, watched(&world, &ours));
    until_names(&world, &["disabled"]).await;
    let since_ms = state(&world).await.problems[0].since_ms;
    IS_AWAY.store(true, Ordering::Relaxed);
    until("the failure is noted", async || state(&world).await.error.is_some()).await;
    assert_eq!(names(&world).await, ["disabled"]);
    IS_AWAY.store(false, Ordering::Relaxed);
    until("it is over", async || state(&world).await.error.is_none()).await;
    assert_eq!(state(&world).await.problems[0].since_ms, since_ms);
    let logins = |world: &SenderWorld| {
        let requests = world.api.requests();
        requests.iter().filter(|request| request.path == "/v1/webhooks/svix_url").count()
    };
    let before = logins(&world);
    until_looked_at(&world).await;
    assert_eq!(logins(&world), before, "the session is kept");
    world.api.end_sessions();
    until("a new login", async || logins(&world) == before + 1).await;
    until_looked_at(&world).await;
    assert_eq!(state(&world).await.error, None, "nobody hears of a session that ended");
    running.stop().await;
}

#[tokio::test]
async fn a_path_that_is_not_ours_is_wrong_where_nothing_arrives() {
    let world = SenderWorld::new().await;
    let ours = SimulatedEndpoint {
        url: "https://hooks.example.com/elsewhere".to_owned(),
        ..endpoint(&["user.created"])
    };
    world.api.insert_endpoint(ours.clone());
    let running = start(&world, watched(&world, &ours));
    until_looked_at(&world).await;
    assert!(names(&world).await.is_empty(), "nobody knows yet");
    world.api.insert_attempt(attempt(&ours, 1, 404));
    until_names(&world, &["other_url"]).await;
    world.api.insert_attempt(attempt(&ours, 0, 200));
    until_names(&world, &[]).await;
    running.stop().await;
}

#[tokio::test]
async fn of_several_endpoints_ours_is_the_one_with_our_secret() {
    let world = SenderWorld::new().await;
    let [first, ours, third] = ["a", "b", "c"].map(|_| SimulatedEndpoint {
        uid: None,
        is_disabled: true,
        ..endpoint(&["user.created"])
    });
    let ours = SimulatedEndpoint { is_disabled: false, ..ours };
    for endpoint in [&first, &ours, &third] {
        world.api.insert_endpoint(endpoint.clone());
    }
    let running = start(&world, watched(&world, &ours));
    until_looked_at(&world).await;
    assert!(names(&world).await.is_empty());
    world.api.change_endpoint(&ours.id, |one| one.secret = OTHER_SECRET.to_owned());
    until_names(&world, &["other_secret"]).await;
    running.stop().await;
}

#[tokio::test]
async fn one_that_may_not_be_enabled_is_known_to_be_disabled_all_the_same() {
    let plan = |request: &deskbell_sim::sender_api::SenderRequest| {
        if request.method == "PATCH" { Fault::Status(403) } else { Fault::None }
    };
    let world = SenderWorld::with(plan).await;
    let ours = SimulatedEndpoint { is_disabled: true, ..endpoint(&["user.created"]) };
    world.api.insert_endpoint(ours.clone());
    let running = start(&world, WatchedSource { re_enables: true, ..watched(&world, &ours) });
    until_names(&world, &["disabled"]).await;
    let seen = state(&world).await;
    assert!(seen.error.is_some() && seen.error_since_ms.is_some(), "{seen:?}");
    running.stop().await;
}
