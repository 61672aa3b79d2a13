//! What a driver's error means: the database is away, or it refuses the statement, perhaps only
//! for now.

mod postgres;
mod sqlite;

use super::refusal::{ErrorMeaning, Refusal, RefusalKind};

impl ErrorMeaning {
    pub(crate) fn of(error: &sqlx::Error) -> Self {
        match error {
            // The driver itself cannot write the value: the database was never asked.
            sqlx::Error::Encode(source) => Self::Refused(Refusal {
                kind: RefusalKind::Lasting,
                code: "encode".to_owned(),
                reason: source.to_string(),
                constraint: None,
                table: None,
            }),
            sqlx::Error::Database(answer) => sqlite::meaning(answer.as_ref())
                .or_else(|| postgres::meaning(answer.as_ref()))
                .unwrap_or(Self::Away),
            _ => Self::Away,
        }
    }
}
