//! Destinations as the rows of their deliveries know them.

use std::collections::HashMap;

use sqlx::{Row, SqliteConnection};

/// What the rows of a destination's deliveries need to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) id: i64,
    pub(super) ordered: bool,
}

/// Every destination by its name; there are few.
pub(super) async fn targets(
    connection: &mut SqliteConnection,
) -> Result<HashMap<String, Target>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT name, id, ordered FROM destinations").fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, Target { id: row.try_get(1)?, ordered: row.try_get(2)? })))
        .collect()
}

pub(super) async fn target(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Target>, sqlx::Error> {
    Ok(targets(connection).await?.remove(name))
}
