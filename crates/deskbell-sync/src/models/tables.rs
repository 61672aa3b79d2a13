//! The tables that models are made of.

use crate::db::{Dialect, Table, TableColumn};

/// What Deskbell's own tables and columns begin with.
const OWN: char = '_';

/// The mirror's tables in one schema of one kind of database.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelTables<'a> {
    pub(super) dialect: Dialect,
    pub(super) schema: &'a str,
    all: &'a [Table],
}

impl<'a> ModelTables<'a> {
    pub(super) fn new(dialect: Dialect, schema: &'a str, all: &'a [Table]) -> Self {
        Self { dialect, schema, all }
    }

    /// The tables that hold entities.
    pub(super) fn mirrored(&self) -> impl Iterator<Item = &'a Table> {
        self.all.iter().filter(|table| !is_own(table.name))
    }

    /// Those, then Deskbell's own.
    pub(super) fn mirrored_first(&self) -> impl Iterator<Item = &'a Table> {
        self.mirrored().chain(self.all.iter().filter(|table| is_own(table.name)))
    }

    /// The table's name in the database, within its schema.
    pub(super) fn local_name(&self, table: &Table) -> String {
        self.dialect.local_name(self.schema, table.name)
    }

    /// The table's name as people and Kysely write it.
    pub(super) fn display_name(&self, table: &Table) -> String {
        self.dialect.display_name(self.schema, table.name)
    }
}

/// Whether it is Deskbell's own, and not the application's to read.
pub(super) fn is_own(name: &str) -> bool {
    name.starts_with(OWN)
}

/// The columns of a mirrored table that hold something of the entity.
pub(super) fn columns_to_read(table: &Table) -> impl Iterator<Item = &TableColumn> {
    table.columns.iter().filter(|column| !is_own(column.name))
}
