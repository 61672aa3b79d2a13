//! PostgreSQL's codes.

use crate::db::refusal::{ErrorMeaning, Refusal, RefusalKind};

/// What an answer of PostgreSQL means, by the classes of
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>. `None`: it is none of PostgreSQL's.
pub(crate) fn meaning(error: &dyn sqlx::error::DatabaseError) -> Option<ErrorMeaning> {
    let error = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?;
    let code = error.code();
    if AWAY.iter().any(|prefix| code.starts_with(prefix)) {
        return Some(ErrorMeaning::Away);
    }
    let kind = match code {
        _ if TRANSIENT.iter().any(|prefix| code.starts_with(prefix)) => RefusalKind::Transient,
        FOREIGN_KEY | UNIQUE | EXCLUSION => RefusalKind::Conflict,
        _ => RefusalKind::Lasting,
    };
    let table = error.table().map(|table| match error.schema() {
        Some(schema) => format!("{schema}.{table}"),
        None => table.to_owned(),
    });
    Some(ErrorMeaning::Refused(Refusal {
        kind,
        code: code.to_owned(),
        reason: error.message().to_owned(),
        constraint: error.constraint().map(str::to_owned),
        table,
    }))
}

/// Classes and codes that say that the server, the database or the connection cannot work now:
/// connections (08), authorization (28), the catalog's name (3D), resources (53), shutdown and
/// crash (57P0x), the system (58), internal errors (XX), a server that only reads (25006), a
/// transaction that the server has ended (25P0x), and a statement that a pooler has lost (26000).
const AWAY: [&str; 10] = ["08", "28", "3D", "53", "57P0", "58", "XX", "25006", "25P0", "26000"];
/// Failed serializations and deadlocks (40), a lock that was not to be had, a time limit.
const TRANSIENT: [&str; 3] = ["40", "55P03", "57014"];
const FOREIGN_KEY: &str = "23503";
const UNIQUE: &str = "23505";
const EXCLUSION: &str = "23P01";
