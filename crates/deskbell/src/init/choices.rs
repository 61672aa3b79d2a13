//! What the files are to say.

use deskbell_sync::draft::TableDraft;

use super::location::Location;

/// The variable that the database's URL is in, where the config does not name it.
pub(crate) const DATABASE_VARIABLE: &str = "DATABASE_URL";
/// The variable that the store's URL is in.
pub(crate) const STORE_VARIABLE: &str = "DESKBELL_STORE_URL";

/// What the files are to say.
#[derive(Debug)]
pub(crate) struct Choices {
    /// Where the mirror and the mapped table are.
    pub(crate) database: Location,
    /// Where the event log is.
    pub(crate) store: Location,
    /// The application's table that users go into.
    pub(crate) table: Option<TableDraft>,
    /// Whether the mirror is kept, beside a table or alone.
    pub(crate) mirror: bool,
    pub(crate) compose: Option<Compose>,
    pub(crate) systemd: bool,
}

/// What `compose.yaml` runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compose {
    /// Deskbell alone.
    Deskbell,
    /// PostgreSQL too, in which everything is.
    WithPostgres,
}
