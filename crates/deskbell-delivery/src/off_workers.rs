//! Work that takes long enough to be in the way of others.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does work of milliseconds where it delays no other task: another thread of the runtime goes on with
/// those of this one meanwhile. On a runtime of one thread, as in tests, there is none, and the work is
/// simply done.
pub(crate) fn off_workers<T>(work: impl FnOnce() -> T) -> T {
    let flavor = Handle::try_current().map(|handle| handle.runtime_flavor());
    match flavor {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn the_only_worker_goes_on_with_others() {
        let (started, start) = oneshot::channel();
        let (sender, receiver) = mpsc::channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            off_workers(|| {
                started.send(()).unwrap();
                // Only another task of this runtime can end it.
                receiver.recv_timeout(Duration::from_secs(30)).is_ok()
            })
        });
        tasks.spawn(async move {
            start.await.unwrap();
            sender.send(()).is_ok()
        });
        assert_eq!(tasks.join_all().await, [true, true]);
    }

    #[tokio::test]
    async fn on_one_thread_it_is_simply_done() {
        assert_eq!(off_workers(|| 7), 7);
    }
}
