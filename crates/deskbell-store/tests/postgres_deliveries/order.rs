//! An ordered destination that two stores work for: one of a subject at a time, in log order.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deskbell_store::deliveries::{DeliveryQueue, Replays};
use deskbell_store::{PostgresStore, Seq};
use tokio::task::JoinSet;

use super::database::Database;
use super::{
    ClaimedDelivery, NewDelivery, Ordering, Settlement, Verdict, append_and_route, claim, key,
    pending, register, seqs, settlement, subject,
};

const DELIVERIES: usize = 2_000;
const SUBJECTS: usize = 25;

/// What is under way, and what was done, by subject.
#[derive(Default)]
struct Seen {
    under_way: HashMap<String, Seq>,
    done: HashMap<String, Seq>,
}

impl Seen {
    fn begin(&mut self, claimed: &ClaimedDelivery) {
        let (seq, subject) = place(claimed);
        let other = self.under_way.insert(subject.clone(), seq);
        assert_eq!(other, None, "{subject}: {seq} was handed out while another was under way");
        let next = self.done.get(&subject).map(|done| done.get() + SUBJECTS as i64);
        assert!(next.is_none_or(|next| next == seq.get()), "{subject}: {seq}, and not {next:?}");
    }

    fn end(&mut self, settlement: &Settlement, claimed: &ClaimedDelivery) {
        let (seq, subject) = place(claimed);
        self.under_way.remove(&subject);
        if settlement.verdict == Verdict::Delivered {
            self.done.insert(subject, seq);
        }
    }
}

fn place(claimed: &ClaimedDelivery) -> (Seq, String) {
    let seq = claimed.claim.seq;
    (seq, subject(usize::try_from(seq.get()).unwrap(), SUBJECTS))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_a_subject_at_a_time_in_log_order() {
    let database = Database::new().await;
    let stores = [Arc::new(database.open().await), Arc::new(database.open().await)];
    register(&stores[0], Ordering::Subject).await;
    let seen = Arc::new(Mutex::new(Seen::default()));
    let mut tasks = JoinSet::new();
    append_and_route(&stores[0], DELIVERIES, SUBJECTS).await;
    for store in stores.iter().flat_map(|store| [store, store]) {
        tasks.spawn(work(Arc::clone(store), Arc::clone(&seen)));
    }
    tasks.join_all().await;
    let seen = seen.lock().unwrap();
    assert_eq!((seen.under_way.len(), seen.done.len()), (0, SUBJECTS));
}

async fn work(store: Arc<PostgresStore>, seen: Arc<Mutex<Seen>>) {
    while pending(&store).await > 0 {
        let claimed = claim(&store, 8).await;
        let mut settlements = Vec::new();
        {
            let mut seen = seen.lock().unwrap();
            for one in &claimed {
                seen.begin(one);
            }
        }
        for (n, one) in claimed.iter().enumerate() {
            let again = n % 5 == 4 && one.attempts == 0;
            let verdict = if again { Verdict::Retry(Duration::ZERO) } else { Verdict::Delivered };
            settlements.push(settlement(one, verdict));
        }
        // Before they are settled: the next may be handed out while we hear of it.
        for (settlement, claimed) in settlements.iter().zip(&claimed) {
            seen.lock().unwrap().end(settlement, claimed);
        }
        assert_eq!(store.settle("hook", &settlements).await.unwrap(), 0);
    }
}

/// Several earlier ones come back one after the other while a later one is under way.
#[tokio::test]
async fn what_comes_back_waits_for_what_is_under_way_elsewhere() {
    let database = Database::new().await;
    let (here, elsewhere) = (database.open().await, database.open().await);
    register(&here, Ordering::Subject).await;
    append_and_route(&here, 4, 1).await;
    for seq in 1..=3 {
        let claimed = claim(&here, 10).await;
        assert_eq!(seqs(&claimed), [seq]);
        assert_eq!(here.settle("hook", &super::delivered(&claimed)).await.unwrap(), 0);
    }
    let last = claim(&elsewhere, 10).await;
    assert_eq!(seqs(&last), [4]);
    for seq in [3, 1] {
        assert_eq!(here.revive(&[key(seq)]).await.unwrap(), 1);
        assert_eq!(seqs(&claim(&here, 10).await), [] as [i64; 0], "one at a time");
    }
    let added = NewDelivery { key: key(2), subject: Some(subject(2, 1)) };
    assert_eq!(here.enqueue(&[added]).await.unwrap(), 0, "it is settled");
    elsewhere.release("hook", &[last[0].claim]).await.unwrap();
    for seq in [1, 3, 4] {
        let claimed = claim(&here, 10).await;
        assert_eq!(seqs(&claimed), [seq], "in log order");
        assert_eq!(here.settle("hook", &super::delivered(&claimed)).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn what_is_settled_late_lets_nobody_pass() {
    let database = Database::new().await;
    let (here, elsewhere) = (database.open().await, database.open().await);
    register(&here, Ordering::Subject).await;
    append_and_route(&here, 3, 1).await;
    let first = claim(&here, 10).await;
    assert_eq!(here.settle("hook", &super::delivered(&first)).await.unwrap(), 0);
    let late = claim(&here, 10).await;
    assert_eq!(seqs(&late), [2]);
    database.clock.advance(super::LEASE);
    here.revive(&[key(1)]).await.unwrap();
    let under_way = claim(&elsewhere, 10).await;
    assert_eq!(seqs(&under_way), [1], "the lease of the second has ended");
    assert_eq!(here.settle("hook", &super::delivered(&late)).await.unwrap(), 0);
    assert_eq!(seqs(&claim(&here, 10).await), [] as [i64; 0], "the first one is under way");
    assert_eq!(elsewhere.settle("hook", &super::delivered(&under_way)).await.unwrap(), 0);
    assert_eq!(seqs(&claim(&here, 10).await), [3]);
}
