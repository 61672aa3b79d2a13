//! Retries of dead letters.

use super::names::SqlNames;
use crate::db::Sql;
use crate::entity;
use crate::schema::{BLOCKED, DEAD_LETTERS, VERSION_COLUMNS, VERSIONS};

/// Requests that are answered at a time: the events of all of them are in memory then.
pub(crate) const REQUESTS_MAX: usize = 100;

impl SqlNames<'_> {
    /// Parameter: the destination. Source, message id and part of what is asked for, or is due: what
    /// was asked for first, then what has been due for longest.
    pub(super) fn requests(&self) -> Sql {
        format!(
            "SELECT source, message_id, part FROM {} AS letter
             WHERE destination = $1 AND {}
                 AND (kind <> 'delete' AND {} OR kind = 'delete' AND part <> '' AND retry)
             GROUP BY source, message_id, part
             ORDER BY max(CASE WHEN retry THEN 1 ELSE 0 END) DESC,
                 min(coalesce(retry_at, waiting_since)), min(seq), source, message_id, part
             LIMIT {REQUESTS_MAX} + 1",
            self.table(DEAD_LETTERS),
            self.not_blocked(),
            self.due(),
        )
        .into()
    }

    /// Parameter: the destination. The deletes that are asked for, or are due.
    pub(super) fn refused_deletes(&self) -> Sql {
        let [updated_at, occurred_at, rank, message_id] = VERSION_COLUMNS;
        format!(
            "SELECT entity, id, source, message_id, event_type, {updated_at}, {occurred_at},
                    {rank}, {message_id}
             FROM {} AS letter
             WHERE destination = $1 AND kind = 'delete' AND part = '' AND {} AND {}
             ORDER BY retry_at, entity, id LIMIT {REQUESTS_MAX}",
            self.table(DEAD_LETTERS),
            self.not_blocked(),
            self.due(),
        )
        .into()
    }

    /// The condition that the part which refused this `letter` is not blocked.
    fn not_blocked(&self) -> String {
        let tables = entity::ALL
            .iter()
            .map(|entity| format!("WHEN '{}' THEN '{}'", entity.name, entity.table));
        format!(
            "NOT EXISTS (SELECT 1 FROM {} AS blocked WHERE blocked.destination = letter.destination
                 AND blocked.part = CASE WHEN letter.part <> '' THEN letter.part
                     ELSE CASE letter.entity {} END END)",
            self.table(BLOCKED),
            tables.collect::<Vec<_>>().join(" "),
        )
    }

    /// The condition that a retry of this `letter` was requested or is due: one that queues is due when
    /// what it queues behind waits no more.
    fn due(&self) -> String {
        let (letters, now) = (self.table(DEAD_LETTERS), self.dialect.now());
        format!(
            "(retry OR (waiting_since IS NOT NULL AND (retry_at <= (SELECT {now})
                 OR retry_at IS NULL AND NOT EXISTS (SELECT 1 FROM {letters} AS ahead
                     WHERE ahead.entity = letter.entity AND ahead.id = letter.id
                         AND ahead.destination = letter.destination AND ahead.kind = 'statement'
                         AND ahead.seq = letter.behind_seq AND ahead.waiting_since IS NOT NULL))))"
        )
    }

    /// Parameters: ids, their entity, and the destination. The events whose statements wait.
    pub(super) fn waiting_statements(&self) -> Sql {
        format!(
            "SELECT id, seq, message_id, event_type, part FROM {}
             WHERE entity = $2 AND destination = $3 AND {} AND kind = 'statement'
                 AND waiting_since IS NOT NULL AND seq IS NOT NULL",
            self.table(DEAD_LETTERS),
            self.dialect.is_listed("id"),
        )
        .into()
    }

    /// Parameter: the destination. The seq of the first event whose statements wait, or null.
    pub(super) fn first_waiting_statement(&self) -> Sql {
        format!(
            "SELECT min(seq) FROM {}
             WHERE destination = $1 AND kind = 'statement' AND waiting_since IS NOT NULL",
            self.table(DEAD_LETTERS)
        )
        .into()
    }

    /// Parameters: destination, source, message id and part. What is known of earlier tries.
    pub(super) fn earlier_tries(&self) -> Sql {
        let letters = self.table(DEAD_LETTERS);
        format!("SELECT entity, id, waiting_since, tries FROM {letters} WHERE {OF_MESSAGE}").into()
    }

    /// Parameter: the destination. Dead letters, deletes that are refused, and what waits, but for
    /// removals from mapped tables, which wait as rows of theirs.
    pub(super) fn count_dead_letters(&self) -> Sql {
        format!(
            "SELECT kind = 'delete', waiting_since IS NULL, count(*) FROM {}
             WHERE destination = $1 AND NOT (kind = 'delete' AND part <> '') GROUP BY 1, 2",
            self.table(DEAD_LETTERS)
        )
        .into()
    }

    /// Parameters: the names of mapped tables, and the destination. How many of their rows wait.
    pub(super) fn count_waiting(&self) -> Sql {
        format!(
            "SELECT count(*) FROM {} WHERE destination = $2 AND {} AND retry_at IS NOT NULL",
            self.table(VERSIONS),
            self.dialect.is_listed("mapping"),
        )
        .into()
    }

    /// Parameters: the names of mapped tables, and the destination. One of those that have a row which
    /// waited long enough to be tried again, if there is one.
    pub(super) fn any_due(&self) -> Sql {
        format!(
            "SELECT mapping FROM {} WHERE destination = $2 AND {} AND retry_at <= (SELECT {}) LIMIT 1",
            self.table(VERSIONS),
            self.dialect.is_listed("mapping"),
            self.dialect.now(),
        )
        .into()
    }

    /// While a dead letter is retried, its `failed_at` is null; it is set when the retry fails.
    pub(super) fn begin_retry(&self) -> Sql {
        let (letters, not_blocked) = (self.table(DEAD_LETTERS), self.not_blocked());
        format!(
            "UPDATE {letters} AS letter SET retry = true, failed_at = NULL
             WHERE {OF_MESSAGE} AND {not_blocked}"
        )
        .into()
    }

    pub(super) fn end_retry(&self) -> Sql {
        let letters = self.table(DEAD_LETTERS);
        format!("DELETE FROM {letters} WHERE {OF_MESSAGE} AND failed_at IS NULL").into()
    }

    pub(super) fn begin_delete_retry(&self) -> Sql {
        let letters = self.table(DEAD_LETTERS);
        format!("UPDATE {letters} SET failed_at = NULL WHERE {OF_DELETE}").into()
    }

    pub(super) fn end_delete_retry(&self) -> Sql {
        let letters = self.table(DEAD_LETTERS);
        format!("DELETE FROM {letters} WHERE {OF_DELETE} AND failed_at IS NULL").into()
    }

    /// The fifth parameter is why. What waits is given up, as it cannot be tried. A removal is tried by what is known of its row.
    pub(super) fn keep_lost(&self) -> Sql {
        format!(
            "UPDATE {} SET retry = false,
                 waiting_since = CASE WHEN kind = 'delete' THEN waiting_since END,
                 retry_at = CASE WHEN kind = 'delete' THEN retry_at END,
                 reason = CASE WHEN reason LIKE '%' || $5 THEN reason ELSE reason || ' ' || $5 END
             WHERE {OF_MESSAGE}",
            self.table(DEAD_LETTERS)
        )
        .into()
    }

    pub(super) fn wait_again(&self) -> Sql {
        format!(
            "UPDATE {} SET given_up = false, retry_at = {}
             WHERE destination = $1 AND mapping = $4 AND parked_since IS NOT NULL
                 AND id IN (SELECT id FROM {} WHERE {OF_MESSAGE})",
            self.table(VERSIONS),
            self.dialect.now(),
            self.table(DEAD_LETTERS),
        )
        .into()
    }
}

/// Parameters: destination, source, message id and part.
const OF_MESSAGE: &str = "destination = $1 AND source = $2 AND message_id = $3 AND part = $4";
/// Parameters: destination, entity and id.
const OF_DELETE: &str =
    "destination = $1 AND entity = $2 AND id = $3 AND part = '' AND kind = 'delete'";
