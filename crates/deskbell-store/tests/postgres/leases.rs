//! One replica at a time acts for a consumer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use deskbell_store::{
    Clock, Leader, Leases, PostgresOptions, PostgresStore, StoreError, run_as_leader,
};
use testkit::PostgresDatabase;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const LEASE: Duration = Duration::from_secs(3);

async fn two(database: &PostgresDatabase) -> (PostgresStore, PostgresStore, Clock) {
    let clock = Clock::manual(1_800_000_000_000);
    let options = PostgresOptions { clock: clock.clone(), ..database.options() };
    let one = PostgresStore::open(&options).await.unwrap();
    (one, PostgresStore::open(&options).await.unwrap(), clock)
}

#[tokio::test]
async fn another_takes_over_at_the_end_of_the_lease() {
    let database = PostgresDatabase::new().await;
    let (one, other, clock) = two(&database).await;
    assert!(one.renew_lease("mirror", LEASE).await.unwrap());
    assert!(!other.renew_lease("mirror", LEASE).await.unwrap());
    clock.advance(LEASE / 2);
    assert!(one.renew_lease("mirror", LEASE).await.unwrap(), "held on");
    clock.advance(LEASE / 2);
    assert!(!other.renew_lease("mirror", LEASE).await.unwrap(), "from then on");
    assert!(other.renew_lease("router", LEASE).await.unwrap(), "each for itself");
    clock.advance(LEASE / 2);
    assert!(other.renew_lease("mirror", LEASE).await.unwrap());
    assert!(!one.renew_lease("mirror", LEASE).await.unwrap());
}

#[tokio::test]
async fn what_is_released_is_taken_at_once() {
    let database = PostgresDatabase::new().await;
    let (one, other, _) = two(&database).await;
    assert!(one.renew_lease("mirror", LEASE).await.unwrap());
    other.release_lease("mirror").await.unwrap();
    assert!(!other.renew_lease("mirror", LEASE).await.unwrap(), "only its holder lets go");
    one.release_lease("mirror").await.unwrap();
    assert!(other.renew_lease("mirror", LEASE).await.unwrap());
}

#[tokio::test]
async fn a_consumer_is_reported_on_by_the_replica_that_leads_it() {
    let database = PostgresDatabase::new().await;
    let (one, other, clock) = two(&database).await;
    let said = async || one.latest_report("mirror").await.unwrap().unwrap().body;
    assert!(one.renew_lease("mirror", LEASE).await.unwrap());
    assert!(one.publish_report("mirror", "1").await.unwrap());
    assert!(!other.publish_report("mirror", "2").await.unwrap());
    assert_eq!(said().await, "1");
    clock.advance(LEASE);
    assert!(other.renew_lease("mirror", LEASE).await.unwrap());
    assert!(other.publish_report("mirror", "2").await.unwrap());
    assert!(!one.publish_report("mirror", "3").await.unwrap(), "a late word of the former");
    assert_eq!(said().await, "2");
}

#[tokio::test]
async fn only_the_leader_gets_a_token() {
    let database = PostgresDatabase::new().await;
    let (one, other, clock) = two(&database).await;
    assert!(one.renew_lease("mirror", LEASE).await.unwrap());
    let first = one.next_fencing_token("mirror").await.unwrap();
    let refused = other.next_fencing_token("mirror").await.unwrap_err();
    assert!(matches!(refused, StoreError::NotLeader), "{refused}");
    clock.advance(LEASE);
    assert!(other.next_fencing_token("mirror").await.unwrap() > first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_many_gets_it() {
    let database = PostgresDatabase::new().await;
    let (one, other, _) = two(&database).await;
    for round in 0..10 {
        let name = format!("consumer {round}");
        let both = tokio::join!(one.renew_lease(&name, LEASE), other.renew_lease(&name, LEASE));
        assert!(both.0.unwrap() != both.1.unwrap());
    }
}

/// Reports that it leads, and does until it is stopped.
struct Recorder(mpsc::UnboundedSender<&'static str>, &'static str);

#[async_trait]
impl Leader for Recorder {
    async fn lead(&mut self, shutdown: CancellationToken) {
        self.0.send(self.1).unwrap();
        shutdown.cancelled().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_other_leads_when_one_is_gone() {
    let database = PostgresDatabase::new().await;
    let (leads, mut leading) = mpsc::unbounded_channel();
    let shutdown = CancellationToken::new();
    let mut first = JoinSet::new();
    let mut second = JoinSet::new();
    for (replica, name) in [(&mut first, "first"), (&mut second, "second")] {
        let store: Arc<PostgresStore> = database.open().await;
        let (mut leader, shutdown) = (Recorder(leads.clone(), name), shutdown.clone());
        replica
            .spawn(async move { run_as_leader(&*store, "mirror", &shutdown, &mut leader).await });
        if name == "first" {
            assert_eq!(leading.recv().await, Some("first"));
        }
    }
    // Its store goes with it, without a word.
    first.shutdown().await;
    let gone = Instant::now();
    let next = tokio::time::timeout(Duration::from_secs(5), leading.recv()).await;
    assert_eq!(next.unwrap(), Some("second"), "{:?}", gone.elapsed());
    shutdown.cancel();
    second.join_all().await;
}
