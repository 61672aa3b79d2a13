//! The store that a benchmark measures, as `--store` names it.

use clap::{Args, ValueEnum};
use tempfile::TempDir;

use crate::database::{Database, Server, ServerUsage};
use crate::error::BenchError;
use crate::location::Location;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A file
    Sqlite,
    /// A database on a server
    Postgres,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Backend {
    /// What is written to
    #[arg(long = "store", value_name = "STORE", value_enum, default_value_t = Kind::Sqlite)]
    pub(crate) kind: Kind,
    #[command(flatten)]
    pub(crate) server: Server,
}

/// An empty database, gone when this is dropped.
#[derive(Debug)]
pub(crate) enum Fresh {
    File(TempDir),
    Database(Database),
}

impl Backend {
    pub(crate) fn is_postgres(&self) -> bool {
        self.kind == Kind::Postgres
    }

    /// The name of the benchmark's report.
    pub(crate) fn report_name(&self, benchmark: &str) -> String {
        let store = if self.is_postgres() { "postgres" } else { "sqlite" };
        format!("{benchmark}-{store}")
    }

    pub(crate) async fn create(&self) -> Result<Fresh, BenchError> {
        Ok(match self.kind {
            Kind::Sqlite => Fresh::File(tempfile::tempdir()?),
            Kind::Postgres => Fresh::Database(self.server.create_database().await?),
        })
    }

    /// What else must be known to compare the numbers with others.
    pub(crate) async fn notes(&self) -> Result<Vec<String>, BenchError> {
        Ok(match self.kind {
            Kind::Sqlite => Vec::new(),
            Kind::Postgres => vec![self.server.settings().await?],
        })
    }
}

impl Fresh {
    /// Where a store in it is.
    pub(crate) fn location(&self) -> Location {
        match self {
            Self::File(directory) => Location::file(directory.path().join("deskbell.db")),
            Self::Database(database) => database.location(),
        }
    }

    /// What its server has used until now; nothing where there is none.
    pub(crate) async fn server_usage(&self) -> Result<ServerUsage, BenchError> {
        match self {
            Self::File(_) => Ok(ServerUsage::default()),
            Self::Database(database) => database.server_usage().await,
        }
    }

    /// Where a mirror in it is.
    pub(crate) fn mirror_url(&self) -> String {
        match self {
            Self::File(directory) => {
                format!("sqlite://{}", directory.path().join("clerk.db").display())
            }
            Self::Database(database) => database.url().to_owned(),
        }
    }
}
