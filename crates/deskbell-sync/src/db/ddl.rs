//! How a table is made: its columns, key and indexes, as every database writes them.

use super::dialect::{Dialect, quoted};
use crate::value::Kind;

/// A table, as every dialect can make it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name, without schema or prefix.
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<TableColumn>,
    pub(crate) primary_key: Vec<&'static str>,
    /// The columns of each index; none is unique.
    pub(crate) indexes: Vec<Vec<&'static str>>,
    /// Small rows that are looked up by their key alone.
    pub(crate) keyed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableColumn {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) not_null: bool,
    /// As SQL, where a row may leave the column out.
    pub(crate) default: Option<&'static str>,
}

impl Dialect {
    /// The name of the index on these columns, unquoted.
    pub(crate) fn index_name(self, schema: &str, table: &Table, columns: &[&str]) -> String {
        format!("{}_{}_idx", self.local_name(schema, table.name), columns.join("_"))
    }

    pub(crate) fn create_table(self, schema: &str, table: &Table) -> String {
        let columns: Vec<_> = table.columns.iter().map(|column| self.column(column)).collect();
        let (name, columns) = (self.table(schema, table.name), columns.join(", "));
        let key = listed(&table.primary_key);
        let rowid = if self == Self::Sqlite && table.keyed { " WITHOUT ROWID" } else { "" };
        format!("CREATE TABLE {name} ( {columns}, PRIMARY KEY ({key}) ){rowid}")
    }

    pub(crate) fn add_column(self, schema: &str, table: &Table, column: &TableColumn) -> String {
        format!("ALTER TABLE {} ADD COLUMN {}", self.table(schema, table.name), self.column(column))
    }

    pub(crate) fn create_index(
        self,
        schema: &str,
        table: &Table,
        columns: &[&'static str],
    ) -> String {
        let name = quoted(&self.index_name(schema, table, columns));
        let (table, columns) = (self.table(schema, table.name), listed(columns));
        format!("CREATE INDEX {name} ON {table} ({columns})")
    }

    fn column(self, column: &TableColumn) -> String {
        let mut sql = format!("{} {}", quoted(column.name), self.type_name(column.kind));
        if column.not_null {
            sql += " NOT NULL";
        }
        if self == Self::Postgres && column.kind == Kind::Id {
            sql += " COLLATE \"C\"";
        }
        if let Some(default) = column.default {
            sql += &format!(" DEFAULT {default}");
        }
        sql
    }
}

fn listed(columns: &[&str]) -> String {
    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}
