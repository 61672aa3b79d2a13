//! How a mirror is, as its consumer says it: to its own process, and to others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deskbell_sync::status::{MirrorState, MirrorStatus, Reported, reported};
use deskbell_sync::{MirrorConsumer, Target};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::backend::{BLOCK_ORGANIZATIONS, DUE, REFUSE_THE_SEVENTH, UNBLOCK_ORGANIZATIONS};
use super::consumer::World;
use super::faulty::{Answer, Faulty};
use super::support::user;

/// A database that is away when a test says so, or has no time to catch up with several events.
#[derive(Debug)]
struct Switch {
    target: Arc<dyn Target>,
    is_away: Arc<AtomicBool>,
    is_slow: Arc<AtomicBool>,
}

impl Switch {
    async fn new(world: &World) -> Self {
        let is_away = Arc::new(AtomicBool::new(false));
        let is_slow = Arc::new(AtomicBool::new(false));
        let asked = (Arc::clone(&is_away), Arc::clone(&is_slow));
        let next = move || match (asked.0.load(Ordering::SeqCst), asked.1.load(Ordering::SeqCst)) {
            (true, _) => Answer::Away,
            (false, true) => Answer::Slow,
            (false, false) => Answer::Given,
        };
        Self { target: Faulty::connect(world, next).await, is_away, is_slow }
    }

    fn set_away(&self, is_away: bool) {
        self.is_away.store(is_away, Ordering::SeqCst);
    }
}

/// A consumer that runs, and what it says of itself.
struct Running {
    status: watch::Receiver<Option<MirrorStatus>>,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
}

impl Running {
    fn start(world: &World, switch: &Switch) -> Self {
        let target = Arc::clone(&switch.target);
        let store = world.store.clone();
        let consumer = MirrorConsumer::new(store, target, world.options.clone());
        let (status, shutdown) = (consumer.status(), CancellationToken::new());
        let tasks = JoinSet::from_iter([consumer.run(shutdown.clone())]);
        Self { status, shutdown, tasks }
    }

    /// Waits until this is so.
    async fn until(&mut self, is_so: impl Fn(&MirrorStatus) -> bool) -> MirrorStatus {
        let wanted = self.status.wait_for(|status| status.as_ref().is_some_and(&is_so));
        let status = tokio::time::timeout(Duration::from_secs(60), wanted).await.expect("in time");
        status.unwrap().clone().unwrap()
    }

    async fn stop(mut self) -> watch::Receiver<Option<MirrorStatus>> {
        self.shutdown.cancel();
        self.tasks.join_next().await.unwrap().unwrap();
        self.status
    }
}

fn is_following(status: &MirrorStatus) -> bool {
    status.state == MirrorState::Following
}

fn is_waiting(status: &MirrorStatus) -> bool {
    matches!(status.state, MirrorState::Waiting(_))
}

/// Waits until this is what another process reads.
async fn until_reported(world: &World, is_so: impl Fn(&MirrorStatus) -> bool) -> Reported {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let wanted = async {
        loop {
            look.tick().await;
            let reported = reported(&*world.store, "mirror").await.unwrap();
            if let Some(reported) = reported.filter(|reported| is_so(&reported.status)) {
                return reported;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wanted).await.expect("in time")
}

#[tokio::test]
async fn lag_is_counted_while_the_database_is_away() {
    let world = World::new().await;
    let target = Switch::new(&world).await;
    world.append_users(0, 1).await;
    let mut running = Running::start(&world, &target);
    let status = running.until(|status| is_following(status) && status.seq.get() == 1).await;
    assert_eq!((status.lag_events, status.lag_seconds), (0, 0));
    target.set_away(true);
    world.append_users(1, 6).await;
    let status = running.until(|status| is_waiting(status) && status.lag_events == 6).await;
    let said = status.state.reason().unwrap();
    assert_eq!(said, "the mirror's database is not available: connection refused");
    running.until(|status| status.lag_seconds > 0).await;
    target.set_away(false);
    let status = running.until(|status| is_following(status) && status.seq.get() == 7).await;
    assert_eq!((status.lag_events, status.lag_seconds), (0, 0));
    running.stop().await;
}

#[tokio::test]
async fn other_processes_read_how_it_is_and_a_restart_keeps_since_when() {
    let world = World::new().await;
    let target = Switch::new(&world).await;
    assert_eq!(reported(&*world.store, "mirror").await.unwrap(), None, "never ran");
    world.append_users(0, 2).await;
    let mut running = Running::start(&world, &target);
    running.until(|status| is_following(status) && status.seq.get() == 2).await;
    target.set_away(true);
    world.append_users(2, 3).await;
    let before = until_reported(&world, is_waiting).await;
    assert_eq!((before.status.seq.get(), before.status.lag_events), (2, 3));
    let status = running.stop().await;
    assert_eq!(*status.borrow(), None, "this process does not lead it any more");

    world.append_users(5, 1).await;
    let mut running = Running::start(&world, &target);
    let status = running.until(is_waiting).await;
    assert_eq!(status.state.since_ms(), before.status.state.since_ms());
    assert_eq!((status.seq.get(), status.lag_events), (2, 4));
    target.set_away(false);
    running.until(is_following).await;
    let after = until_reported(&world, is_following).await;
    assert_eq!((after.status.seq.get(), after.status.lag_events), (6, 0));
    running.stop().await;
}

#[tokio::test]
async fn where_it_stopped_is_known_at_once() {
    let world = World::new().await;
    let target = Switch::new(&world).await;
    let mut running = Running::start(&world, &target);
    running.until(is_following).await;
    world.append_users(0, 3).await;
    running.until(|status| status.seq.get() == 3).await;
    running.stop().await;
    let last = reported(&*world.store, "mirror").await.unwrap().unwrap();
    assert_eq!((last.status.seq.get(), last.status.state), (3, MirrorState::Following));
}

#[tokio::test]
async fn a_mirror_with_a_refused_row_does_not_wait_for_the_database() {
    let world = World::new().await;
    let target = Switch::new(&world).await;
    let mut running = Running::start(&world, &target);
    running.until(is_following).await;
    world.place.run(REFUSE_THE_SEVENTH).await;
    for number in 1..=3_u64 {
        let refused = user(&format!("user_{number}"), 7);
        world.append(&format!("msg_{number}"), "user.created", &refused).await;
        // What is refused is counted when the mirror next looks, at the latest once it is idle.
        running
            .until(|status| {
                assert!(!is_waiting(status), "{status:?}");
                status.waiting_rows + status.dead_letters == number
            })
            .await;
    }
    running.stop().await;
}

#[tokio::test]
async fn a_table_that_is_refused_whole_is_told_until_it_is_not() {
    let world = World::new().await;
    let target = Switch::new(&world).await;
    let mut running = Running::start(&world, &target);
    running.until(is_following).await;
    world.place.run(BLOCK_ORGANIZATIONS).await;
    let organization = serde_json::json!({ "id": "org_1", "updated_at": 1 });
    world.append("msg_org", "organization.created", &organization).await;
    world.append_users(0, 2).await;
    let is_blocked = |status: &MirrorStatus| matches!(status.state, MirrorState::Blocked(_));
    let status = running.until(|status| is_blocked(status) && status.seq.get() == 3).await;
    assert_eq!(status.lag_events, 3, "what waits behind the blocked table counts");
    assert!(status.state.to_string().contains("organizations"), "{}", status.state);
    assert!(status.state.to_string().contains("nowhere"), "{}", status.state);
    assert_eq!(world.users().await, 2, "the other tables go on");
    world.place.run(UNBLOCK_ORGANIZATIONS).await;
    world.place.run(DUE).await;
    let status = running.until(is_following).await;
    assert_eq!((status.lag_events, status.dead_letters), (0, 0));
    running.stop().await;
}

#[tokio::test]
async fn a_table_that_was_blocked_catches_up_in_smaller_steps_where_it_is_slow() {
    let world = World::new().await;
    let target = Switch::new(&world).await;
    world.place.run(BLOCK_ORGANIZATIONS).await;
    let mut running = Running::start(&world, &target);
    for number in 1..=6 {
        let organization = serde_json::json!({ "id": format!("org_{number}"), "updated_at": 1 });
        world.append(&format!("msg_{number}"), "organization.created", &organization).await;
    }
    running
        .until(|status| matches!(status.state, MirrorState::Blocked(_)) && status.seq.get() == 6)
        .await;
    target.is_slow.store(true, Ordering::SeqCst);
    world.place.run(UNBLOCK_ORGANIZATIONS).await;
    world.place.run(DUE).await;
    running
        .until(|status| {
            assert!(!is_waiting(status), "{status:?}");
            is_following(status)
        })
        .await;
    assert_eq!(world.reader().await.rows("organizations").await.unwrap().len(), 6);
    running.stop().await;
}
