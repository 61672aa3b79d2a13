//! A mapping of users into a table that the application has already, drafted from what the database says
//! of its columns.

mod catalog;
mod column;
mod drafting;
mod error;
mod given;
mod names;
mod rules;
mod table_draft;

use std::time::Duration;

use deskbell_config::DatabaseUrl;
use deskbell_store::BackendError;

use crate::mirror_target::{ConnectError, database};
pub use column::{DraftedColumn, UnfilledColumn};
pub use error::DraftError;
pub use table_draft::TableDraft;

/// How long the database may take to describe its tables.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Drafts the mapping of users into this table. `table` may have its schema before it and quotes around its
/// parts; `given` are values that the user chose, by column.
///
/// # Errors
/// [`DraftError`]: there is no such table, it has no column for Clerk's id, a given column is not there, or
/// the database is away.
pub async fn draft_users(
    url: &DatabaseUrl,
    table: &str,
    given: &[(String, String)],
) -> Result<TableDraft, DraftError> {
    let found = in_time(catalog::find(&*database(url)?, table)).await??;
    let draft = drafting::draft(&found)?;
    given::with(draft, &found, given)
}

/// The tables that the application has, as the config would name them.
///
/// # Errors
/// The database is away.
pub async fn list_tables(url: &DatabaseUrl) -> Result<Vec<String>, ConnectError> {
    in_time(catalog::list(&*database(url)?)).await?
}

async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T, ConnectError> {
    let late = |elapsed| ConnectError::Database(BackendError::new(elapsed));
    tokio::time::timeout(ANSWER_WITHIN, answer).await.map_err(late)
}
