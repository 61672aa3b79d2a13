//! What became of events at every destination, mirrors included. All commands read it here.

pub(crate) mod mirrors;

use std::sync::Arc;

use deskbell_delivery::{Route, StoredOutcome, event_outcome};
use deskbell_store::clock;
use deskbell_store::deliveries::{AttemptSummary, DestinationState};
use deskbell_store::{Outcome, OutcomeKind, ReadLimit, Store, StoreError, StoredEvent};
use deskbell_sync::outcome::{OutcomeReader, PartOutcome};
use deskbell_sync::status::{self, MirrorState, Reported};
use deskbell_sync::{ConnectError, MirrorOptions};

use crate::config::Config;
use crate::delivering::{self, DeliveringError};

/// Earlier events about the same subject that are read to find out whether a statement skipped an
/// event as stale. It is not reported for older ones.
const EARLIER_MAX: u32 = 200;

/// What became of an event at one destination.
#[derive(Debug)]
pub(crate) struct DestinationOutcome {
    pub(crate) name: Arc<str>,
    pub(crate) outcome: Outcome,
    /// For a mirror, what became of it in each table and statement.
    pub(crate) parts: Vec<PartOutcome>,
    pub(crate) attempts: Vec<AttemptSummary>,
}

/// Reads what became of events at the config's destinations.
#[derive(Debug)]
pub(crate) struct Outcomes<'a> {
    store: &'a dyn Store,
    destinations: Vec<Destination>,
    states: Vec<DestinationState>,
}

#[derive(Debug)]
enum Destination {
    Mirror(Box<Mirror>),
    Queue(Route),
}

#[derive(Debug)]
struct Mirror {
    options: MirrorOptions,
    reader: OutcomeReader,
    reported: Option<Reported>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum OutcomesError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Delivering(#[from] DeliveringError),
    #[error("cannot read the mirror of destination `{destination}`")]
    Mirror { destination: String, source: ConnectError },
}

impl<'a> Outcomes<'a> {
    /// Opens the databases of the config's enabled destinations. One that is unreachable is no error:
    /// the outcomes say so.
    pub(crate) async fn open(config: &Config, store: &'a dyn Store) -> Result<Self, OutcomesError> {
        let routes = delivering::routes(config)?;
        let mut destinations = Vec::new();
        for destination in config.destinations.iter().filter(|destination| destination.enabled) {
            if let Some(options) = destination.mirror_options(&config.sources) {
                let mirror = Mirror::open(options, store).await?;
                destinations.push(Destination::Mirror(Box::new(mirror)));
            }
            let route = routes.iter().find(|route| *route.destination == *destination.name);
            destinations.extend(route.cloned().map(Destination::Queue));
        }
        Ok(Self { store, destinations, states: store.destinations().await? })
    }

    /// Closes the connections to the mirrors' databases.
    pub(crate) async fn close(self) {
        for destination in self.destinations {
            if let Destination::Mirror(mirror) = destination {
                mirror.reader.close().await;
            }
        }
    }

    /// What became of this event: at the config's destinations in their order, then at those that
    /// only the store knows.
    pub(crate) async fn of(
        &mut self,
        event: &StoredEvent,
    ) -> Result<Vec<DestinationOutcome>, StoreError> {
        let mut deliveries = self.store.deliveries_of(event.seq).await?;
        let filtered_out = self.store.filtered_out(event.seq).await?;
        let mut outcomes = Vec::new();
        for destination in &mut self.destinations {
            let route = match destination {
                Destination::Mirror(mirror) => {
                    outcomes.push(mirror.outcome(self.store, event).await?);
                    continue;
                }
                Destination::Queue(route) => route,
            };
            let name = &route.destination;
            let at = deliveries.iter().position(|delivery| delivery.key.destination == *name);
            let delivery = at.map(|at| deliveries.remove(at));
            let stored = StoredOutcome {
                delivery: delivery.as_ref().map(|delivery| &delivery.state),
                filtered_out: filtered_out
                    .iter()
                    .find(|filtered_out| filtered_out.destination == *name)
                    .map(|filtered_out| &*filtered_out.reason),
                routed: self.states.iter().find(|one| one.name == *name).map(|one| one.routed),
            };
            let outcome = event_outcome(event, Some(route), &stored);
            let attempts = delivery.map(|delivery| delivery.attempts).unwrap_or_default();
            let (name, parts) = (Arc::clone(name), Vec::new());
            outcomes.push(DestinationOutcome { name, outcome, parts, attempts });
        }
        outcomes.extend(deliveries.into_iter().map(|delivery| {
            let stored =
                StoredOutcome { delivery: Some(&delivery.state), ..StoredOutcome::default() };
            DestinationOutcome {
                outcome: event_outcome(event, None, &stored),
                name: delivery.key.destination,
                parts: Vec::new(),
                attempts: delivery.attempts,
            }
        }));
        Ok(outcomes)
    }
}

impl Mirror {
    async fn open(options: MirrorOptions, store: &dyn Store) -> Result<Self, OutcomesError> {
        let reader = OutcomeReader::open(&options, store.log_id()).await;
        let mut reader = reader.map_err(|source| OutcomesError::Mirror {
            destination: options.destination.clone(),
            source,
        })?;
        reader.load_instances(store).await?;
        let reported = status::reported(store, &options.destination).await?;
        Ok(Self { options, reader, reported })
    }

    async fn outcome(
        &mut self,
        store: &dyn Store,
        event: &StoredEvent,
    ) -> Result<DestinationOutcome, StoreError> {
        let earlier = match &event.subject {
            Some(subject) if !self.options.database.statements.is_empty() => {
                let limit = ReadLimit { events_max: EARLIER_MAX, ..ReadLimit::default() };
                store.events_by_subject(subject, Some(event.seq), limit).await?.events
            }
            _ => Vec::new(),
        };
        let found = self.reader.outcome(event, &earlier).await;
        Ok(DestinationOutcome {
            name: self.options.destination.as_str().into(),
            outcome: self.explained(event, found.outcome),
            parts: found.parts,
            attempts: Vec::new(),
        })
    }

    /// Adds the reason why an event is pending, if the mirror's consumer reported one.
    fn explained(&self, event: &StoredEvent, outcome: Outcome) -> Outcome {
        let Some(reported) = &self.reported else { return outcome };
        if outcome.kind != OutcomeKind::Pending {
            return outcome;
        }
        let status = &reported.status;
        if !reported.is_current(clock::now_ms()) {
            return Outcome::new(OutcomeKind::Pending, reported.not_running());
        }
        if event.seq <= status.seq {
            let had = format!("before that it had come to event {} of the log", status.seq);
            let reason = outcome.reason.map(|reason| format!("{reason}; {had}"));
            return Outcome { reason, ..outcome };
        }
        match &status.state {
            MirrorState::Waiting(_) => Outcome::new(OutcomeKind::Pending, status.state.to_string()),
            _ => outcome,
        }
    }
}
