//! A destination that is dead and has a large backlog keeps nothing from the others.

use std::sync::Arc;

use deskbell_delivery::{Channel, Worker};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::support::{Hanging, Scripted, World, delivered, options};

const BACKLOG: usize = 5_000;
/// That come while the dead one hangs.
const FURTHER: usize = 100;

#[tokio::test]
async fn a_dead_destination_with_a_backlog_leaves_a_healthy_one_alone() {
    let world = World::new().await;
    world.register("dead").await;
    world.register("crm").await;
    world.append_many(0, BACKLOG).await;
    world.route(&["dead", "crm"]).await;
    let hanging = Arc::new(Hanging { begun: tokio::sync::Notify::new() });
    let channel = Arc::clone(&hanging) as Arc<dyn Channel>;
    let dead = Worker::new(world.store.clone(), channel, options("dead"));
    let mut tasks = JoinSet::new();
    tasks.spawn(dead.run(CancellationToken::new()));
    hanging.begun.notified().await;
    let crm = Scripted::new("crm", |_| delivered());
    let mut worker = world.worker(&crm);
    let progress = worker.run_until_idle().await.unwrap();
    assert_eq!((progress.delivered, progress.next_due), (BACKLOG as u64, None));
    world.append_many(BACKLOG, FURTHER).await;
    world.route(&["dead", "crm"]).await;
    let progress = worker.run_until_idle().await.unwrap();
    assert_eq!((progress.delivered, progress.next_due), (FURTHER as u64, None));
    let backlogs = world.store.backlogs().await.unwrap();
    let pending =
        |name: &str| backlogs.iter().find(|one| *one.destination == *name).unwrap().pending;
    assert_eq!((pending("dead"), pending("crm")), ((BACKLOG + FURTHER) as u64, 0));
    // Its attempts hang still: what they held up was theirs alone.
    tasks.shutdown().await;
}
