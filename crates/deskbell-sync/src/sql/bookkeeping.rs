//! Checkpoints, tombstones and dead letters.

use super::names::SqlNames;
use crate::db::{Bulk, Dialect, Sql, given};
use crate::schema::{CHECKPOINTS, DEAD_LETTERS, TOMBSTONES, VERSION_COLUMNS};
use crate::value::Kind;

/// Stands for statements that are held back, in the column `statements_seq`.
pub(crate) const HELD: i64 = -1;
/// Leaves the column `statements_seq` as it is.
pub(crate) const LEFT_AS_IS: i64 = -2;

/// A destination's checkpoints, the one that was moved last first.
pub(crate) fn select_checkpoints(dialect: Dialect, schema: &str) -> String {
    format!(
        "SELECT log_id, seq, message_id, token, mapping_rev, statements_seq FROM {}
         WHERE destination = $1 ORDER BY updated_at DESC",
        dialect.table(schema, CHECKPOINTS)
    )
}

impl SqlNames<'_> {
    /// Parameters: seq, message id, token and revision; then destination, log, seq, token and
    /// revision as they are expected. The revision too: a migration beside a running consumer asks
    /// for a refill by it.
    pub(super) fn swap_checkpoint(&self) -> Sql {
        format!(
            "UPDATE {}
             SET seq = $1, message_id = $2, token = $3, mapping_rev = $4,
                 statements_seq = CASE WHEN $5 = {LEFT_AS_IS} THEN statements_seq ELSE $5 END,
                 updated_at = {}
             WHERE destination = $6 AND log_id = $7 AND seq = $8 AND token = $9
                 AND mapping_rev = $10",
            self.table(CHECKPOINTS),
            self.dialect.now(),
        )
        .into()
    }

    /// Parameters: destination, log, seq, message id, token and revision.
    pub(super) fn insert_checkpoint(&self) -> Sql {
        format!(
            "INSERT INTO {}
             (destination, log_id, seq, message_id, token, mapping_rev, statements_seq, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, {}) ON CONFLICT DO NOTHING",
            self.table(CHECKPOINTS),
            self.dialect.now(),
        )
        .into()
    }

    /// The earliest delete is kept, so that the order of arrival leaves no trace.
    pub(super) fn insert_tombstones(&self) -> Bulk {
        let kinds = vec![Kind::Id, Kind::Id, Kind::Time, Kind::Id];
        let tombstones = self.table(TOMBSTONES);
        Bulk::idempotent(self.dialect, kinds, |given| {
            format!(
                "INSERT INTO {tombstones} AS kept (entity, id, occurred_at, message_id)
                 SELECT given.* FROM {given} WHERE true
                 ON CONFLICT (entity, id) DO UPDATE
                 SET occurred_at = excluded.occurred_at, message_id = excluded.message_id
                 WHERE (excluded.occurred_at, excluded.message_id)
                     < (kept.occurred_at, kept.message_id)"
            )
        })
    }

    /// A dead letter that is written again is updated.
    pub(super) fn dead_letter(&self) -> Bulk {
        let [updated_at, occurred_at, rank, message_id] = VERSION_COLUMNS;
        let mut kinds = vec![Kind::Id; 7];
        kinds.extend([Kind::Text, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Id]);
        kinds.extend([Kind::Time, Kind::Time, Kind::Integer, Kind::Id, Kind::Id, Kind::Id]);
        kinds.extend([Kind::Integer; 2]);
        let said = "kind, waiting_since, retry_at, tries, cause, constraint_name, table_name, seq, \
                    behind_seq";
        let set: Vec<_> =
            said.split(", ").map(|name| format!("{name} = excluded.{name}")).collect();
        let (letters, now, same) = (self.table(DEAD_LETTERS), self.dialect.now(), given(3));
        Bulk::new(self.dialect, kinds, |given| {
            format!(
                "INSERT INTO {letters} (destination, source, message_id, event_type, part, entity,
                                        id, reason, {updated_at}, {occurred_at}, {rank}, {said},
                                        {message_id}, failed_at)
                 SELECT given.*, {same}, {now} FROM {given} WHERE true
                 ON CONFLICT (destination, source, message_id, part, entity, id)
                 DO UPDATE SET reason = excluded.reason, retry = false,
                     failed_at = excluded.failed_at, {}",
                set.join(", "),
            )
        })
    }

    /// Deletes the dead letters of rows that a mapped table has accepted.
    pub(super) fn resolve_part(&self) -> Sql {
        format!(
            "DELETE FROM {} WHERE part = $2 AND entity = $3 AND destination = $4 AND {}",
            self.table(DEAD_LETTERS),
            self.dialect.is_listed("id"),
        )
        .into()
    }

    /// Which of these ids of an entity have a tombstone.
    pub(super) fn gone(&self) -> Sql {
        let (tombstones, listed) = (self.table(TOMBSTONES), self.dialect.is_listed("id"));
        format!("SELECT id FROM {tombstones} WHERE entity = $2 AND {listed}").into()
    }

    /// Notes how far the application's statements have run, ahead of the checkpoint: never less far,
    /// and not while they are held back, which an earlier event's retry does not change.
    pub(super) fn mark_statements(&self) -> Sql {
        format!(
            "UPDATE {} SET statements_seq = $1
             WHERE destination = $2 AND log_id = $3 AND seq = $4 AND token = $5
                 AND statements_seq BETWEEN 0 AND $1",
            self.table(CHECKPOINTS),
        )
        .into()
    }

    /// Lets statements that are held back go on. Parameters: the destination, and where from.
    pub(super) fn release_statements(&self) -> Sql {
        let checkpoints = self.table(CHECKPOINTS);
        format!(
            "UPDATE {checkpoints}
             SET statements_seq = CASE WHEN $2 = 'beginning' THEN 0 ELSE seq END,
                 mapping_rev = CASE WHEN $2 = 'beginning' THEN 0 ELSE mapping_rev END
             WHERE destination = $1 AND statements_seq = {HELD}"
        )
        .into()
    }
}
