//! Reading the stored values of an entity's rows.

use crate::db::{Dialect, Sql, quoted};
use crate::mapping::Mapping;
use crate::schema::VERSION_COLUMNS;
use crate::value::Kind;

/// The versions and the values of rows with these ids, which the condition selects.
pub(crate) struct StoredRows {
    pub(crate) sql: Sql,
    /// The kinds of the version's columns, and of the mapping's.
    pub(crate) kinds: Vec<Kind>,
}

impl StoredRows {
    pub(crate) fn new(dialect: Dialect, schema: &str, mapping: &Mapping, condition: &str) -> Self {
        let columns = mapping.columns.iter();
        let read = columns.clone().map(|column| dialect.read(&quoted(column.name), column.kind));
        let read: Vec<_> = VERSION_COLUMNS.map(str::to_owned).into_iter().chain(read).collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE {} AND {condition}",
            read.join(", "),
            dialect.table(schema, mapping.entity.table),
            dialect.is_listed("id"),
        );
        let version = [Kind::Integer, Kind::Integer, Kind::Integer, Kind::Id];
        let kinds = version.into_iter().chain(columns.map(|column| column.kind)).collect();
        Self { sql: sql.into(), kinds }
    }
}
