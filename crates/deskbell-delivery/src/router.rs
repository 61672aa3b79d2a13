//! The router: reads the log, and records which deliveries are pending.
//!
//! Each destination has a checkpoint of its own. Destinations with the same checkpoint share one read.
//! One that is further behind gets a batch of its own in each round until it has caught up, so that it
//! delays no other.

mod decide;
mod pending;
mod plan;
mod route;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::{ROUTER, Revived, Routed, RoutedBatch, Routing};
use deskbell_store::{
    FencingToken, FollowOptions, Leader, LogFollower, ReadLimit, Seq, StoreError, run_as_leader,
};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::decide::{Decided, decide};
use self::pending::run_gauge;
use self::plan::{LogRange, ranges};
pub use self::route::Route;
use crate::off_workers::off_workers;

/// While fewer events are routed at a time, and others come meanwhile, the router pauses for as long as
/// the last round took, so that a round has more of them.
const BATCH_EVENTS_MIN: u64 = 256;
/// And no longer: events wait for it.
const PAUSE_MAX: Duration = Duration::from_millis(5);
/// Replay requests that are executed in one transaction.
const REQUESTS_MAX: u32 = 500;

#[derive(Debug, Clone, Default)]
pub struct RouterOptions {
    /// How much of the log is routed in one transaction.
    pub batch: ReadLimit,
    pub follow: FollowOptions,
    /// How often pending deliveries are counted for the gauge `deskbell_delivery_pending`; `None` if
    /// nobody reads it.
    pub count_every: Option<Duration>,
}

#[derive(Debug)]
pub struct Router {
    store: Arc<dyn Routing>,
    routes: Vec<Route>,
    options: RouterOptions,
    /// `None` until it is read.
    position: Option<Position>,
}

/// The right to route, and the destinations' checkpoints.
#[derive(Debug)]
struct Position {
    token: FencingToken,
    checkpoints: BTreeMap<Arc<str>, Seq>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouterProgress {
    /// Events that were read, once for each read.
    pub events: u64,
    pub deliveries: u64,
    /// Deliveries that are pending again, since their event was sent again.
    pub revived: u64,
    /// Whether the next round has something to do.
    pub more: bool,
}

/// Why a round failed. Nothing was skipped: the next round goes on.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    #[error("failed to route events")]
    Store(#[from] StoreError),
    #[error("another router has taken over")]
    Superseded,
}

impl Router {
    /// A router of this log for these destinations, which must be registered.
    #[must_use]
    pub fn new(store: Arc<dyn Routing>, routes: Vec<Route>, options: RouterOptions) -> Self {
        Self { store, routes, options, position: None }
    }

    /// Follows the log until `shutdown`, while this process is the leader.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, ROUTER, &shutdown, &mut self).await;
    }

    /// One round: routes the next batch for each checkpoint, and executes the next replay requests.
    ///
    /// # Errors
    /// [`RouterError`]; the next round reads the checkpoints and goes on.
    pub async fn run_once(&mut self) -> Result<RouterProgress, RouterError> {
        let Position { token, mut checkpoints } = match self.position.take() {
            Some(position) => position,
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
        self.position = Some(Position { token, checkpoints });
        Ok(progress)
    }

    async fn take_over(&self) -> Result<Position, RouterError> {
        let token = self.store.next_fencing_token(ROUTER).await?;
        let states = self.store.destinations().await?;
        let is_ours = |name: &Arc<str>| self.routes.iter().any(|route| route.destination == *name);
        let ours = states.into_iter().filter(|state| is_ours(&state.name));
        let checkpoints = ours.map(|state| (state.name, state.routed)).collect();
        Ok(Position { token, checkpoints })
    }

    /// Routes the next batch of the range; the new checkpoint, if there was anything.
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
        // Conditions may take long: meanwhile another thread runs the tasks of this one.
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

    async fn follow(&mut self, shutdown: CancellationToken) {
        // Others may have moved the checkpoints since this process was last the leader.
        self.position = None;
        let mut follower = LogFollower::new(self.store.subscribe(), self.options.follow);
        while follower.next_step(&shutdown).await {
            let began = Instant::now();
            match self.run_once().await {
                Ok(progress) => {
                    if progress.more && progress.events < BATCH_EVENTS_MIN {
                        sleep(began.elapsed().min(PAUSE_MAX)).await;
                    }
                    follower.succeeded(progress.more);
                }
                Err(error) => {
                    let retry_in_ms = whole_ms(follower.failed());
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, retry_in_ms, "cannot route events; retrying");
                }
            }
        }
    }
}

#[async_trait]
impl Leader for Router {
    async fn lead(&mut self, shutdown: CancellationToken) {
        let destinations = self.routes.iter().map(|route| Arc::clone(&route.destination)).collect();
        let count_every = self.options.count_every;
        let gauge = run_gauge(Arc::clone(&self.store), destinations, count_every);
        tokio::select! {
            () = self.follow(shutdown) => {}
            () = gauge => {}
        }
    }
}
