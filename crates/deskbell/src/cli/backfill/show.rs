//! How far a backfill is, and what became of it.

use std::time::Duration;

use deskbell_store::{Leases, StoreError};
use deskbell_trust::{
    BackfillState, WalkState, WalkStatus, emission_name, emission_of, read_backfill_state,
};
use indicatif::ProgressBar;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use super::super::clerk::task::Task;
use super::super::{Context, progress, table};

const READING: &str = "reading {bar:40} {pos}/{len} objects, {per_sec} ({eta} left)";
/// How often a running `serve` is asked how far it is.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// A progress bar of what was asked for.
pub(super) struct Shown {
    bar: ProgressBar,
    destinations: Vec<String>,
    entities: Vec<String>,
    /// Whether events are made, and no mirror is filled.
    emits: bool,
}

impl Shown {
    pub(super) fn new(task: &Task, context: &Context) -> Self {
        let (destinations, entities) = match &task.request.emit {
            Some(emit) => {
                let walks = emit.sources.iter().map(|name| emission_name(name, &emit.event_type));
                (emit.destinations.clone(), walks.collect())
            }
            None => {
                let mirrors = task.mirrors.iter().map(|mirror| mirror.destination.clone());
                (mirrors.collect(), task.request.entities.clone())
            }
        };
        let (bar, emits) = (progress::bar(0, READING, context), task.request.emit.is_some());
        Self { bar, destinations, entities, emits }
    }

    /// Draws the bar whenever the state changes.
    pub(super) async fn follow(&self, mut state: watch::Receiver<BackfillState>) {
        loop {
            self.draw(&state.borrow_and_update().clone());
            if state.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Draws the bar until a running `serve` is done with the request of this number.
    pub(super) async fn until_done(
        &self,
        store: &dyn Leases,
        number: i64,
    ) -> Result<BackfillState, StoreError> {
        let mut poll = tokio::time::interval(POLL_INTERVAL);
        loop {
            poll.tick().await;
            let Some(state) = read_backfill_state(store).await? else { continue };
            if state.request >= number && !state.is_running {
                return Ok(state);
            }
            self.draw(&state);
        }
    }

    fn draw(&self, state: &BackfillState) {
        let walks = || self.walks(state).map(|(.., walk)| walk);
        let running = walks().filter(|walk| walk.status == WalkStatus::Running);
        let total: u64 = running.map(|walk| walk.total.unwrap_or(0).max(walk.read)).sum();
        let settled = walks().filter(|walk| walk.status != WalkStatus::Running);
        self.bar.set_length(total + settled.map(|walk| walk.read).sum::<u64>());
        self.bar.set_position(walks().map(|walk| walk.read).sum());
    }

    fn walks<'a>(
        &'a self,
        state: &'a BackfillState,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a WalkState)> {
        let is_named = |names: &[String], name: &str| names.iter().any(|one| one == name);
        state.walks().filter(move |(destination, entity, _)| {
            is_named(&self.destinations, destination)
                && (self.entities.is_empty() || is_named(&self.entities, entity))
        })
    }

    /// Prints what became of each entity; whether all of it is in the mirrors.
    pub(super) fn print(&self, state: &BackfillState, context: &Context) -> bool {
        self.bar.finish_and_clear();
        let walks: Vec<_> = self.walks(state).collect();
        if self.emits {
            print_emitted(&walks, context);
        } else if context.json {
            let entities = walks.iter().map(|(destination, entity, walk)| FilledOutput {
                destination,
                entity,
                status: walk.status,
                read: walk.read,
                rows_written: walk.rows_written,
                rejected: walk.rejected,
                passed_over: &walk.passed_over,
                error: walk.error.as_deref(),
            });
            outln!("{:#}", json!(BackfillOutput { entities: entities.collect() }));
        } else {
            let rows = walks.iter().map(|(destination, entity, walk)| {
                let (read, written) = (walk.read.to_string(), walk.rows_written.to_string());
                [(*destination).to_owned(), (*entity).to_owned(), read, written, outcome(walk)]
            });
            table::print(["MIRROR", "ENTITY", "READ", "WRITTEN", "STATE"], rows);
        }
        let is_there = |name: &&String| walks.iter().any(|(destination, ..)| destination == name);
        let mut is_whole = true;
        for missing in self.destinations.iter().filter(|name| !is_there(name)) {
            errln!(
                "{missing}: nothing was read for it; is its database available, and is it in the \
                 config of the running `deskbell serve`?"
            );
            is_whole = false;
        }
        is_whole && walks.iter().all(|(.., walk)| walk.status.is_settled() && walk.rejected == 0)
    }
}

/// What `backfill` has done.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct BackfillOutput<'a> {
    entities: Vec<FilledOutput<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct FilledOutput<'a> {
    /// The mirror.
    destination: &'a str,
    entity: &'a str,
    status: WalkStatus,
    /// Objects that were read from Clerk's API.
    read: u64,
    rows_written: u64,
    /// Rows that the database rejected.
    rejected: u64,
    /// Tables that were blocked, and have nothing of it.
    passed_over: &'a [String],
    error: Option<&'a str>,
}

/// What `backfill --emit` has done.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct EmittedOutput<'a> {
    events: Vec<EmittedTypeOutput<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct EmittedTypeOutput<'a> {
    destination: &'a str,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    status: WalkStatus,
    /// Objects that were read from Clerk's API.
    read: u64,
    /// Deliveries that were made of them.
    deliveries: u64,
    error: Option<&'a str>,
}

/// Prints how many events were made, and for whom.
fn print_emitted(walks: &[(&str, &str, &WalkState)], context: &Context) {
    let named = walks.iter().filter_map(|(destination, name, walk)| {
        let (source, event_type) = emission_of(name)?;
        Some((*destination, source, event_type, *walk))
    });
    if context.json {
        let events = named.map(|(destination, source, event_type, walk)| EmittedTypeOutput {
            destination,
            source,
            event_type,
            status: walk.status,
            read: walk.read,
            deliveries: walk.rows_written,
            error: walk.error.as_deref(),
        });
        outln!("{:#}", json!(EmittedOutput { events: events.collect() }));
        return;
    }
    let rows = named.map(|(destination, source, event_type, walk)| {
        let (read, deliveries) = (walk.read.to_string(), walk.rows_written.to_string());
        let (source, event_type) = (source.to_owned(), event_type.to_owned());
        [destination.to_owned(), source, event_type, read, deliveries, outcome(walk)]
    });
    table::print(["DESTINATION", "SOURCE", "TYPE", "READ", "DELIVERIES", "STATE"], rows);
}

/// What became of an entity, in words.
fn outcome(walk: &WalkState) -> String {
    let why = walk.error.as_deref().unwrap_or_default();
    match walk.status {
        WalkStatus::Done if walk.rejected > 0 => {
            format!(
                "done; the database rejected {} rows: `deskbell dead-letters list`",
                walk.rejected
            )
        }
        WalkStatus::Done => "done".to_owned(),
        WalkStatus::Running => "not done; run it again to continue".to_owned(),
        WalkStatus::Failed => format!("failed; run it again to continue: {why}"),
        WalkStatus::NotAvailable => format!("not available: {why}"),
        WalkStatus::Incomplete => {
            let tables = walk.passed_over.join(", ");
            format!("blocked tables have nothing of it: {tables}; run it again once they are not")
        }
    }
}
