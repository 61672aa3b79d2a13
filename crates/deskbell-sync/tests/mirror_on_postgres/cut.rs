//! Connections that end at random: everything arrives, and each event has its effect once.

use std::collections::BTreeMap;
use std::time::Duration;

use deskbell_sim::{Scenario, Tables, drift};
use deskbell_store::{NewEvent, Origin, ReadLimit};
use deskbell_sync::inspect::MirrorReader;
use deskbell_sync::{DatabaseConfig, MirrorConsumer, MirrorOptions, TargetError, connect};
use serde_json::Value;
use testkit::{Mode, Proxy};

use super::backend::DUE;
use super::consumer::World;
use super::never_stops::letters;
use super::several::{COUNTED, counting};
use super::statements_waiting::{assert_complete, founds, joins, world_of_tables};

const EVENTS: usize = 2_000;
/// Runs that fail before the test does.
const FAILURES_MAX: u32 = 2_000;

/// Fills the log with a simulated Clerk's events; the events that are counted.
async fn fill(world: &World, clerk: &mut deskbell_sim::World) -> i64 {
    let mut counted = 0;
    let mut events = Vec::new();
    for message in clerk.by_ref() {
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        let (entity, _) = message.event_type.split_once('.').unwrap();
        counted += i64::from(["user", "organization", "organizationMembership"].contains(&entity));
        events.push(NewEvent {
            source: "clerk".into(),
            message_id: message.id,
            event_type: message.event_type.to_owned(),
            subject: None,
            occurred_at_ms: body["timestamp"].as_i64().unwrap(),
            instance_id: None,
            payload: message.body.into(),
            origin: Origin::Webhook,
        });
    }
    world.store.append(&events).await.unwrap();
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_at_random_lose_nothing_and_repeat_nothing() {
    let seed = rand::random();
    println!("seed: {seed}");
    let world = World::new().await;
    let mut clerk = deskbell_sim::World::new(&Scenario::new(seed, EVENTS));
    let counted = fill(&world, &mut clerk).await;
    world.place.run(COUNTED).await;
    let proxy = Proxy::cutting(&world.place.server().authority(), seed).await.unwrap();
    let options = MirrorOptions {
        batch: ReadLimit { events_max: 60, ..ReadLimit::default() },
        answer_within: Duration::from_millis(700),
        database: DatabaseConfig { statements: vec![counting()], ..world.options.database.clone() },
        ..world.options.clone()
    };
    let mut consumer = through(&proxy, &world, options).await;
    carry(&mut consumer, &world).await;
    assert!(proxy.accepted() > 10, "{proxy:?}");
    let found = world.place.pair("SELECT events, 0::bigint FROM counted").await.0;
    assert_eq!(found, counted, "each event once");
    let reader = MirrorReader::open(&world.options.database.url).await.unwrap();
    let mut tables = Tables::new();
    for name in ["users", "organizations", "organization_memberships"] {
        tables.insert(name.to_owned(), reader.whole_rows(name).await.unwrap());
    }
    assert_eq!(drift(clerk.truth(), &tables), []);
    assert!(reader.rows("_dead_letters").await.unwrap().is_empty());
}

/// Rows and statements that wait for workspaces, which come later or in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_there_once_though_connections_are_cut_at_random() {
    let seed = rand::random();
    println!("seed: {seed}");
    let world = world_of_tables().await;
    let mut members = Members { expected: vec![Vec::new(); 6], desks: BTreeMap::new() };
    for number in 0..120_u8 {
        members.join(&world, number).await;
        if number % 15 == 14 {
            founds(&world, &format!("msg_org_{number}"), &format!("org_{}", number / 15)).await;
        }
    }
    let proxy = Proxy::cutting(&world.place.server().authority(), seed).await.unwrap();
    let answer_within = Duration::from_millis(700);
    let options = MirrorOptions { answer_within, ..world.options.clone() };
    let mut consumer = through(&proxy, &world, options).await;
    carry(&mut consumer, &world).await;
    // Some seeds cut little: it goes on until there was something to survive.
    for number in 120..=u8::MAX {
        if proxy.accepted() > 10 {
            break;
        }
        members.join(&world, number).await;
        carry(&mut consumer, &world).await;
    }
    for _ in 0..FAILURES_MAX {
        if letters(&world).await.is_empty() {
            break;
        }
        world.place.run(DUE).await;
        let _cut = consumer.run_once().await;
    }
    assert!(proxy.accepted() > 10, "{proxy:?}");
    let mut direct = world.consumer().await;
    while direct.run_once().await.unwrap().more {}
    assert_complete(&world, &members.expected, &members.desks).await;
}

/// What is to be there of each member.
struct Members {
    expected: Vec<Vec<String>>,
    desks: BTreeMap<String, String>,
}

impl Members {
    async fn join(&mut self, world: &World, number: u8) {
        let (member, organization) = (number % 6, format!("org_{}", u16::from(number) * 5 % 8));
        joins(world, number, member, &organization).await;
        self.expected[usize::from(member)].push(format!("msg_{number}"));
        self.desks.insert(format!("orgmem_{member}"), organization);
    }
}

/// A consumer whose connections go through the proxy.
async fn through(proxy: &Proxy, world: &World, options: MirrorOptions) -> MirrorConsumer {
    // The first start is the only one that is not within a unit of work.
    connect(&options).await.unwrap().close().await;
    let url = world.place.url_at(proxy.address()).parse().unwrap();
    let through = MirrorOptions { database: DatabaseConfig { url, ..options.database }, ..options };
    loop {
        if let Ok(Ok(target)) =
            tokio::time::timeout(Duration::from_secs(1), connect(&through)).await
        {
            return MirrorConsumer::new(world.store.clone(), target, through);
        }
    }
}

/// Runs until the log's end, whatever fails; now and then the server itself ends the connection.
async fn carry(consumer: &mut MirrorConsumer, world: &World) {
    let head = world.store.head().await.unwrap();
    let (mut failures, mut runs) = (0, 0_u32);
    loop {
        runs += 1;
        match consumer.run_once().await {
            Ok(progress) if progress.seq == head => return,
            Ok(_) if runs.is_multiple_of(7) => world.place.run(TERMINATE).await,
            Ok(_) => {}
            Err(_) => failures += 1,
        }
        assert!(failures < FAILURES_MAX, "no way through");
    }
}

const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'deskbell'";

/// A server that does not answer counts as away, and nobody waits for it for ever.
#[tokio::test]
async fn a_database_that_falls_silent_is_given_up_in_time() {
    let world = World::new().await;
    world.append_users(0, 4).await;
    let proxy = Proxy::start(&world.place.server().authority()).await.unwrap();
    let url = world.place.url_at(proxy.address());
    let answer_within = Duration::from_millis(300);
    let options = MirrorOptions {
        answer_within,
        database: DatabaseConfig { url: url.parse().unwrap(), ..world.options.database.clone() },
        ..world.options.clone()
    };
    let target = connect(&options).await.unwrap();
    let mut consumer = MirrorConsumer::new(world.store.clone(), target, options);
    proxy.set(Mode::Hold);
    let error = consumer.run_once().await.unwrap_err();
    let away = matches!(error, deskbell_sync::SyncError::Target(TargetError::Unavailable(_)));
    assert!(away, "{error:?}");
    proxy.set(Mode::Pass);
    while consumer.run_once().await.is_err() {}
    assert_eq!(world.users().await, 4);
}
