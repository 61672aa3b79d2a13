//! What `serve` does by itself: new mirrors are filled, filled ones compared and mended.

use std::time::Duration;

use deskbell_sim::backend_api::sample;
use deskbell_trust::{
    BackfillSource, FollowedMirror, MirrorReconciled, TrustService, read_reconcile_state,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{Mirror, START_MS, World, filled};

/// Longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(60);

struct Service {
    running: JoinSet<()>,
    shutdown: CancellationToken,
}

impl Service {
    fn start(world: &World, mirror: &Mirror, every: Option<Duration>) -> Self {
        let source = BackfillSource {
            name: "clerk".to_owned(),
            client: world.client(),
            on_demand: world.client(),
            refetching: world.client(),
            instance_id: Some(deskbell_sim::INSTANCE_ID.to_owned()),
            is_auto: true,
        };
        let (_, target) = watch::channel(Some(mirror.target()));
        let mirror = FollowedMirror { options: mirror.options.clone(), target };
        let service = TrustService::new(world.store.clone(), vec![source], vec![mirror], every);
        let shutdown = CancellationToken::new();
        let running = JoinSet::from_iter([service.run(shutdown.clone())]);
        Self { running, shutdown }
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.join_all().await;
    }
}

async fn until_users(mirror: &Mirror, count: usize) {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let wait = async {
        while mirror.count("users").await != count {
            look.tick().await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.expect("in time");
}

/// The first result of a comparison that has seen so many users.
async fn until_compared(world: &World, users: u64) -> MirrorReconciled {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let has_seen = |last: &MirrorReconciled| last.entities.iter().any(|one| one.in_clerk == users);
    let wait = async {
        loop {
            look.tick().await;
            let state = read_reconcile_state(&*world.store).await.unwrap().unwrap_or_default();
            if let Some(last) = state.mirrors.get("app").filter(|last| has_seen(last)) {
                return last.clone();
            }
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.expect("in time")
}

#[tokio::test]
async fn a_new_mirror_is_filled_and_then_mended_on_a_schedule() {
    let directory = filled(&["users"], 30);
    let world = World::new(directory.clone()).await;
    let mirror = world.mirror("app").await;
    let service = Service::start(&world, &mirror, Some(Duration::from_millis(1)));
    until_users(&mirror, 30).await;
    directory.lock().insert("users", &sample("users", 77, START_MS + 9_000));
    until_users(&mirror, 31).await;
    let last = until_compared(&world, 31).await;
    assert_eq!((last.left(), last.is_whole()), (0, true), "{last:?}");
    let state = read_reconcile_state(&*world.store).await.unwrap().unwrap_or_default();
    assert_eq!(state.newest_missing_user_ms("clerk"), Some(START_MS + 9_000));
    service.stop().await;
}

#[tokio::test]
async fn nothing_is_compared_where_the_config_says_so() {
    let world = World::new(filled(&["users"], 30)).await;
    let mirror = world.mirror("app").await;
    let service = Service::start(&world, &mirror, None);
    until_users(&mirror, 30).await;
    service.stop().await;
    assert_eq!(read_reconcile_state(&*world.store).await.unwrap(), None);
}
