//! Waking: readers and workers of this process at once, those of other replicas by a notification.
//!
//! A notification is a hint, and may be lost: the head is also asked for now and then. It is sent
//! after the commit, by a task of its own: as part of the commit it would let only one commit at a
//! time through the whole server.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::PostgresConnector;
use super::pools::Pools;
use crate::Seq;

/// What the replicas of a store listen to.
const CHANNEL: &str = "deskbell";
/// Between looks at the head where other replicas' appends are announced, and where they are not.
const POLL_BESIDE_LISTENING: Duration = Duration::from_secs(1);
const POLL_ALONE: Duration = Duration::from_millis(100);
/// Between two announcements; what comes up in the meantime goes into the next.
const ANNOUNCE_PAUSE: Duration = Duration::from_millis(10);
/// Before the next try to listen, after one that failed.
const LISTEN_PAUSE: Duration = Duration::from_secs(1);

/// The waiting tasks of this process, and what the other replicas have not been notified of yet.
#[derive(Debug)]
pub(in crate::postgres) struct Wake {
    /// This replica, so that it does not listen to itself.
    replica: String,
    head: watch::Sender<Seq>,
    due: Mutex<HashMap<String, Arc<Notify>>>,
    news: Mutex<News>,
    has_news: Notify,
}

#[derive(Debug, Default)]
struct News {
    head: bool,
    due: BTreeSet<String>,
}

impl Wake {
    pub(super) fn new(replica: String, head: Seq) -> Self {
        Self {
            replica,
            head: watch::Sender::new(head),
            due: Mutex::default(),
            news: Mutex::default(),
            has_news: Notify::new(),
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    /// This replica has appended up to here, or got a message again: everybody is woken.
    pub(super) fn appended(&self, head: Seq) {
        self.move_head(head);
        self.news().head = true;
        self.has_news.notify_one();
    }

    /// Notified when deliveries of this destination have become due.
    pub(in crate::postgres) fn due(&self, destination: &str) -> Arc<Notify> {
        let mut due = lock(&self.due);
        if let Some(known) = due.get(destination) {
            return Arc::clone(known);
        }
        Arc::clone(due.entry(destination.to_owned()).or_default())
    }

    /// Deliveries of this destination have become due, and that is committed.
    pub(in crate::postgres) fn notify_due(&self, destination: &str) {
        // Kept for who asks later, as it may have been here that it was missed.
        self.due(destination).notify_one();
        self.news().due.insert(destination.to_owned());
        self.has_news.notify_one();
    }

    /// Wakes those in this process that wait for this destination.
    fn wake_due(&self, destination: &str) {
        if let Some(waiting) = lock(&self.due).get(destination) {
            waiting.notify_one();
        }
    }

    /// Wakes everybody: what was announced in the meantime is not known.
    fn wake_all(&self) {
        for waiting in lock(&self.due).values() {
            waiting.notify_one();
        }
    }

    /// Also where the head has not moved: there may be a replay request.
    fn move_head(&self, head: Seq) {
        self.head.send_modify(|known| *known = head.max(*known));
    }

    fn news(&self) -> MutexGuard<'_, News> {
        lock(&self.news)
    }

    /// What is to be announced, one text a notification: who, what, and of what.
    fn take_news(&self) -> Vec<String> {
        let news = std::mem::take(&mut *self.news());
        let replica = &self.replica;
        let head = news.head.then(|| format!("{replica} head {}", *self.head.borrow()));
        head.into_iter()
            .chain(news.due.iter().map(|destination| format!("{replica} due {destination}")))
            .collect()
    }

    /// Takes a notification in. Whether the head is to be asked for.
    fn hear(&self, text: &str) -> bool {
        let mut parts = text.splitn(3, ' ');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(replica), _, _) if replica == self.replica => false,
            (_, Some("due"), Some(destination)) => {
                self.wake_due(destination);
                false
            }
            (_, Some("head"), Some(seq)) => {
                let moved = seq.parse().is_ok_and(|seq| Seq::new(seq) > *self.head.borrow());
                if !moved {
                    self.move_head(Seq::ZERO);
                }
                moved
            }
            _ => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notifies the other replicas of what is new, all of it in one statement at a time.
pub(super) async fn announce(wake: Arc<Wake>, pools: Arc<Pools>) {
    loop {
        wake.has_news.notified().await;
        let news = wake.take_news();
        // They look by themselves in a while.
        if !news.is_empty()
            && let Err(error) = notify(&pools, &news).await
        {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "cannot notify other replicas"
            );
        }
        sleep(ANNOUNCE_PAUSE).await;
    }
}

/// Nothing is lost with a notification that is: it need not reach the disk.
async fn notify(pools: &Pools, news: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, text)
         FROM unnest($2::text[]) AS text",
    )
    .bind(CHANNEL)
    .bind(news)
    .execute(pools)
    .await?;
    Ok(())
}

/// Asks for the head now and then.
pub(super) async fn poll(wake: Arc<Wake>, pools: Arc<Pools>, listens: bool) {
    let pause = if listens { POLL_BESIDE_LISTENING } else { POLL_ALONE };
    loop {
        sleep(pause).await;
        look_at_head(&wake, &pools).await;
    }
}

/// The last number that was given out, also where its event has been pruned.
pub(super) async fn head(pools: &Pools) -> Result<Seq, sqlx::Error> {
    let head = sqlx::query_scalar("SELECT deskbell.head_v1()");
    Ok(Seq::new(head.fetch_one(pools).await?))
}

async fn look_at_head(wake: &Wake, pools: &Pools) {
    match head(pools).await {
        Ok(head) if head > *wake.head.borrow() => wake.move_head(head),
        Ok(_) => {}
        Err(error) => {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "cannot read the head of the log"
            );
        }
    }
}

/// Listens to the other replicas, on a connection of its own.
pub(super) async fn listen(wake: Arc<Wake>, pools: Arc<Pools>, connector: PostgresConnector) {
    loop {
        // What was announced before this is not heard; whoever waits looks for itself.
        if let Err(error) = listen_until_cut(&wake, &pools, &connector).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "not listening");
        }
        sleep(LISTEN_PAUSE).await;
    }
}

async fn listen_until_cut(
    wake: &Wake,
    pools: &Pools,
    connector: &PostgresConnector,
) -> Result<(), sqlx::Error> {
    let options = connector.options_for_one().await?;
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&pool).await?;
    // The options are for one connection: the next one is made above.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    wake.wake_all();
    look_at_head(wake, pools).await;
    while let Some(notification) = listener.try_recv().await? {
        if wake.hear(notification.payload()) {
            look_at_head(wake, pools).await;
        }
    }
    Ok(())
}
