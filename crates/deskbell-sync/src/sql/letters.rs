//! Dead letters that are asked for again.

use super::Names;
use crate::schema::{DEAD_LETTERS, VERSIONS};
use crate::session::Sql;

/// Requests that are answered at a time: the events of all of them are in memory then.
pub(crate) const REQUESTS_MAX: usize = 100;
/// Added to the reason where the event cannot be read any more.
const LOST: &str = "(the log no longer has the event)";

impl Names<'_> {
    /// Parameter: the destination. Source, message id and part of what is asked for.
    pub(super) fn requests(&self) -> Sql {
        format!(
            "SELECT DISTINCT source, message_id, part FROM {} WHERE destination = $1 AND retry
             ORDER BY source, message_id, part LIMIT {REQUESTS_MAX}",
            self.table(DEAD_LETTERS)
        )
        .into()
    }

    /// Parameter: the destination.
    pub(super) fn count_letters(&self) -> Sql {
        format!("SELECT count(*) FROM {} WHERE destination = $1", self.table(DEAD_LETTERS)).into()
    }

    /// Parameters: the names of mapped tables, and the destination. One of those that have a row which
    /// waited long enough to be tried again, if there is one.
    pub(super) fn any_parked(&self) -> Sql {
        format!(
            "SELECT mapping FROM {} WHERE destination = $2 AND {} AND retry_at <= (SELECT {}) LIMIT 1",
            self.table(VERSIONS),
            self.dialect.is_listed("mapping"),
            self.dialect.now(),
        )
        .into()
    }

    pub(super) fn take_letter(&self) -> Sql {
        format!("DELETE FROM {} WHERE {OF_MESSAGE}", self.table(DEAD_LETTERS)).into()
    }

    pub(super) fn keep_letter(&self) -> Sql {
        format!(
            "UPDATE {} SET retry = false,
                 reason = CASE WHEN reason LIKE '%{LOST}' THEN reason ELSE reason || ' {LOST}' END
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
