//! A source is followed through the store, over restarts of the program.

use std::time::Duration;

use deskbell_store::{Clock, EventLog, NewEvent, Origin, SqliteStore};
use deskbell_trust::{MirrorReconciled, MissingUser};
use tempfile::TempDir;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);
const START_MS: i64 = 1_799_625_600_000;

/// A store with a clock of its own, and the watch of one process.
struct World {
    directory: TempDir,
    store: SqliteStore,
    clock: Clock,
    watch: SilenceWatch,
    compared: ReconcileState,
    messages: u32,
}

impl World {
    async fn new(after: SilenceAfter) -> Self {
        let (directory, clock) = (tempfile::tempdir().unwrap(), Clock::manual(START_MS));
        let store = Self::open(&directory, &clock).await;
        let (watch, compared) = (SilenceWatch::new(after, Vec::new()), ReconcileState::default());
        Self { directory, store, clock, watch, compared, messages: 0 }
    }

    async fn open(directory: &TempDir, clock: &Clock) -> SqliteStore {
        let path = directory.path().join("deskbell.db");
        SqliteStore::open_with_clock(&path, clock.clone()).await.unwrap()
    }

    async fn receive(&mut self, source: &str) {
        self.messages += 1;
        let event = NewEvent {
            source: source.into(),
            message_id: format!("msg_{}", self.messages),
            event_type: "user.updated".to_owned(),
            subject: None,
            occurred_at_ms: 0,
            instance_id: None,
            payload: b"{}".as_slice().into(),
            origin: Origin::Webhook,
        };
        self.store.append(&[event]).await.unwrap();
    }

    /// So many days with three events an hour, by day and night.
    async fn receive_for_days(&mut self, days: u32) {
        for _ in 0..days * 24 * 3 {
            self.clock.advance(20 * MINUTE);
            self.receive("clerk").await;
        }
    }

    /// One round: the open condition of the source `clerk`, `None` where nothing is known.
    async fn look(&mut self) -> Option<Option<Condition>> {
        let sources = ["clerk".to_owned()];
        let now_ms = self.clock.now_ms();
        let mut observed =
            self.watch.observe(&self.store, &sources, &self.compared, now_ms).await.unwrap();
        assert_eq!(observed[0].0, "silence/clerk");
        match observed.remove(0).1 {
            Observation::State(condition) => Some(condition),
            _ => None,
        }
    }

    /// Looks every ten minutes until there is an alarm: after so many minutes.
    async fn minutes_to_alarm(&mut self) -> u32 {
        let mut minutes = 0;
        while self.look().await.unwrap().is_none() {
            self.clock.advance(10 * MINUTE);
            minutes += 10;
            assert!(minutes < 30 * 24 * 60, "no alarm in a month");
        }
        minutes
    }

    async fn restart(&mut self) {
        self.watch = SilenceWatch::new(self.watch.after, Vec::new());
        self.store.close().await;
        self.store = Self::open(&self.directory, &self.clock).await;
    }
}

#[tokio::test]
async fn a_log_from_before_is_learned_from_and_a_stop_is_noticed() {
    let mut world = World::new(SilenceAfter::Auto).await;
    world.receive_for_days(16).await;
    assert!(world.look().await.unwrap().is_none());
    let minutes = world.minutes_to_alarm().await;
    assert!((60..720).contains(&minutes), "{minutes} minutes");
    let condition = world.look().await.unwrap().unwrap();
    assert_eq!(condition.since_ms, world.clock.now_ms() - i64::from(minutes) * 60_000);
    assert!(condition.subject.starts_with("clerk: no events for "), "{}", condition.subject);
    let longest = "The longest silence of the last weeks was 20 minutes";
    assert!(condition.text.contains(longest), "{}", condition.text);
    // Deskbell's own alert, and another source's event, are not this source's.
    world.receive("deskbell").await;
    world.receive("other").await;
    assert!(world.look().await.unwrap().is_some());
    world.receive("clerk").await;
    assert!(world.look().await.unwrap().is_none(), "it is over");
}

#[tokio::test]
async fn a_restart_keeps_what_was_learned_and_the_alarm() {
    let mut world = World::new(SilenceAfter::Auto).await;
    world.receive_for_days(16).await;
    assert!(world.look().await.unwrap().is_none());
    world.restart().await;
    let minutes = world.minutes_to_alarm().await;
    assert!((60..720).contains(&minutes), "{minutes} minutes");
    let since_ms = world.look().await.unwrap().unwrap().since_ms;
    // Also where nobody ran for a day: the alarm neither ends nor is it another one.
    world.clock.advance(24 * 60 * MINUTE);
    world.restart().await;
    assert_eq!(world.look().await.unwrap().unwrap().since_ms, since_ms);
    world.receive("clerk").await;
    assert!(world.look().await.unwrap().is_none());
}

#[tokio::test]
async fn a_source_without_any_event_is_alerted_about_after_a_configured_time_alone() {
    for (setting, expected) in [("auto", None), ("never", None), ("6h", Some(START_MS))] {
        let after = serde_json::from_value(setting.into()).unwrap();
        let mut world = World::new(after).await;
        for _ in 0..7 * 6 {
            assert!(world.look().await.is_some());
            world.restart().await;
            world.clock.advance(10 * MINUTE);
        }
        let condition = world.look().await.unwrap();
        assert_eq!(condition.as_ref().map(|condition| condition.since_ms), expected, "{setting}");
        let text = condition.map(|condition| condition.text).unwrap_or_default();
        assert_eq!(text.contains("has received no event yet"), expected.is_some(), "{text}");
    }
}

/// A comparison with Clerk has found that a user has no row.
fn missing(source: &str, created_at_ms: i64) -> ReconcileState {
    let newest_missing_user = Some(MissingUser { source: source.to_owned(), created_at_ms });
    let mirror = MirrorReconciled { newest_missing_user, ..MirrorReconciled::default() };
    ReconcileState { mirrors: BTreeMap::from([("mirror".to_owned(), mirror)]) }
}

#[tokio::test]
async fn a_user_without_an_event_is_alerted_about_without_any_rhythm() {
    let mut world = World::new(SilenceAfter::Auto).await;
    assert!(world.look().await.unwrap().is_none());
    world.receive("clerk").await;
    for _ in 0..3 {
        assert!(world.look().await.unwrap().is_none());
        world.clock.advance(10 * MINUTE);
    }
    let created_at_ms = world.clock.now_ms() - 15 * 60_000;
    world.compared = missing("other", created_at_ms);
    assert!(world.look().await.unwrap().is_none(), "another source's");
    world.compared = missing("clerk", created_at_ms);
    let condition = world.look().await.unwrap().unwrap();
    let text =
        format!("created at {}, and no event of that user has arrived", shown_time(created_at_ms));
    assert!(condition.text.contains(&text), "{}", condition.text);
    world.receive("clerk").await;
    assert!(world.look().await.unwrap().is_none(), "events arrive again");
}
