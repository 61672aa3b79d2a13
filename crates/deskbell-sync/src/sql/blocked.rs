//! Tables and statements that wait apart from the rest, each with a checkpoint of its own.

use super::names::SqlNames;
use crate::db::Sql;
use crate::schema::BLOCKED;

/// The statements of the table `_blocked`. The first parameters are destination, kind and part.
#[derive(Debug)]
pub(crate) struct BlockedStatements {
    /// Parameter: the destination.
    pub(crate) list: Sql,
    /// Then seq, reason, cause, and the seconds until it is tried again.
    pub(crate) insert: Sql,
    /// Then reason, cause, and the seconds until it is tried again.
    pub(crate) postpone: Sql,
    /// Then seq.
    pub(crate) advance: Sql,
    pub(crate) remove: Sql,
    /// Parameter: the destination. All but statements: they are filled from the beginning again.
    pub(crate) forget: Sql,
    /// Parameters: the names of the config's statements, and the destination. The statements that the
    /// config no longer has.
    pub(crate) forget_former: Sql,
}

const OF_PART: &str = "destination = $1 AND kind = $2 AND part = $3";

impl SqlNames<'_> {
    pub(super) fn blocked_statements(&self) -> BlockedStatements {
        let (blocked, now) = (self.table(BLOCKED), self.dialect.now());
        let later = |parameter: usize| self.dialect.now_plus_seconds(parameter);
        BlockedStatements {
            list: format!(
                "SELECT kind, part, seq, since, reason, retry_at <= {now} FROM {blocked}
                 WHERE destination = $1 ORDER BY retry_at, kind, part"
            )
            .into(),
            insert: format!(
                "INSERT INTO {blocked} (destination, kind, part, seq, since, reason, cause, retry_at)
                 VALUES ($1, $2, $3, $4, {now}, $5, $6, {}) ON CONFLICT DO NOTHING",
                later(7),
            )
            .into(),
            postpone: format!(
                "UPDATE {blocked} SET reason = $4, cause = $5, retry_at = {} WHERE {OF_PART}",
                later(6),
            )
            .into(),
            advance: format!("UPDATE {blocked} SET seq = $4, retry_at = {now} WHERE {OF_PART}")
                .into(),
            remove: format!("DELETE FROM {blocked} WHERE {OF_PART}").into(),
            forget_former: format!(
                "DELETE FROM {blocked} WHERE destination = $2 AND kind = 'statement' AND NOT {}",
                self.dialect.is_listed("part"),
            )
            .into(),
            forget: format!("DELETE FROM {blocked} WHERE destination = $1 AND kind <> 'statement'")
                .into(),
        }
    }
}
