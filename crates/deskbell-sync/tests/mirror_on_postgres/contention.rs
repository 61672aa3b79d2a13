//! Somebody else's transactions on the same rows.

use sqlx::Executor;

use super::consumer::{World, drain};
use super::support::user;

/// Of two that wait for each other the server ends one. Here it is ours: theirs is patient.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_with_somebody_elses_transaction_is_tried_again() {
    let world = World::new().await;
    world.append_users(1, 2).await;
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    let mut theirs = world.place.connection().await;
    theirs.execute("SET deadlock_timeout = '60s'").await.unwrap();
    theirs.execute("BEGIN").await.unwrap();
    theirs.execute("UPDATE clerk.users SET locale = 'xx' WHERE id = 'user_2'").await.unwrap();
    for number in 1..=2 {
        let data = user(&format!("user_{number}"), 5);
        world.append(&format!("msg_again_{number}"), "user.updated", &data).await;
    }
    let ours = tokio::task::JoinSet::from_iter([async move {
        let first = consumer.run_once().await;
        (consumer, first)
    }]);
    world.place.until_waiting().await;
    theirs.execute("UPDATE clerk.users SET locale = 'xx' WHERE id = 'user_1'").await.unwrap();
    theirs.execute("COMMIT").await.unwrap();
    let (mut consumer, first) = ours.join_all().await.remove(0);
    let error = first.unwrap_err();
    let cause = std::error::Error::source(&error).and_then(std::error::Error::source).unwrap();
    assert!(format!("{cause:?}").contains("deadlock"), "{cause:?}");
    drain(&mut consumer).await;
    let rows = world.reader().await.rows("users").await.unwrap();
    assert!(rows.iter().all(|row| row["first_name"] == "at 5"), "{rows:?}");
    assert_eq!(world.checkpoint().await, Some(4));
    assert!(world.reader().await.rows("_dead_letters").await.unwrap().is_empty());
}
