//! Work that is done once for all who ask for it at the same time.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

/// The result of work that others may wait for too.
pub(super) type Flight<T> = Shared<BoxFuture<'static, T>>;

/// Work under way, by what it is for. It goes on while somebody waits for it, and is dropped with the
/// last of them.
pub(super) struct Flights<K, T: Clone> {
    under_way: Arc<UnderWay<K, T>>,
    next: AtomicU64,
}

type UnderWay<K, T> = Mutex<ByKey<K, T>>;
type ByKey<K, T> = HashMap<K, (u64, WeakShared<BoxFuture<'static, T>>)>;

impl<K, T> Flights<K, T>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(super) fn new() -> Self {
        Self { under_way: Arc::default(), next: AtomicU64::new(0) }
    }

    /// Joins the work for this key, or begins it.
    pub(super) fn join<F>(&self, key: &K, begin: impl FnOnce() -> F) -> Flight<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut under_way = lock(&self.under_way);
        if let Some(flight) = under_way.get(key).and_then(|(_, flight)| flight.upgrade()) {
            return flight;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { under_way: Arc::clone(&self.under_way), key: key.clone(), number };
        let work = begin();
        let flight = async move {
            let _landing = landing;
            work.await
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.insert(key.clone(), (number, weak));
        }
        flight
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        lock(&self.under_way).len()
    }
}

/// Takes the work out once it is done or dropped.
struct Landing<K: Eq + Hash, T: Clone> {
    under_way: Arc<UnderWay<K, T>>,
    key: K,
    number: u64,
}

impl<K: Eq + Hash, T: Clone> Drop for Landing<K, T> {
    fn drop(&mut self) {
        let mut under_way = lock(&self.under_way);
        // Somebody may have begun anew meanwhile.
        if under_way.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            under_way.remove(&self.key);
        }
    }
}

fn lock<K, T: Clone>(under_way: &UnderWay<K, T>) -> MutexGuard<'_, ByKey<K, T>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures_util::future::{join_all, pending};
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn all_who_ask_meanwhile_share_one_result() {
        let flights = Flights::new();
        let (begun, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let join = || {
            let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
            flights.join(&"user_1", || async move {
                go.notified().await;
                begun.fetch_add(1, Ordering::SeqCst) + 1
            })
        };
        let joined: Vec<_> = (0..1_000).map(|_| join()).collect();
        go.notify_one();
        assert!(join_all(joined).await.into_iter().all(|result| result == 1));
        assert_eq!(flights.len(), 0, "nothing is kept");
        go.notify_one();
        assert_eq!(join().await, 2, "later it is done anew");
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_dropped_and_forgotten() {
        let flights: Flights<_, ()> = Flights::new();
        let first = flights.join(&"user_1", pending);
        let second = flights.join(&"user_1", || async { panic!("it is under way") });
        drop(first);
        assert_eq!(flights.len(), 1, "somebody waits still");
        drop(second);
        assert_eq!(flights.len(), 0);
        flights.join(&"user_1", || async {}).await;
    }
}
