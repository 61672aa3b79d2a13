//! A backfill beside live traffic ends with what Clerk has.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use clerk_api::RateShare;
use deskbell_sim::backend_api::{BackendApiOptions, Fault, LiveWorld, SharedDirectory, sample};
use deskbell_sim::{Message, Scenario, World as SimulatedWorld, drift};
use deskbell_store::NewEvent;
use deskbell_trust::{BackfillProgress, Scope};
use serde_json::Value;
use tokio::sync::Notify;

use crate::support::{Mirror, START_MS, World};

/// What Clerk has, event by event.
struct Clerk {
    live: LiveWorld,
    directory: SharedDirectory,
}

impl Clerk {
    fn new(seed: u64, events: usize) -> Self {
        let directory = SharedDirectory::default();
        let live =
            LiveWorld::new(SimulatedWorld::new(&Scenario::new(seed, events)), directory.clone());
        Self { live, directory }
    }

    /// Lets so many events happen before anybody listens.
    fn history(&mut self, events: usize) {
        assert_eq!(self.live.by_ref().take(events).count(), events);
    }
}

pub(crate) fn event(message: &Message) -> NewEvent {
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    let mut event = testkit::event(&message.id, message.event_type)
        .at(body["timestamp"].as_i64().unwrap())
        .body(String::from_utf8(message.body.to_vec()).unwrap())
        .new_event();
    event.instance_id = body["instance_id"].as_str().map(str::to_owned);
    event.subject = body["data"]["id"].as_str().map(str::to_owned);
    event
}

/// What has happened in Clerk, and has not been sent yet.
#[derive(Clone, Default)]
struct Outbox {
    messages: Arc<Mutex<Vec<Message>>>,
    news: Arc<Notify>,
}

impl Outbox {
    fn put(&self, messages: impl Iterator<Item = Message>) {
        self.messages.lock().unwrap().extend(messages);
        self.news.notify_one();
    }

    /// The newest first.
    fn take(&self) -> Vec<NewEvent> {
        self.messages.lock().unwrap().drain(..).rev().map(|message| event(&message)).collect()
    }
}

/// Fills the mirror; is cut off at some moments, and begun again.
async fn fill(world: &World, mirror: &Mirror) {
    let progress = BackfillProgress::load(&*world.store).await.unwrap();
    let backfill = world.backfill(&[mirror]);
    for polls in [3, 17, 40, 90] {
        let mut run = Box::pin(backfill.run(&[], Scope::Missing, &progress));
        for _ in 0..polls {
            tokio::select! {
                biased;
                _ = &mut run => break,
                () = tokio::task::yield_now() => {}
            }
        }
    }
    let state = progress.subscribe();
    let is_filled = || state.borrow().walks().all(|(.., walk)| walk.status.is_settled());
    while state.borrow().mirrors.is_empty() || !is_filled() {
        backfill.run(&[], Scope::Missing, &progress).await.unwrap();
    }
}

/// Sends what happens, each event twice, until `is_filled`.
async fn follow(world: &World, mirror: &Mirror, outbox: &Outbox, is_filled: &AtomicBool) {
    let mut consumer = mirror.consumer(&world.store);
    loop {
        let ends = is_filled.load(Ordering::SeqCst);
        let events = outbox.take();
        if !events.is_empty() {
            world.store.append(&events).await.unwrap();
            world.store.append(&events).await.unwrap();
        }
        while consumer.run_once().await.unwrap().more {}
        if ends {
            return;
        }
        outbox.news.notified().await;
    }
}

#[tokio::test]
async fn whatever_happens_meanwhile_the_mirror_ends_as_clerk_is() {
    for seed in 0..2 {
        let mut clerk = Clerk::new(seed, 6_000);
        clerk.history(4_000);
        let (live, outbox) = (Arc::new(Mutex::new(clerk.live)), Outbox::default());
        let (happening, sending) = (Arc::clone(&live), outbox.clone());
        // Before each request a few things happen, and now and then it fails.
        let world = World::with(clerk.directory.clone(), move |request| {
            sending.put(happening.lock().unwrap().by_ref().take(25));
            match request.number % 23 {
                7 => Fault::Status(500),
                11 => Fault::Close,
                17 => Fault::RateLimited(Duration::from_secs(0)),
                _ => Fault::None,
            }
        })
        .await;
        let mirror = world.mirror("app").await;
        let is_filled = AtomicBool::new(false);
        let filling = async {
            fill(&world, &mirror).await;
            is_filled.store(true, Ordering::SeqCst);
            outbox.news.notify_one();
        };
        tokio::join!(filling, follow(&world, &mirror, &outbox, &is_filled));
        outbox.put(live.lock().unwrap().by_ref());
        follow(&world, &mirror, &outbox, &is_filled).await;
        let tables = mirror.tables().await;
        let live = live.lock().unwrap();
        let differences = drift(live.truth(), &tables);
        assert!(
            differences.is_empty(),
            "seed {seed}: {} as {:?}",
            differences.len(),
            differences[0]
        );
        let users = live.truth().count("users");
        assert!(users > 400, "{users}");
    }
}

#[tokio::test]
async fn the_rate_limit_is_kept() {
    let mut clerk = Clerk::new(9, 3_000);
    clerk.history(3_000);
    let window = Duration::from_millis(300);
    let options = BackendApiOptions { requests_max: 8, window, ..BackendApiOptions::default() };
    let share = RateShare::new(4, window);
    let world = World::limited(clerk.directory.clone(), options, share, |_| Fault::None).await;
    let mirror = world.mirror("app").await;
    world.fill(&[&mirror]).await;
    assert!(drift(clerk.live.truth(), &mirror.tables().await).is_empty());
    assert_eq!((world.api.in_window_max(), world.api.rate_limited()), (4, 0));
}

/// The least possible requests of a whole backfill of these lists: each page once, and users are counted.
/// Pages that go by their offset overlap a little, and a kill has each list lose two pages.
const LEAST: usize = 24 + 60 + 40 + 1;

#[tokio::test]
async fn a_kill_at_any_moment_costs_few_requests() {
    let entities = ["user", "permission", "organization_membership"];
    for killed_at in [53] {
        let directory = SharedDirectory::default();
        let lists = [
            ("users", 11_990),
            ("organization_permissions", 29_990),
            ("organization_memberships", 19_990),
        ];
        for (list, objects) in lists {
            let mut state = directory.lock();
            for number in 0..objects {
                let at_ms = START_MS + i64::try_from(number).unwrap();
                state.insert(list, &sample(list, number, at_ms));
            }
        }
        let (failed, kill) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (counted, killing) = (Arc::clone(&failed), Arc::clone(&kill));
        let world = World::with(directory, move |request| {
            if request.number == killed_at {
                killing.notify_one();
            }
            let fault = match request.number % 23 {
                7 => Fault::Status(500),
                17 => Fault::RateLimited(Duration::from_secs(0)),
                _ => return Fault::None,
            };
            counted.fetch_add(1, Ordering::SeqCst);
            fault
        })
        .await;
        let mirror = world.mirror("app").await;
        let mirrors = [&mirror];
        tokio::select! {
            _ = world.fill_entities(&mirrors, &entities, Scope::Missing) => {
                panic!("it was to be killed at request {killed_at}")
            }
            () = kill.notified() => {}
        }
        world.fill_entities(&mirrors, &entities, Scope::Missing).await;
        let rows = [
            mirror.count("users").await,
            mirror.count("permissions").await,
            mirror.count("organization_memberships").await,
        ];
        assert_eq!(rows, [11_990, 29_990, 19_990]);
        let made = world.api.requests() - failed.load(Ordering::SeqCst);
        let allowed = LEAST + LEAST / 10;
        assert!((LEAST..=allowed).contains(&made), "killed at {killed_at}: {made} of {LEAST}");
    }
}
