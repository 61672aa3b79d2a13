//! Why a store could not do its work.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A failed unit of work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database refused, failed, or is away. It can be retried.
    #[error("the store is not available")]
    Unavailable(#[source] BackendError),
    #[error("the store is closed")]
    Closed,
    /// Another process leads the consumer. Try again later.
    #[error("another process leads this consumer")]
    NotLeader,
    /// The database's clock and this machine's are further apart than leases and signatures allow.
    #[error(
        "the database's clock is {} s {} this machine's; synchronize both with NTP",
        seconds.unsigned_abs(), if *seconds < 0 { "behind" } else { "ahead of" }
    )]
    ClockSkew {
        /// How far the database's clock is ahead; below zero where it is behind.
        seconds: i64,
    },
}

/// The database driver's error. Its text is for the log and for the operator.
#[derive(Clone)]
pub struct BackendError(Arc<dyn Error + Send + Sync>);

impl BackendError {
    /// Wraps a driver's error.
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        let error: Box<dyn Error + Send + Sync> = Box::new(error);
        Self(match error.downcast::<sqlx::Error>() {
            Ok(error) => match *error {
                sqlx::Error::Database(answer) if is_of_postgres(&*answer) => {
                    Arc::new(PostgresAnswer(answer))
                }
                other => Arc::new(other),
            },
            Err(other) => other.into(),
        })
    }
}

fn is_of_postgres(answer: &dyn sqlx::error::DatabaseError) -> bool {
    answer.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some()
}

/// An error of PostgreSQL. The driver would add the line of PostgreSQL's own source.
#[derive(Debug)]
struct PostgresAnswer(Box<dyn sqlx::error::DatabaseError>);

impl fmt::Display for PostgresAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message())?;
        match self.0.code() {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl Error for PostgresAnswer {}

impl fmt::Debug for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for BackendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
