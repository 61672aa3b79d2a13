//! How a table is made: its columns, key and indexes, as every database writes them.

use sea_query::{
    Alias, ColumnDef, Index, IntoTableRef, PostgresQueryBuilder, SchemaStatementBuilder,
    SqliteQueryBuilder, Table as Ddl, TableRef,
};

use super::dialect::Dialect;
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
        let mut statement = Ddl::create();
        statement.table(self.table_ref(schema, table.name));
        for column in &table.columns {
            statement.col(self.column(column));
        }
        let mut key = Index::create();
        for column in &table.primary_key {
            key.col(*column);
        }
        statement.primary_key(&mut key);
        if self == Self::Sqlite && table.keyed {
            statement.extra("WITHOUT ROWID");
        }
        self.written(&statement)
    }

    pub(crate) fn add_column(self, schema: &str, table: &Table, column: &TableColumn) -> String {
        let mut statement = Ddl::alter();
        statement.table(self.table_ref(schema, table.name)).add_column(self.column(column));
        self.written(&statement)
    }

    pub(crate) fn create_index(
        self,
        schema: &str,
        table: &Table,
        columns: &[&'static str],
    ) -> String {
        let mut statement = Index::create();
        statement.name(self.index_name(schema, table, columns));
        statement.table(self.table_ref(schema, table.name));
        for column in columns {
            statement.col(*column);
        }
        self.written(&statement)
    }

    fn column(self, column: &TableColumn) -> ColumnDef {
        let mut definition = ColumnDef::new(column.name);
        definition.custom(Alias::new(self.type_name(column.kind)));
        if self == Self::Postgres && column.kind == Kind::Id {
            definition.extra("COLLATE \"C\"");
        }
        if column.not_null {
            definition.not_null();
        }
        if let Some(default) = column.default {
            definition.extra(format!("DEFAULT {default}"));
        }
        definition
    }

    fn table_ref(self, schema: &str, table: &str) -> TableRef {
        match self {
            Self::Sqlite => Alias::new(self.local_name(schema, table)).into_table_ref(),
            Self::Postgres => (Alias::new(schema), Alias::new(table)).into_table_ref(),
        }
    }

    fn written(self, statement: &impl SchemaStatementBuilder) -> String {
        match self {
            Self::Sqlite => statement.to_string(SqliteQueryBuilder),
            Self::Postgres => statement.to_string(PostgresQueryBuilder),
        }
    }
}
