//! Making sure that an entity is in a mirror, for whoever looks for it before its event has arrived: a
//! browser is back from sign-up sooner than Clerk's webhook.

mod absent;
mod clerk;
mod error;
mod flights;
mod mirror;
mod wanted;

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use deskbell_store::ConsumerLog;
use deskbell_sync::entity::Entity;
use futures_util::future::{Either, select};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use absent::Absent;
use clerk::CheckedSource;
pub use error::EnsureError;
use flights::{Flight, Flights};
use mirror::Seen;
pub use mirror::{EnsuredMirror, EnsuredRow};
pub use wanted::{MalformedId, Wanted};

use crate::backfill::BackfillMirror;
use crate::followed::{BackfillSource, is_read_from};
use crate::object_pages::ReadError;

/// How long Clerk may take, the wait for a share of the rate limit included.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);

/// Finds entities in mirrors, waits for them, and fetches them from Clerk. Clones are one.
#[derive(Clone)]
pub struct Ensure {
    current: Arc<RwLock<Arc<Current>>>,
    /// Nobody waits once the program stops.
    stopping: CancellationToken,
}

/// The mirrors and sources of one config.
struct Current {
    store: Arc<dyn ConsumerLog>,
    sources: Vec<BackfillSource>,
    checked: Vec<CheckedSource>,
    mirrors: Vec<EnsuredMirror>,
    looks: Flights<Key, Result<Option<Seen>, EnsureError>>,
    waits: Flights<Key, Seen>,
    fetches: Flights<Key, Result<Option<EnsuredRow>, EnsureError>>,
    absent: Absent<Key>,
}

/// The index of a mirror, and what is looked for in it.
type Key = (usize, Wanted);

impl Ensure {
    /// Looks in these mirrors, and asks Clerk where one of a mirror's sources has a key.
    #[must_use]
    pub fn new(
        store: Arc<dyn ConsumerLog>,
        sources: Vec<BackfillSource>,
        mirrors: Vec<EnsuredMirror>,
    ) -> Self {
        let current = Current::new(store, sources, mirrors);
        let current = Arc::new(RwLock::new(Arc::new(current)));
        Self { current, stopping: CancellationToken::new() }
    }

    /// Looks in these mirrors from now on; who waits already waits on.
    pub fn replace(&self, sources: Vec<BackfillSource>, mirrors: Vec<EnsuredMirror>) {
        let store = Arc::clone(&self.current().store);
        let next = Arc::new(Current::new(store, sources, mirrors));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
    }

    /// The entity's row in the mirror of this destination, or the first that has such entities.
    ///
    /// One that is not there is waited for, and at the same time fetched from Clerk if there is a key.
    /// What Clerk answers counts at once; without an answer `wait` ends it. `None`: the entity was
    /// deleted, Clerk does not have it, or nothing was heard of it in time.
    ///
    /// # Errors
    /// There is no such mirror, or the mirror or Clerk cannot be used.
    pub async fn row(
        &self,
        wanted: Wanted,
        destination: Option<&str>,
        wait: Duration,
    ) -> Result<Option<EnsuredRow>, EnsureError> {
        let row = self.current().row(wanted, destination, wait);
        let row = self.stopping.run_until_cancelled(row).await;
        row.unwrap_or(Err(EnsureError::Stopping))
    }

    /// Whoever waits is told that the program stops.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Current {
    fn new(
        store: Arc<dyn ConsumerLog>,
        sources: Vec<BackfillSource>,
        mirrors: Vec<EnsuredMirror>,
    ) -> Self {
        let checked = sources.iter().cloned().map(CheckedSource::new).collect();
        Self {
            store,
            sources,
            checked,
            mirrors,
            looks: Flights::new(),
            waits: Flights::new(),
            fetches: Flights::new(),
            absent: Absent::new(),
        }
    }

    async fn row(
        self: Arc<Self>,
        wanted: Wanted,
        destination: Option<&str>,
        wait: Duration,
    ) -> Result<Option<EnsuredRow>, EnsureError> {
        let is_it = |mirror: &EnsuredMirror| {
            destination.is_none_or(|name| name == mirror.options.destination) && mirror.has(&wanted)
        };
        let mirror = self.mirrors.iter().position(is_it).ok_or(EnsureError::NoMirror)?;
        let key = (mirror, wanted);
        let looked = self.look(&key).await;
        if let Ok(Some(seen)) = looked {
            return Ok(seen.into_row());
        }
        let waited = pin!(self.wait(&key, wait));
        // A mirror that cannot be read cannot be filled.
        let fetch = if looked.is_ok() { self.fetch(&key) } else { None };
        let Some(fetch) = fetch else {
            return match waited.await {
                Some(seen) => Ok(seen.into_row()),
                None => looked.map(|_| None),
            };
        };
        match select(waited, fetch).await {
            Either::Left((Some(seen), _)) => Ok(seen.into_row()),
            Either::Left((None, fetch)) => fetch.await,
            Either::Right((Ok(row), _)) => Ok(row),
            // The event may come all the same.
            Either::Right((Err(error), waited)) => match waited.await {
                Some(seen) => Ok(seen.into_row()),
                None => Err(error),
            },
        }
    }

    fn look(self: &Arc<Self>, key: &Key) -> Flight<Result<Option<Seen>, EnsureError>> {
        self.looks.join(key, || {
            let (current, (mirror, wanted)) = (Arc::clone(self), key.clone());
            async move { current.mirrors[mirror].look(&wanted).await }
        })
    }

    /// Waits for the entity's event; `None` if it does not come in time.
    async fn wait(self: &Arc<Self>, key: &Key, wait: Duration) -> Option<Seen> {
        if wait.is_zero() {
            return None;
        }
        let appearance = self.waits.join(key, || {
            let (current, (mirror, wanted)) = (Arc::clone(self), key.clone());
            async move { current.mirrors[mirror].until_known(&wanted).await }
        });
        timeout(wait, appearance).await.ok()
    }

    /// Fetches the entity from Clerk; `None` if there is no key for the mirror.
    fn fetch(
        self: &Arc<Self>,
        key: &Key,
    ) -> Option<Flight<Result<Option<EnsuredRow>, EnsureError>>> {
        let options = &self.mirrors[key.0].options;
        let is_it = |source: &BackfillSource| is_read_from(options, source, &self.sources);
        let source = self.sources.iter().position(is_it)?;
        Some(self.fetches.join(key, || {
            let (current, key) = (Arc::clone(self), key.clone());
            async move {
                let fetched = timeout(FETCH_TIMEOUT, current.fetch_and_write(source, &key)).await;
                fetched.unwrap_or(Err(EnsureError::ClerkSilent(FETCH_TIMEOUT)))
            }
        }))
    }

    async fn fetch_and_write(
        &self,
        source: usize,
        key: &Key,
    ) -> Result<Option<EnsuredRow>, EnsureError> {
        let (mirror, wanted) = (&self.mirrors[key.0], &key.1);
        if self.absent.contains(key) {
            return Ok(None);
        }
        // Another fetch may have ended since it was looked.
        if let Some(seen) = mirror.look(wanted).await? {
            return Ok(seen.into_row());
        }
        let destination = || mirror.options.destination.clone();
        let target = mirror.target.borrow().clone();
        let (Some(target), Some(entity)) = (target, wanted.entity()) else {
            return Err(EnsureError::MirrorClosed { destination: destination() });
        };
        let filled = BackfillMirror::new(target, &mirror.options);
        let source = &self.checked[source];
        let checked = source.check(&*self.store, &mirror.options.destination, filled.fold());
        let from = checked.await.map_err(EnsureError::Key)?;
        let read = source.read(wanted, entity).await;
        count(entity, &read);
        let Some(object) = read.map_err(|error| EnsureError::Clerk(Arc::new(error)))? else {
            self.absent.insert(key.clone());
            return Ok(None);
        };
        let written = filled.write(&from, &[object], self.store.log_id()).await;
        written.map_err(|error| EnsureError::Mirror {
            destination: destination(),
            source: Arc::new(error),
        })?;
        match mirror.look(wanted).await? {
            Some(seen) => Ok(seen.into_row()),
            None => Err(EnsureError::Rejected { destination: destination() }),
        }
    }
}

fn count<T>(entity: &Entity, read: &Result<Option<T>, ReadError>) {
    let outcome = match read {
        Ok(Some(_)) => "found",
        Ok(None) => "not_found",
        Err(_) => "failed",
    };
    let labels = [("entity", entity.name), ("outcome", outcome)];
    metrics::counter!("deskbell_ensure_fetches_total", &labels).increment(1);
}

impl fmt::Debug for Ensure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ensure").finish_non_exhaustive()
    }
}
