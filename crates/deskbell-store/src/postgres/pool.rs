//! A pool of connections.
//!
//! The driver's pool asks each connection that it gets back whether it still works, which costs as
//! much as a short statement does. Here they are asked only if there is a reason to doubt. The one
//! that was used last is used next, so that few processes of the server are busy and their caches
//! are warm.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::PostgresConnector;
use super::silence::silent;

/// How long a call waits for a connection that is free, or for a new one to be made.
const ACQUIRE_MAX: Duration = Duration::from_secs(5);
/// A connection that nobody used for so long is asked whether it still works before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(5);
/// How long the answer may take whether a connection still works.
const PING_MAX: Duration = Duration::from_secs(2);
/// One that is older is replaced, as the driver's pool does: a server's process grows with time.
const AGE_MAX: Duration = Duration::from_secs(30 * 60);
/// How long a connection may take to say goodbye; it is cut then.
const GOODBYE_MAX: Duration = Duration::from_secs(5);
/// Between two tries to connect to a server that is starting; each pause is twice as long.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(10);
const RETRY_PAUSE_MAX: Duration = Duration::from_millis(500);

/// Connections up to a limit.
pub(super) struct Pool {
    connector: PostgresConnector,
    /// A permit for each connection that may be in use: its holder takes an idle one or opens one.
    free: Arc<Semaphore>,
    idle: Mutex<Vec<TrackedConnection>>,
    last_failure: Arc<LastFailure>,
    /// The connections that have not ended.
    alive: TaskTracker,
}

/// A connection with its age. It is closed when it is dropped.
pub(super) struct TrackedConnection {
    /// `Some` until this is dropped.
    connection: Option<PgConnection>,
    since: Instant,
    used: Instant,
    alive: TaskTracker,
    _is_alive: TaskTrackerToken,
}

impl TrackedConnection {
    fn new(connection: PgConnection, alive: &TaskTracker) -> Self {
        let (now, token) = (Instant::now(), alive.token());
        let connection = Some(connection);
        Self { connection, since: now, used: now, alive: alive.clone(), _is_alive: token }
    }

    pub(super) fn get(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("it is taken when this is dropped")
    }
}

impl Drop for TrackedConnection {
    fn drop(&mut self) {
        // Nobody waits for the goodbye. Without a runtime there is none.
        if let Some(connection) = self.connection.take()
            && Handle::try_current().is_ok()
        {
            self.alive.spawn(timeout(GOODBYE_MAX, connection.close()));
        }
    }
}

/// When a connection last failed: those that have been idle since before may be broken too.
#[derive(Debug, Default)]
pub(super) struct LastFailure(Mutex<Option<Instant>>);

impl LastFailure {
    pub(super) fn record(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn casts_doubt_on(&self, idle_for: Duration) -> bool {
        let failed = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle_for > TRUSTED_FOR || failed.is_some_and(|failed| failed.elapsed() <= idle_for)
    }
}

impl Pool {
    pub(super) fn new(
        connector: &PostgresConnector,
        connections_max: u32,
        last_failure: &Arc<LastFailure>,
    ) -> Arc<Self> {
        Arc::new(Self {
            connector: connector.clone(),
            free: Arc::new(Semaphore::new(connections_max as usize)),
            idle: Mutex::default(),
            last_failure: Arc::clone(last_failure),
            alive: TaskTracker::new(),
        })
    }

    /// A connection that works, as far as is known, and its permit.
    pub(super) async fn acquire(
        &self,
    ) -> Result<(TrackedConnection, OwnedSemaphorePermit), sqlx::Error> {
        let waiting = timeout(ACQUIRE_MAX, Arc::clone(&self.free).acquire_owned());
        let permit = waiting.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some(mut idle) = self.take_idle() {
            let is_doubtful = self.last_failure.casts_doubt_on(idle.used.elapsed());
            if !is_doubtful || ping(idle.get()).await.is_ok() {
                return Ok((idle, permit));
            }
            // The others have been idle for longer, and to ask each might take too long.
            self.idle().clear();
        }
        let connection = self.open().await?;
        Ok((TrackedConnection::new(connection, &self.alive), permit))
    }

    /// Opens a connection. Waits for a server that is starting.
    async fn open(&self) -> Result<PgConnection, sqlx::Error> {
        let started = Instant::now();
        let mut pause = RETRY_PAUSE_MIN;
        loop {
            let left = ACQUIRE_MAX.saturating_sub(started.elapsed());
            match self.connector.connect_within(left).await {
                Err(error) if is_starting(&error) && pause < left => {}
                made => return made,
            }
            sleep(pause).await;
            pause = (2 * pause).min(RETRY_PAUSE_MAX);
        }
    }

    /// Takes a connection back on which nothing is in progress.
    pub(super) fn put_back(&self, mut connection: TrackedConnection) {
        connection.used = Instant::now();
        // Under the lock, so that `close` finds it, or this finds the pool closed.
        let mut idle = self.idle();
        if !self.free.is_closed() && connection.since.elapsed() < AGE_MAX {
            idle.push(connection);
        }
    }

    /// Waits for the connections in use, and closes all of them.
    pub(super) async fn close(&self) {
        self.free.close();
        self.idle().clear();
        self.alive.close();
        self.alive.wait().await;
    }

    fn take_idle(&self) -> Option<TrackedConnection> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<TrackedConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the server may take connections in a moment: nobody listens there, or it says so itself
/// (57P03, `cannot_connect_now`), or all of its slots are taken (53300).
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(answer) => {
            answer.code().is_some_and(|code| matches!(&*code, "57P03" | "53300"))
        }
        _ => false,
    }
}

async fn ping(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    timeout(PING_MAX, connection.ping()).await.unwrap_or_else(|_| Err(silent(PING_MAX)))
}
