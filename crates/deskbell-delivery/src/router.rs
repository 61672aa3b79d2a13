//! The router: reads the log, and records which deliveries are pending.
//!
//! Each destination has a checkpoint of its own. Those that stand at the same place share one
//! read; one that stands further back is read for by itself until it has caught up, a batch in
//! turn with the others, so that it delays none of them.

mod decide;
mod pending;
mod plan;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::deliveries::{ROUTER, Revived, Routed, RoutedBatch, Routing};
use deskbell_store::{
    FencingToken, Leader, ReadLimit, Seq, StoreError, StoredEvent, run_as_leader,
};
use tokio_util::sync::CancellationToken;

use self::decide::{Decided, decide};
use self::pending::PendingGauge;
use self::plan::{LogRange, ranges};
use crate::filter::{Decision, Filter};
use crate::notice::NOTICE_SOURCE;
use crate::off_workers::off_workers;

/// Replay requests that are acted on in one transaction.
const REQUESTS_MAX: u32 = 500;
/// Between tries while the store is away.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// A destination, and which events it gets.
#[derive(Debug, Clone)]
pub struct Route {
    /// The destination's name.
    pub destination: Arc<str>,
    /// What it wants.
    pub filter: Filter,
    /// Whether it gets the engine's own notices, whatever its filter.
    pub takes_notices: bool,
}

/// How the log is read.
#[derive(Debug, Clone)]
pub struct RouterOptions {
    /// How much of the log is routed in one transaction.
    pub batch: ReadLimit,
    /// How often the log is asked, whatever its hints say.
    pub poll_every: Duration,
    /// How often it is counted what waits for the destinations, for the gauge
    /// `deskbell_delivery_pending`; `None` where nobody reads it.
    pub count_every: Option<Duration>,
}

impl Default for RouterOptions {
    fn default() -> Self {
        Self { batch: ReadLimit::default(), poll_every: Duration::from_secs(1), count_every: None }
    }
}

/// Routes one log.
#[derive(Debug)]
pub struct Router {
    store: Arc<dyn Routing>,
    routes: Vec<Route>,
    options: RouterOptions,
    /// `None` while it is not known where the destinations stand.
    stand: Option<Stand>,
}

/// The right to route, and where the destinations stand.
#[derive(Debug)]
struct Stand {
    token: FencingToken,
    checkpoints: BTreeMap<Arc<str>, Seq>,
}

/// What a call of [`Router::run_once`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouterProgress {
    /// Events that were read, once for each read.
    pub events: u64,
    /// Deliveries that are pending.
    pub deliveries: u64,
    /// Deliveries that are pending again, as their event was sent again.
    pub revived: u64,
    /// Whether it is worth calling again at once.
    pub more: bool,
}

/// A batch that was not routed. Nothing was skipped; calling again goes on.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    /// The store could not be read or written.
    #[error("failed to route events")]
    Store(#[from] StoreError),
    /// Another router has taken over.
    #[error("another router has taken over")]
    Superseded,
}

impl Router {
    /// A router of this log for these destinations, which must be registered.
    #[must_use]
    pub fn new(store: Arc<dyn Routing>, routes: Vec<Route>, options: RouterOptions) -> Self {
        Self { store, routes, options, stand: None }
    }

    /// Follows the log until `shutdown`, while this process is the leader.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, ROUTER, &shutdown, &mut self).await;
    }

    /// Routes the next batch for each group of destinations that stand at one place, and acts on
    /// the next replay requests.
    ///
    /// # Errors
    /// [`RouterError`]; calling again finds out where the destinations stand, and goes on.
    pub async fn run_once(&mut self) -> Result<RouterProgress, RouterError> {
        let Stand { token, mut checkpoints } = match self.stand.take() {
            Some(stand) => stand,
            None => self.take_over().await?,
        };
        let mut progress = RouterProgress::default();
        for range in ranges(&checkpoints) {
            let Some(to) = self.route(token, &range, &mut progress).await? else { continue };
            for destination in range.destinations {
                checkpoints.insert(destination, to);
            }
        }
        self.revive(token, &mut progress).await?;
        self.stand = Some(Stand { token, checkpoints });
        Ok(progress)
    }

    async fn take_over(&self) -> Result<Stand, RouterError> {
        let token = self.store.next_fencing_token(ROUTER).await?;
        let states = self.store.destinations().await?;
        let is_ours = |name: &Arc<str>| self.routes.iter().any(|route| route.destination == *name);
        let ours = states.into_iter().filter(|state| is_ours(&state.name));
        let checkpoints = ours.map(|state| (state.name, state.routed)).collect();
        Ok(Stand { token, checkpoints })
    }

    /// Routes what follows the range's beginning; where it got to, if there was anything.
    async fn route(
        &self,
        token: FencingToken,
        range: &LogRange,
        progress: &mut RouterProgress,
    ) -> Result<Option<Seq>, RouterError> {
        let limit = range.limit(self.options.batch);
        let mut events = self.store.read(range.from, limit).await?;
        if let Some(end) = range.until {
            events.retain(|event| event.seq <= end);
        }
        if events.is_empty() {
            return Ok(None);
        }
        let is_here = |route: &&Route| range.destinations.contains(&route.destination);
        let routes: Vec<&Route> = self.routes.iter().filter(is_here).collect();
        // Conditions may take long: meanwhile another thread does this one's work.
        let Decided { count, deliveries, filtered_out } = off_workers(|| decide(&routes, &events));
        let to = events[count - 1].seq;
        let (pending, destinations) = (deliveries.len(), range.destinations.clone());
        let from = range.from;
        let batch = RoutedBatch { token, from, to, destinations, deliveries, filtered_out };
        if self.store.route(&batch).await? == Routed::Superseded {
            return Err(RouterError::Superseded);
        }
        progress.events += u64::try_from(count).unwrap_or(u64::MAX);
        progress.deliveries += u64::try_from(pending).unwrap_or(u64::MAX);
        progress.more |= range.until.is_some() || self.store.head().await? > to;
        Ok(Some(to))
    }

    async fn revive(
        &self,
        token: FencingToken,
        progress: &mut RouterProgress,
    ) -> Result<(), RouterError> {
        match self.store.revive_requested(token, REQUESTS_MAX).await? {
            Revived::Done { requests, deliveries } => {
                progress.revived += deliveries;
                progress.more |= requests == REQUESTS_MAX;
                Ok(())
            }
            Revived::Superseded => Err(RouterError::Superseded),
        }
    }

    /// Follows the log until `shutdown`.
    async fn follow(&mut self, shutdown: CancellationToken) {
        // Others may have moved the checkpoints since this process was last the leader.
        self.stand = None;
        let mut head = self.store.subscribe();
        while !shutdown.is_cancelled() {
            // Before the log is read: what comes in between wakes the wait below.
            head.mark_unchanged();
            let pause = match self.run_once().await {
                Ok(RouterProgress { more: true, .. }) => continue,
                Ok(_) => self.options.poll_every,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "cannot route events; retrying"
                    );
                    STORE_PAUSE
                }
            };
            let is_well = pause == self.options.poll_every;
            tokio::select! {
                () = shutdown.cancelled() => {}
                Ok(()) = head.changed(), if is_well => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Keeps the gauge of what waits, where somebody reads it; does not return.
    fn count(&self) -> impl Future<Output = ()> + use<> {
        let gauge = |every| {
            let destinations = self.routes.iter().map(|route| Arc::clone(&route.destination));
            PendingGauge::new(Arc::clone(&self.store), destinations.collect(), every)
        };
        let gauge = self.options.count_every.map(gauge);
        async {
            match gauge {
                Some(gauge) => gauge.run().await,
                None => std::future::pending().await,
            }
        }
    }
}

#[async_trait]
impl Leader for Router {
    async fn lead(&mut self, shutdown: CancellationToken) {
        let count = self.count();
        tokio::select! {
            () = self.follow(shutdown) => {}
            () = count => {}
        }
    }
}

impl Route {
    /// Whether the destination gets this event.
    #[must_use]
    pub fn decide(&self, event: &StoredEvent, view: &deskbell_expr::EventView<'_>) -> Decision {
        if event.is_pruned() {
            return Decision::Ignore("its payload was pruned".to_owned());
        }
        if *event.source != *NOTICE_SOURCE {
            return self.filter.decide(event, view);
        }
        // Nobody is told that it does not hear us.
        let is_about_it = event.subject.as_deref() == Some(&*self.destination);
        if self.takes_notices && !is_about_it {
            return Decision::Deliver;
        }
        Decision::Ignore("it takes no alerts, or is what this one is about".to_owned())
    }
}
