//! Connections that are kept between two pieces of work.
//!
//! The driver's pool asks each connection that it gets back whether it still works, which costs as
//! much as a short statement does. So it gets none back: they wait here, and are asked only where
//! there is a reason to doubt. The one that was used last is used next, so that few processes of the
//! server are busy, and their caches warm.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, Postgres};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::session::silent;

/// How long a call waits for a connection that is free, or for a new one to be made.
const ACQUIRE_MAX: Duration = Duration::from_secs(5);
/// A connection that nobody used for so long is asked whether it still works before it is used.
const TRUSTED_FOR: Duration = Duration::from_secs(5);
/// How long the answer may take whether a connection still works.
const PING_MAX: Duration = Duration::from_secs(2);
/// One that is older is replaced, as the driver's pool does: a server's process grows with time.
const AGE_MAX: Duration = Duration::from_secs(30 * 60);

/// So many connections at most.
pub(super) struct Pool {
    driver: PgPool,
    /// As many as may be in use at once: whoever has one finds a connection here or may make one.
    free: Arc<Semaphore>,
    idle: Mutex<Vec<Held>>,
    suspicion: Arc<Suspicion>,
}

/// A connection. It is closed when it is dropped: nobody else gets it.
pub(super) struct Held {
    pub(super) connection: PoolConnection<Postgres>,
    since: Instant,
    used: Instant,
}

impl Drop for Held {
    fn drop(&mut self) {
        // To ask it how it is, as the driver's pool does, might take as long as what was given up.
        self.connection.close_on_drop();
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
        options: &PgConnectOptions,
        connections_max: u32,
        suspicion: &Arc<Suspicion>,
    ) -> Arc<Self> {
        let driver = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(ACQUIRE_MAX)
            // All that it hands out are new.
            .test_before_acquire(false)
            .connect_lazy_with(options.clone());
        Arc::new(Self {
            driver,
            free: Arc::new(Semaphore::new(connections_max as usize)),
            idle: Mutex::default(),
            suspicion: Arc::clone(suspicion),
        })
    }

    /// A connection that works, as far as one can know, and the right to it.
    pub(super) async fn acquire(&self) -> Result<(Held, OwnedSemaphorePermit), sqlx::Error> {
        let waiting = timeout(ACQUIRE_MAX, Arc::clone(&self.free).acquire_owned());
        let permit = waiting.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        while let Some(mut held) = self.take_idle() {
            let suspected = self.suspicion.falls_on(held.used.elapsed());
            if !suspected || ping(&mut held.connection).await.is_ok() {
                return Ok((held, permit));
            }
            // The others have been idle for longer, and to ask each might take too long.
            self.idle().clear();
        }
        let connection = self.driver.acquire().await?;
        let now = Instant::now();
        Ok((Held { connection, since: now, used: now }, permit))
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
        self.driver.close().await;
    }

    fn take_idle(&self) -> Option<Held> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Held>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ping(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    timeout(PING_MAX, connection.ping()).await.unwrap_or_else(|_| Err(silent(PING_MAX)))
}
