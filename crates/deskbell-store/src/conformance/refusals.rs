//! Refused requests are added up, whoever counts them.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use tokio::task::JoinSet;

use super::Backend;
use crate::Refused;

fn refused(source: &str, cause: &str, requests: u64) -> Refused {
    Refused { source: source.to_owned(), cause: cause.to_owned(), requests }
}

pub async fn refused_requests_are_added_up(backend: &dyn Backend) {
    let store = backend.create().await;
    assert_eq!(store.refused().await.unwrap(), []);
    store.add_refused(&[]).await.unwrap();
    store.add_refused(&[refused("b", "no_match", 2), refused("a", "too_old", 1)]).await.unwrap();
    let store = backend.reopen(store).await;
    store.add_refused(&[refused("b", "missing_header", 1)]).await.unwrap();
    store.add_refused(&[refused("b", "no_match", 40)]).await.unwrap();
    let expected = [
        refused("a", "too_old", 1),
        refused("b", "missing_header", 1),
        refused("b", "no_match", 42),
    ];
    assert_eq!(store.refused().await.unwrap(), expected);
}

pub async fn many_add_at_once(backend: &dyn Backend) {
    const PROCESSES: u64 = 8;
    const TIMES: u64 = 20;
    let store = backend.create().await;
    let mut tasks = JoinSet::new();
    for process in 0..PROCESSES {
        let store = std::sync::Arc::clone(&store);
        tasks.spawn(async move {
            for _ in 0..TIMES {
                let mut counts = [refused("a", "no_match", 1), refused("b", "no_match", 1)];
                if process % 2 == 0 {
                    counts.reverse();
                }
                store.add_refused(&counts).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let each = PROCESSES * TIMES;
    let expected = [refused("a", "no_match", each), refused("b", "no_match", each)];
    assert_eq!(store.refused().await.unwrap(), expected);
}
