//! Everything that is known of a subject: its rows, which event each value came from, and what became
//! of each of its events.

use std::collections::{BTreeMap, BTreeSet};

use deskbell_store::{ReadLimit, Store, StoreError, StoredEvent};
use deskbell_sync::{ConnectError, ExplainedRow, Explainer, TargetError, ValueOrigin};

use crate::config::Config;
use crate::outcomes::{DestinationOutcome, Outcomes, OutcomesError};

/// A subject, and what is known of it.
pub(crate) struct Explained {
    /// `None` for a single event that is about nothing.
    pub(crate) subject: Option<String>,
    /// By destination.
    pub(crate) mirrors: Vec<ExplainedMirror>,
    /// The newest first.
    pub(crate) events: Vec<ExplainedEvent>,
    /// The places in the log of the events that values came from, by their message ids.
    pub(crate) seqs: BTreeMap<String, i64>,
    /// Whether there are older events.
    pub(crate) has_more: bool,
}

/// What one mirror has of the subject.
pub(crate) struct ExplainedMirror {
    pub(crate) destination: String,
    /// Why it could not be read, where it could not.
    pub(crate) rows: Result<Vec<ExplainedRow>, TargetError>,
}

/// An event, and what became of it.
pub(crate) struct ExplainedEvent {
    pub(crate) event: StoredEvent,
    pub(crate) destinations: Vec<DestinationOutcome>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ExplainError {
    #[error("cannot read the event log")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Outcomes(#[from] OutcomesError),
    #[error("cannot read the mirror of destination `{destination}`")]
    Mirror { destination: String, source: ConnectError },
}

/// Explains a subject, or what the event with this message id is about, by the newest events, at most so
/// many.
pub(crate) async fn explain(
    id: &str,
    config: &Config,
    store: &dyn Store,
    events_max: u32,
) -> Result<Explained, ExplainError> {
    for source in &config.sources {
        let Some(event) = store.find(&source.name, id).await? else { continue };
        return match event.subject.clone() {
            Some(subject) => explain_subject(&subject, config, store, events_max).await,
            None => explain_event(event, config, store).await,
        };
    }
    explain_subject(id, config, store, events_max).await
}

async fn explain_subject(
    subject: &str,
    config: &Config,
    store: &dyn Store,
    events_max: u32,
) -> Result<Explained, ExplainError> {
    let limit = ReadLimit { events_max, ..ReadLimit::default() };
    let found = store.events_by_subject(subject, None, limit).await?;
    let mut mirrors = Vec::new();
    for destination in config.destinations.iter().filter(|destination| destination.enabled) {
        let Some(options) = destination.mirror_options(&config.sources) else { continue };
        let destination = options.destination.clone();
        let explainer = Explainer::new(&options).map_err(|source| {
            let destination = destination.clone();
            ExplainError::Mirror { destination, source }
        })?;
        explainer.load_instances(store).await?;
        let rows = explainer.rows(subject, &found.events).await;
        mirrors.push(ExplainedMirror { destination, rows });
    }
    let seqs = seqs_of(&mirrors, &found.events, config, store).await?;
    let has_more = found.older.is_some();
    let events = with_outcomes(found.events, config, store).await?;
    Ok(Explained { subject: Some(subject.to_owned()), mirrors, events, seqs, has_more })
}

/// Explains a single event that is about nothing.
async fn explain_event(
    event: StoredEvent,
    config: &Config,
    store: &dyn Store,
) -> Result<Explained, ExplainError> {
    let events = with_outcomes(vec![event], config, store).await?;
    let (mirrors, seqs) = Default::default();
    Ok(Explained { subject: None, mirrors, events, seqs, has_more: false })
}

/// The places in the log of the events that values came from, by their message ids: one may be older
/// than those that are explained.
async fn seqs_of(
    mirrors: &[ExplainedMirror],
    events: &[StoredEvent],
    config: &Config,
    store: &dyn Store,
) -> Result<BTreeMap<String, i64>, StoreError> {
    let rows = mirrors.iter().flat_map(|mirror| mirror.rows.iter().flatten());
    let origins = rows.flat_map(|row| row.columns.iter().map(|column| &column.origin));
    let named = origins.filter_map(|origin| match origin {
        ValueOrigin::Event(id) => Some(id.clone()),
        ValueOrigin::Api | ValueOrigin::Unknown => None,
    });
    let named: BTreeSet<String> = named.collect();
    let mut seqs = BTreeMap::new();
    for id in named {
        let mut found = events.iter().find(|event| event.message_id == id).map(|event| event.seq);
        for source in &config.sources {
            if found.is_none() {
                found = store.find(&source.name, &id).await?.map(|event| event.seq);
            }
        }
        seqs.extend(found.map(|seq| (id, seq.get())));
    }
    Ok(seqs)
}

async fn with_outcomes(
    events: Vec<StoredEvent>,
    config: &Config,
    store: &dyn Store,
) -> Result<Vec<ExplainedEvent>, ExplainError> {
    let mut outcomes = Outcomes::open(config, store).await?;
    let mut explained = Vec::new();
    for event in events {
        let destinations = outcomes.of(&event).await;
        explained.push(destinations.map(|destinations| ExplainedEvent { event, destinations }));
    }
    outcomes.close().await;
    Ok(explained.into_iter().collect::<Result<_, _>>()?)
}

impl Explained {
    /// Whether there is an event, or a row.
    pub(crate) fn is_known(&self) -> bool {
        let has_row =
            |mirror: &ExplainedMirror| mirror.rows.as_ref().is_ok_and(|rows| !rows.is_empty());
        !self.events.is_empty() || self.mirrors.iter().any(has_row)
    }
}
