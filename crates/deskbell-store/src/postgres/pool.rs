//! Connections that are kept between two pieces of work.
//!
//! The driver's pool asks each connection that it gets back whether it still works, which costs as
//! much as a short statement does. Here they are asked only where there is a reason to doubt. The one
//! that was used last is used next, so that few processes of the server are busy, and their caches
//! warm.

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
use super::session::silent;

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

/// So many connections at most.
pub(super) struct Pool {
    connector: PostgresConnector,
    /// As many as may be in use at once: whoever has one finds a connection here or may make one.
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Held>>,
    suspicion: Arc<Suspicion>,
    /// The connections that have not ended.
    alive: TaskTracker,
}

/// A connection. It is closed when it is dropped: nobody else gets it.
pub(super) struct Held {
    /// There until this is dropped.
    connection: Option<PgConnection>,
    since: Instant,
    used: Instant,
    alive: TaskTracker,
    _is_alive: TaskTrackerToken,
}

impl Held {
    fn new(connection: PgConnection, alive: &TaskTracker) -> Self {
        let (now, token) = (Instant::now(), alive.token());
        let connection = Some(connection);
        Self { connection, since: now, used: now, alive: alive.clone(), _is_alive: token }
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("it is taken when this is dropped")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Nobody waits for the goodbye. Without a runtime there is none.
        if let Some(connection) = self.connection.take()
            && Handle::try_current().is_ok()
        {
            self.alive.spawn(timeout(GOODBYE_MAX, connection.close()));
        }
    }
}

/// When a connection last failed: those that have been idle since before may have failed with it.
#[derive(Debug, Default)]
pub(super) struct Suspicion(Mutex<Option<Instant>>);

impl Suspicion {
    pub(super) fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn falls_on(&self, idle_for: Duration) -> bool {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle_for > TRUSTED_FOR || raised.is_some_and(|raised| raised.elapsed() <= idle_for)
    }
}

impl Pool {
    pub(super) fn new(
        connector: &PostgresConnector,
        connections_max: u32,
        suspicion: &Arc<Suspicion>,
    ) -> Arc<Self> {
        Arc::new(Self {
            connector: connector.clone(),
            free: Arc::new(Semaphore::new(connections_max as usize)),
            idle: Mutex::default(),
            suspicion: Arc::clone(suspicion),
            alive: TaskTracker::new(),
        })
    }

    /// A connection that works, as far as one can know, and the right to it.
    pub(super) async fn acquire(&self) -> Result<(Held, OwnedSemaphorePermit), sqlx::Error> {
        let waiting = timeout(ACQUIRE_MAX, Arc::clone(&self.free).acquire_owned());
        let permit = waiting.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some(mut held) = self.take_idle() {
            let suspected = self.suspicion.falls_on(held.used.elapsed());
            if !suspected || ping(held.connection()).await.is_ok() {
                return Ok((held, permit));
            }
            // The others have been idle for longer, and to ask each might take too long.
            self.idle().clear();
        }
        let connection = self.make().await?;
        Ok((Held::new(connection, &self.alive), permit))
    }

    /// A new connection. A server that is starting is waited for.
    async fn make(&self) -> Result<PgConnection, sqlx::Error> {
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

    /// Keeps a connection on which all that was begun has ended.
    pub(super) fn put_back(&self, mut held: Held) {
        held.used = Instant::now();
        // Under the lock, so that `close` finds it, or this finds the pool closed.
        let mut idle = self.idle();
        if !self.free.is_closed() && held.since.elapsed() < AGE_MAX {
            idle.push(held);
        }
    }

    /// Waits for what is in use, and ends all of them.
    pub(super) async fn close(&self) {
        self.free.close();
        self.idle().clear();
        self.alive.close();
        self.alive.wait().await;
    }

    fn take_idle(&self) -> Option<Held> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Held>> {
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
