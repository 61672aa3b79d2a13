//! SQLite's result codes.

use crate::db::refusal::{ErrorMeaning, Refusal, RefusalKind};

/// What an answer of SQLite means, by its result code: <https://www.sqlite.org/rescode.html>.
/// `None`: it is none of SQLite's.
pub(crate) fn meaning(error: &dyn sqlx::error::DatabaseError) -> Option<ErrorMeaning> {
    let error = error.try_downcast_ref::<sqlx::sqlite::SqliteError>()?;
    let code = sqlx::error::DatabaseError::code(error)?;
    let number: i32 = code.parse().ok()?;
    if AWAY.contains(&(number & 0xff)) {
        return Some(ErrorMeaning::Away);
    }
    let conflict = CONFLICTS.contains(&number);
    let reason = sqlx::error::DatabaseError::message(error).to_owned();
    Some(ErrorMeaning::Refused(Refusal {
        kind: if conflict { RefusalKind::Conflict } else { RefusalKind::Lasting },
        code: code.into_owned(),
        // "UNIQUE constraint failed: people.email" names both.
        constraint: reason.split_once(" constraint failed: ").map(|(_, column)| column.to_owned()),
        table: None,
        reason,
    }))
}

/// SQLITE_BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN and NOTADB: the file cannot
/// be worked with now.
const AWAY: [i32; 9] = [5, 6, 7, 8, 10, 11, 13, 14, 26];
/// SQLITE_CONSTRAINT_FOREIGNKEY, _PRIMARYKEY, _UNIQUE and _ROWID.
const CONFLICTS: [i32; 4] = [787, 1555, 2067, 2579];
