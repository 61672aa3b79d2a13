//! The seam between databases: how each names the mirror's tables and types.

use sea_query::{Alias, ColumnDef, Index, SqliteQueryBuilder, Table as Ddl};

use super::{Table, TableColumn};
use crate::entity::Kind;

/// A database's way of writing the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// No schemas: the schema's name and `_` stand before each table's. Times are ISO-8601 text
    /// and JSON is text. Text compares as bytes.
    Sqlite,
}

impl Dialect {
    /// The name of a table of the mirror in this database, unquoted.
    pub(crate) fn table_name(self, schema: &str, table: &str) -> String {
        match self {
            Self::Sqlite => format!("{schema}_{table}"),
        }
    }

    /// The name of the index on these columns, unquoted.
    pub(crate) fn index_name(self, schema: &str, table: &Table, columns: &[&str]) -> String {
        format!("{}_{}_idx", self.table_name(schema, table.name), columns.join("_"))
    }

    pub(crate) fn create_table(self, schema: &str, table: &Table) -> String {
        let mut statement = Ddl::create();
        statement.table(self.identifier(schema, table.name));
        for column in &table.columns {
            statement.col(self.column(column));
        }
        let mut key = Index::create();
        for column in table.primary_key {
            key.col(*column);
        }
        statement.primary_key(&mut key);
        match self {
            Self::Sqlite => {
                if table.keyed {
                    statement.extra("WITHOUT ROWID");
                }
                statement.to_string(SqliteQueryBuilder)
            }
        }
    }

    pub(crate) fn add_column(self, schema: &str, table: &Table, column: &TableColumn) -> String {
        let mut statement = Ddl::alter();
        statement.table(self.identifier(schema, table.name)).add_column(self.column(column));
        match self {
            Self::Sqlite => statement.to_string(SqliteQueryBuilder),
        }
    }

    pub(crate) fn create_index(
        self,
        schema: &str,
        table: &Table,
        columns: &[&'static str],
    ) -> String {
        let mut statement = Index::create();
        statement.name(self.index_name(schema, table, columns));
        statement.table(self.identifier(schema, table.name));
        for column in columns {
            statement.col(*column);
        }
        match self {
            Self::Sqlite => statement.to_string(SqliteQueryBuilder),
        }
    }

    fn identifier(self, schema: &str, table: &str) -> Alias {
        Alias::new(self.table_name(schema, table))
    }

    fn column(self, column: &TableColumn) -> ColumnDef {
        let mut definition = ColumnDef::new(column.name);
        match (self, column.kind) {
            (Self::Sqlite, Kind::Text | Kind::Time | Kind::Json) => definition.text(),
            (Self::Sqlite, Kind::Integer) => definition.integer(),
            (Self::Sqlite, Kind::Boolean) => definition.boolean(),
        };
        if column.not_null {
            definition.not_null();
        }
        definition
    }
}
