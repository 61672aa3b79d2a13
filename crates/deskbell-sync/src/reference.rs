//! What the mirror's tables hold, for the reference page.

use crate::db::{Dialect, Table, TableColumn};
use crate::entity::{Children, Column, Entity, Source};
use crate::mapping::{Mapping, MappingError, Mappings, left_out_by_default};
use crate::schema::{self, DELETED_AT, MAPPING_REV, RAW};

/// A mirrored table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReference {
    /// Its name without schema or prefix, such as `users`.
    pub name: &'static str,
    pub entity: &'static Entity,
    /// The list in the entity's JSON that it has the elements of; `None` for the entity's own table.
    pub list: Option<&'static str>,
    pub primary_key: Vec<&'static str>,
    /// The columns of each index.
    pub indexes: Vec<Vec<&'static str>>,
    /// Its columns, less those of [`last_columns`].
    pub columns: Vec<ColumnReference>,
}

/// A column of a mirrored table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnReference {
    pub name: &'static str,
    /// Its type on SQLite.
    pub sqlite: &'static str,
    /// Its type on PostgreSQL.
    pub postgres: &'static str,
    /// What fills it, in Markdown. Paths begin at the entity's JSON, or at the element of the list.
    pub source: String,
}

/// The tables of every entity, each with all columns that the config can ask for.
///
/// # Errors
/// The declarations make no sense.
pub fn tables() -> Result<Vec<TableReference>, MappingError> {
    let mappings = Mappings::of_everything()?;
    let tables = schema::tables(&mappings);
    let mut references = Vec::new();
    for entity in mappings.iter().map(|Mapping { entity, .. }| *entity) {
        let lists = entity.children.iter().map(Some);
        for children in [None].into_iter().chain(lists) {
            let name = children.map_or(entity.table, |children| children.table);
            let table = tables.iter().find(|table| table.name == name);
            references.extend(table.map(|table| reference(entity, children, table)));
        }
    }
    Ok(references)
}

/// The columns that every mirrored table ends with.
///
/// # Errors
/// As [`tables`].
pub fn last_columns() -> Result<Vec<ColumnReference>, MappingError> {
    let columns = schema::last_columns(Mappings::of_everything()?.on_delete());
    let source = |name| match name {
        RAW => "the entity's or the element's JSON as Clerk sent it, without what is excluded",
        DELETED_AT => "when the entity was deleted; only with `on_delete = \"mark\"`",
        MAPPING_REV => "Deskbell's own: how the row was made",
        _ => "Deskbell's own: the version of the row",
    };
    Ok(columns.iter().map(|column| column_reference(column, source(column.name))).collect())
}

fn reference(
    entity: &'static Entity,
    children: Option<&'static Children>,
    table: &Table,
) -> TableReference {
    let declared = children.map_or(entity.columns, |children| children.columns);
    let of_column = |column: &TableColumn| {
        if children.is_some_and(|children| children.parent == column.name) {
            return Some(column_reference(column, format!("`id` of the {}", entity.name)));
        }
        let declared = declared.iter().find(|declared| declared.name == column.name)?;
        let mut source = source(declared);
        if children.is_none() && is_left_out(entity, column.name) {
            source += "; only if `include_columns` names it";
        }
        Some(column_reference(column, source))
    };
    TableReference {
        name: table.name,
        entity,
        list: children.map(|children| children.list),
        primary_key: table.primary_key.clone(),
        indexes: table.indexes.clone(),
        columns: table.columns.iter().filter_map(of_column).collect(),
    }
}

fn is_left_out(entity: &Entity, column: &str) -> bool {
    left_out_by_default().contains(&format!("{}.{column}", entity.name))
}

fn column_reference(column: &TableColumn, source: impl Into<String>) -> ColumnReference {
    ColumnReference {
        name: column.name,
        sqlite: Dialect::Sqlite.type_name(column.kind),
        postgres: Dialect::Postgres.type_name(column.kind),
        source: source.into(),
    }
}

fn source(column: &Column) -> String {
    match column.source {
        Source::Member => format!("`{}`", column.name),
        Source::Paths(paths) => {
            let paths: Vec<_> = paths.iter().map(|path| format!("`{}`", path.join("."))).collect();
            paths.join(", else ")
        }
        Source::Primary { list, id, value } => {
            format!(
                "`{value}` of the element of `{list}` that `{id}` names; without that member, of \
                 the first verified one"
            )
        }
    }
}
