//! A mirror held against the truth until it has caught up, or comes no further.

use std::time::Duration;

use deskbell_sim::{Difference, Finding, Tables, Truth, drift, rows_of};
use deskbell_sync::inspect::{InspectError, MirrorReader};
use tokio::time::{Instant, sleep};

use super::Watch;
use crate::mirror_rows;
use crate::signals::Signals;

/// How long the mirror is left alone between two looks, at least.
const POLL_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// A look reads every row: the mirror is left alone for so many times as long as the last one took.
const REST: u32 = 3;
/// Set where rows of deleted entities are kept (`on_delete = "mark"`).
const DELETED_AT: &str = "deleted_at";
/// Compared even where the mirror has no such table: a mirror that lacks them is another one, or none.
const ALWAYS_COMPARED: [&str; 3] = ["users", "organizations", "organization_memberships"];
/// There only where the mirror's owner has asked for it: then it is no leak.
const PRIVATE_METADATA: &str = "private_metadata";

/// How a mirror differs from the truth.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) tables: Vec<TableComparison>,
    pub(crate) drift: Vec<Difference>,
    /// Entities that were left out, because an event about them was sent and never acknowledged.
    pub(crate) unsettled: usize,
    /// From the end of the sending to the last change that was seen.
    pub(crate) caught_up: Duration,
}

/// One table of it. Rows of other runs are not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableComparison {
    pub(crate) table: &'static str,
    pub(crate) expected: usize,
    pub(crate) found: usize,
    pub(crate) missing: usize,
    pub(crate) extra: usize,
    pub(crate) wrong: usize,
}

/// Compares again and again, until there is no drift, or it has not changed for `settle`, or a signal comes.
pub(super) async fn settled(
    reader: &MirrorReader,
    mut truth: Truth,
    settle: Duration,
    signals: &mut Signals,
    watch: &impl Watch,
) -> Result<Comparison, InspectError> {
    let started = Instant::now();
    let mut changed = started;
    let mut last: Option<Comparison> = None;
    loop {
        let looked = Instant::now();
        match compare(reader, &mut truth).await {
            Ok(mut now) => {
                watch.drift(now.drift.len());
                if last.as_ref().is_none_or(|last| last.drift != now.drift) {
                    changed = Instant::now();
                }
                now.caught_up = changed - started;
                if now.drift.is_empty() {
                    return Ok(now);
                }
                last = Some(now);
            }
            // The database may be back in a moment; the last look holds until then.
            Err(error) if changed.elapsed() >= settle => return Err(error),
            Err(_) => {}
        }
        let enough = changed.elapsed() >= settle;
        let rest = POLL_INTERVAL_MIN.max(looked.elapsed() * REST).min(settle);
        let interrupted = !enough
            && tokio::select! {
                () = sleep(rest) => false,
                () = signals.next() => true,
            };
        if let Some(last) = last.take_if(|_| enough || interrupted) {
            return Ok(last);
        }
        if interrupted {
            return compare(reader, &mut truth).await;
        }
    }
}

async fn compare(reader: &MirrorReader, truth: &mut Truth) -> Result<Comparison, InspectError> {
    let (tables, _) = mirror_rows::read(reader).await?;
    let mut not_mirrored = Vec::new();
    for (table, _) in truth.tables() {
        if !tables.contains_key(table) && !ALWAYS_COMPARED.contains(&table) {
            not_mirrored.push(table);
        }
    }
    truth.retain_tables(|table| !not_mirrored.contains(&table));
    let rows = rows_of(truth, alive(tables));
    let drift = drift(truth, &rows);
    let tables = truth.tables().map(|(table, expected)| {
        let count = |is_it: fn(&Finding) -> bool| {
            drift.iter().filter(|one| one.table == table && is_it(&one.finding)).count()
        };
        TableComparison {
            table,
            expected: expected.len(),
            found: rows.get(table).map_or(0, Vec::len),
            missing: count(|finding| matches!(finding, Finding::Missing)),
            extra: count(|finding| matches!(finding, Finding::Extra)),
            wrong: count(|finding| matches!(finding, Finding::Columns(_))),
        }
    });
    let (tables, unsettled) = (tables.collect(), truth.unsettled());
    Ok(Comparison { tables, drift, unsettled, caught_up: Duration::ZERO })
}

/// The rows of entities that the mirror holds to be alive, less the column that its owner has asked for.
fn alive(mut tables: Tables) -> Tables {
    for rows in tables.values_mut() {
        rows.retain(|row| row.get(DELETED_AT).is_none_or(serde_json::Value::is_null));
        for row in rows {
            row.remove(PRIVATE_METADATA);
        }
    }
    tables
}
