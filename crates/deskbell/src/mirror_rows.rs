//! The rows of a mirror, in the form in which they are held against the truth.

use std::collections::BTreeMap;

use deskbell_sim::Tables;
use deskbell_sync::inspect::{InspectError, MirrorReader};

/// The rows, and how many there are of each table, by its name in the database.
pub(crate) async fn read(
    reader: &MirrorReader,
) -> Result<(Tables, BTreeMap<String, usize>), InspectError> {
    let mut tables = Tables::new();
    let mut counts = BTreeMap::new();
    for table in reader.tables().await? {
        let rows = reader.rows(table.name).await?;
        counts.insert(table.table, rows.len());
        tables.insert(table.name.to_owned(), rows);
    }
    Ok((tables, counts))
}
