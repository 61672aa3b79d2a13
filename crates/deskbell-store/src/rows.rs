//! From rows to structs, for both databases: columns go by their position.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use deskbell_config::NOTICE_SOURCE;
use sqlx::{ColumnIndex, Decode, Row, Type};

use crate::deliveries::{
    AttemptSummary, Backlog, DeadLetter, DeliveryKey, DeliveryState, DeliverySummary,
    DestinationHealth, DestinationState, Disabled, FilteredOut, LoggedAttempt, StateCounts,
};
use crate::packing::unpack;
use crate::{
    Arrival, ArrivalPage, BrowserSession, Command, CommandId, EventHead, MalformedToken,
    NewAuditEntry, NewEvent, Origin, QueuedCommand, Refused, ReplayRequest, Seq, StoreError,
    StoredAuditEntry, StoredEndpoint, StoredEvent, StoredToken, TokenRole,
};

/// The columns of a row.
pub(crate) trait Columns {
    fn integer(&self, column: usize) -> Result<i64, sqlx::Error>;
    fn integer_or_null(&self, column: usize) -> Result<Option<i64>, sqlx::Error>;
    /// An integer of 32 bits, which PostgreSQL has types for.
    fn small_or_null(&self, column: usize) -> Result<Option<i32>, sqlx::Error>;
    fn flag(&self, column: usize) -> Result<bool, sqlx::Error>;

    fn text(&self, column: usize) -> Result<&str, sqlx::Error>;
    fn text_or_null(&self, column: usize) -> Result<Option<String>, sqlx::Error>;
    fn bytes_or_null(&self, column: usize) -> Result<Option<Vec<u8>>, sqlx::Error>;

    /// A number that is never below zero.
    fn count(&self, column: usize) -> Result<u64, sqlx::Error> {
        Ok(u64::try_from(self.integer(column)?).unwrap_or(0))
    }

    /// A number of 32 bits that is never below zero.
    fn small(&self, column: usize) -> Result<u32, sqlx::Error> {
        Ok(self.small_or_null(column)?.and_then(|small| u32::try_from(small).ok()).unwrap_or(0))
    }

    fn string(&self, column: usize) -> Result<String, sqlx::Error> {
        self.text(column).map(str::to_owned)
    }
}

impl<R> Columns for R
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i32: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> bool: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> &'r str: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn integer(&self, column: usize) -> Result<i64, sqlx::Error> {
        self.try_get(column)
    }

    fn integer_or_null(&self, column: usize) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }

    fn small_or_null(&self, column: usize) -> Result<Option<i32>, sqlx::Error> {
        self.try_get(column)
    }

    fn flag(&self, column: usize) -> Result<bool, sqlx::Error> {
        self.try_get(column)
    }

    fn text(&self, column: usize) -> Result<&str, sqlx::Error> {
        self.try_get(column)
    }

    fn text_or_null(&self, column: usize) -> Result<Option<String>, sqlx::Error> {
        self.try_get(column)
    }

    fn bytes_or_null(&self, column: usize) -> Result<Option<Vec<u8>>, sqlx::Error> {
        self.try_get(column)
    }
}

/// What is read from each row.
pub(crate) fn each<R, T>(
    rows: &[R],
    read: impl Fn(&R) -> Result<T, sqlx::Error>,
) -> Result<Vec<T>, StoreError> {
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

/// `seq, received_at_ms, source, message_id, type, subject, occurred_at_ms, instance_id, payload,
/// origin, payload_bytes`
pub(crate) fn event(row: &impl Columns, sources: &mut Sources) -> Result<StoredEvent, sqlx::Error> {
    Ok(StoredEvent {
        seq: Seq::new(row.integer(0)?),
        received_at_ms: row.integer(1)?,
        event: NewEvent {
            source: sources.name(row.text(2)?),
            message_id: row.string(3)?,
            event_type: row.string(4)?,
            subject: row.text_or_null(5)?,
            occurred_at_ms: row.integer(6)?,
            instance_id: row.text_or_null(7)?,
            payload: payload(row, 8, 10)?.into(),
            origin: Origin::from_stored(row.text_or_null(9)?.as_deref()),
        },
    })
}

/// A payload that cannot be decompressed: the file or the disk is damaged.
#[derive(Debug, thiserror::Error)]
#[error("the payload of event {seq} in the log is damaged")]
struct DamagedPayload {
    seq: i64,
    source: std::io::Error,
}

/// `payload` and `payload_bytes`, of a row that begins with `seq`; nothing if the payload was pruned or
/// erased.
pub(crate) fn payload(
    row: &impl Columns,
    payload: usize,
    payload_bytes: usize,
) -> Result<Bytes, sqlx::Error> {
    let stored = row.bytes_or_null(payload)?.unwrap_or_default();
    match unpack(stored, row.small_or_null(payload_bytes)?) {
        Ok(payload) => Ok(payload.into()),
        Err(source) => {
            let seq = row.integer(0)?;
            Err(sqlx::Error::Decode(Box::new(DamagedPayload { seq, source })))
        }
    }
}

/// `seq, received_at_ms, source, message_id, type, subject, occurred_at_ms, instance_id,
/// payload_bytes, origin`, from this column on
pub(crate) fn event_head(
    row: &impl Columns,
    first: usize,
    sources: &mut Sources,
) -> Result<EventHead, sqlx::Error> {
    Ok(EventHead {
        seq: Seq::new(row.integer(first)?),
        received_at_ms: row.integer(first + 1)?,
        source: sources.name(row.text(first + 2)?),
        message_id: row.string(first + 3)?,
        event_type: row.string(first + 4)?,
        subject: row.text_or_null(first + 5)?,
        occurred_at_ms: row.integer(first + 6)?,
        instance_id: row.text_or_null(first + 7)?,
        payload_bytes: row.count(first + 8)?,
        origin: Origin::from_stored(row.text_or_null(first + 9)?.as_deref()),
    })
}

/// Rows of [`event_head`].
pub(crate) fn event_heads(rows: &[impl Columns]) -> Result<Vec<EventHead>, sqlx::Error> {
    let mut sources = Sources::default();
    rows.iter().map(|row| event_head(row, 0, &mut sources)).collect()
}

/// The few names that recur in every row, each allocated once a read.
#[derive(Default)]
pub(crate) struct Sources(Vec<Arc<str>>);

impl Sources {
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.iter().find(|known| ***known == *name) {
            return Arc::clone(known);
        }
        let name: Arc<str> = name.into();
        self.0.push(Arc::clone(&name));
        name
    }
}

/// `number, seq, requested_at_ms`
pub(crate) fn replay_request(row: &impl Columns) -> Result<ReplayRequest, sqlx::Error> {
    Ok(ReplayRequest {
        number: row.integer(0)?,
        seq: Seq::new(row.integer(1)?),
        requested_at_ms: row.integer(2)?,
    })
}

/// `number, body, outcome, progress`
pub(crate) fn queued_command(row: &impl Columns) -> Result<QueuedCommand, sqlx::Error> {
    Ok(QueuedCommand {
        id: CommandId(row.integer(0)?),
        command: Command(row.string(1)?),
        outcome: row.text_or_null(2)?,
        progress: row.text_or_null(3)?,
    })
}

/// `seq, source, received_at_ms, origin`, of a page after this event
pub(crate) fn arrivals(rows: &[impl Columns], after: Seq) -> Result<ArrivalPage, sqlx::Error> {
    let mut sources = Sources::default();
    let mut page = ArrivalPage { arrivals: Vec::with_capacity(rows.len()), last: after };
    for row in rows {
        page.last = Seq::new(row.integer(0)?);
        let source = row.text(1)?;
        let origin = Origin::from_stored(row.text_or_null(3)?.as_deref());
        if source != NOTICE_SOURCE && origin.is_message() {
            let source = sources.name(source);
            let is_sent = origin == Origin::Webhook;
            page.arrivals.push(Arrival { source, is_sent, at_ms: row.integer(2)? });
        }
    }
    Ok(page)
}

/// `source, cause, requests`
pub(crate) fn refused(row: &impl Columns) -> Result<Refused, sqlx::Error> {
    Ok(Refused { source: row.string(0)?, cause: row.string(1)?, requests: row.count(2)? })
}

/// `name, role, created_at_ms`
pub(crate) fn stored_token(row: &impl Columns) -> Result<StoredToken, sqlx::Error> {
    Ok(StoredToken { name: row.string(0)?, role: role(row, 1)?, created_at_ms: row.integer(2)? })
}

/// `token_name, role, expires_at_ms`
pub(crate) fn browser_session(row: &impl Columns) -> Result<BrowserSession, sqlx::Error> {
    let (token_name, role) = (row.string(0)?, role(row, 1)?);
    Ok(BrowserSession { token_name, role, expires_at_ms: row.integer(2)? })
}

fn role(row: &impl Columns, column: usize) -> Result<TokenRole, sqlx::Error> {
    let role = row.text(column)?.parse();
    role.map_err(|error: MalformedToken| sqlx::Error::Decode(Box::new(error)))
}

/// `number, at_ms, who, action, target, details`
pub(crate) fn audit_entry(row: &impl Columns) -> Result<StoredAuditEntry, sqlx::Error> {
    Ok(StoredAuditEntry {
        number: row.integer(0)?,
        at_ms: row.integer(1)?,
        entry: NewAuditEntry {
            who: row.string(2)?,
            action: row.string(3)?,
            target: row.string(4)?,
            details: row.text_or_null(5)?,
        },
    })
}

/// `revision, id, settings, sealed, created_at_ms, updated_at_ms, version`: all endpoints, or one row
/// without one
pub(crate) fn stored_endpoints(
    rows: &[impl Columns],
) -> Result<(i64, Vec<StoredEndpoint>), sqlx::Error> {
    let mut revision = 0;
    let mut endpoints = Vec::with_capacity(rows.len());
    for row in rows {
        revision = row.integer(0)?;
        let Some(id) = row.text_or_null(1)? else { continue };
        endpoints.push(StoredEndpoint {
            id,
            settings: row.string(2)?,
            sealed: row.bytes_or_null(3)?.unwrap_or_default(),
            created_at_ms: row.integer(4)?,
            updated_at_ms: row.integer(5)?,
            version: row.integer(6)?,
        });
    }
    Ok((revision, endpoints))
}

/// `name, routed_seq, first_failure_at_ms, failed_attempts, last_failure_at_ms, disabled_at_ms,
/// disabled_reason, dead_letters_total`
pub(crate) fn destination_state(row: &impl Columns) -> Result<DestinationState, sqlx::Error> {
    let disabled = row.integer_or_null(5)?.zip(row.text_or_null(6)?);
    Ok(DestinationState {
        name: row.text(0)?.into(),
        routed: Seq::new(row.integer(1)?),
        health: DestinationHealth {
            first_failure_at_ms: row.integer_or_null(2)?,
            failed_attempts: u32::try_from(row.count(3)?).unwrap_or(u32::MAX),
            last_failure_at_ms: row.integer_or_null(4)?,
            disabled: disabled.map(|(at_ms, reason)| Disabled { at_ms, reason }),
        },
        dead_letters_total: row.count(7)?,
    })
}

/// `destination, pending, dead_lettered, oldest_received_at_ms`
pub(crate) fn backlog(row: &impl Columns) -> Result<Backlog, sqlx::Error> {
    Ok(Backlog {
        destination: row.text(0)?.into(),
        pending: row.count(1)?,
        dead_lettered: row.count(2)?,
        oldest_received_at_ms: row.integer_or_null(3)?,
    })
}

/// `destination, pending`
pub(crate) fn pending(row: &impl Columns) -> Result<(Arc<str>, u64), sqlx::Error> {
    Ok((row.text(0)?.into(), row.count(1)?))
}

/// `destination, seq`
pub(crate) fn delivery_key(row: &impl Columns) -> Result<DeliveryKey, sqlx::Error> {
    Ok(DeliveryKey { destination: row.text(0)?.into(), seq: Seq::new(row.integer(1)?) })
}

/// `destination, seq, source, message_id, type, subject, settled_at_ms, attempts, reason`
pub(crate) fn dead_letter(row: &impl Columns) -> Result<DeadLetter, sqlx::Error> {
    Ok(DeadLetter {
        key: delivery_key(row)?,
        source: row.string(2)?,
        message_id: row.string(3)?,
        event_type: row.string(4)?,
        subject: row.text_or_null(5)?,
        settled_at_ms: row.integer(6)?,
        attempts: row.small(7)?,
        reason: row.string(8)?,
    })
}

/// The deliveries that are in none of the rows, which are those of [`delivery_key`].
pub(crate) fn missing(
    deliveries: &[DeliveryKey],
    present: &[impl Columns],
) -> Result<Vec<DeliveryKey>, sqlx::Error> {
    let present: HashSet<DeliveryKey> =
        present.iter().map(delivery_key).collect::<Result<_, _>>()?;
    Ok(deliveries.iter().filter(|key| !present.contains(key)).cloned().collect())
}

/// Rows of [`delivery_state`] with their rows of `destination` and [`attempt`], which are in the order of
/// their numbers.
pub(crate) fn delivery_summaries(
    deliveries: &[impl Columns],
    attempts: &[impl Columns],
) -> Result<Vec<DeliverySummary>, sqlx::Error> {
    let mut attempts_of: BTreeMap<Arc<str>, Vec<AttemptSummary>> = BTreeMap::new();
    for row in attempts {
        attempts_of.entry(row.text(0)?.into()).or_default().push(attempt(row, 1)?);
    }
    let summary = |row| {
        let key = delivery_key(row)?;
        let attempts = attempts_of.remove(&key.destination).unwrap_or_default();
        Ok(DeliverySummary { key, state: delivery_state(row)?, attempts })
    };
    deliveries.iter().map(summary).collect()
}

/// `destination, seq, state, at_ms, reason`
fn delivery_state(row: &impl Columns) -> Result<DeliveryState, sqlx::Error> {
    Ok(match row.text(2)? {
        "pending" => DeliveryState::Pending { due_at_ms: row.integer_or_null(3)? },
        "delivered" => DeliveryState::Delivered { at_ms: row.integer(3)? },
        _ => DeliveryState::DeadLettered { at_ms: row.integer(3)?, reason: row.string(4)? },
    })
}

/// `number, started_at_ms, duration_ms, status, error, reply`, from this column on
fn attempt(row: &impl Columns, first: usize) -> Result<AttemptSummary, sqlx::Error> {
    Ok(AttemptSummary {
        number: row.small(first)?,
        started_at_ms: row.integer(first + 1)?,
        duration_ms: row.count(first + 2)?,
        status: row.small_or_null(first + 3)?.and_then(|status| u16::try_from(status).ok()),
        error: row.text_or_null(first + 4)?,
        reply: Bytes::from(row.bytes_or_null(first + 5)?.unwrap_or_default()),
    })
}

/// `destination, number, started_at_ms, duration_ms, status, error, reply`, and the ten columns of
/// [`event_head`]
pub(crate) fn logged_attempt(
    row: &impl Columns,
    sources: &mut Sources,
) -> Result<LoggedAttempt, sqlx::Error> {
    let event = event_head(row, 7, sources)?;
    let key = DeliveryKey { destination: sources.name(row.text(0)?), seq: event.seq };
    Ok(LoggedAttempt { key, attempt: attempt(row, 1)?, event })
}

/// `seq, pending, delivered, dead_lettered`
pub(crate) fn state_counts(row: &impl Columns) -> Result<(Seq, StateCounts), sqlx::Error> {
    let (pending, delivered, dead_lettered) = (row.count(1)?, row.count(2)?, row.count(3)?);
    Ok((Seq::new(row.integer(0)?), StateCounts { pending, delivered, dead_lettered }))
}

/// `destination, reason`
pub(crate) fn filtered_out(row: &impl Columns) -> Result<FilteredOut, sqlx::Error> {
    Ok(FilteredOut { destination: row.text(0)?.into(), reason: row.string(1)? })
}
