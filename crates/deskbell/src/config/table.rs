//! `[[destination.table]]`: a table of your own, kept from events.

use std::collections::BTreeSet;
use std::fmt;

use deskbell_config::{Fault, Step};
use deskbell_sync::absent_in_delete;
use deskbell_sync::entity::Entity;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Expressions, expression, nearest};

/// What the expressions of `on_delete = { set = … }` have.
const DELETE_HAS: &str = "a delete has `data.id`, `occurred_at`, `subject`, `type` and `id` (the \
                          message's); to keep a value as it is, leave the column out of `set`";

/// One table that is kept from the events of an entity. Values are CEL expressions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// The entity whose versions become rows.
    pub entity: String,
    /// The table, as `table` or `schema.table`.
    pub into: String,
    /// What becomes of a row whose entity was deleted. Default: `delete`.
    #[serde(default)]
    pub on_delete: OnRowDelete,
    /// The columns by which a row is found, and their values.
    pub key: Expressions,
    /// The other columns, and their values.
    #[serde(default, skip_serializing_if = "Expressions::is_empty")]
    pub columns: Expressions,
    /// The line of the file that it begins on.
    #[serde(skip)]
    pub line: Option<usize>,
}

/// What becomes of a row of yours whose entity was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnRowDelete {
    /// It goes.
    #[default]
    Delete,
    /// It stays as it is.
    Keep,
    /// It stays, and these columns take these values.
    Set(Expressions),
}

impl<'de> Deserialize<'de> for OnRowDelete {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnRowDeleteVisitor)
    }
}

struct OnRowDeleteVisitor;

impl<'de> Visitor<'de> for OnRowDeleteVisitor {
    type Value = OnRowDelete;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"delete\", \"keep\" or { set = { column = \"CEL\" } }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OnRowDelete, E> {
        match text {
            "delete" => Ok(OnRowDelete::Delete),
            "keep" => Ok(OnRowDelete::Keep),
            other => Err(E::unknown_variant(other, &["delete", "keep"])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OnRowDelete, A::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Set {
            set: Expressions,
        }
        Set::deserialize(MapAccessDeserializer::new(map)).map(|set| OnRowDelete::Set(set.set))
    }
}

/// Whether the tables of a destination fit together. `at` is the list's place.
pub(super) fn check(
    tables: &[TableConfig],
    at: &[Step],
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (index, table) in tables.iter().enumerate() {
        let at = |key| [at, &[Step::Key("table"), Step::Index(index), Step::Key(key)]].concat();
        check_entity(&table.entity, at("entity"))?;
        let names: Vec<_> = table.into.split('.').collect();
        if names.len() > 2 || names.iter().any(|name| name.trim().is_empty()) {
            let message = format!("`{}` is not the name of a table", table.into);
            return Err(Fault::at(at("into"), message).with_help("write `table` or `schema.table`"));
        }
        if table.key.is_empty() {
            return Err(Fault::at(at("key"), "a table needs a key to find its rows by").with_help(
                format!(
                    "name the column that holds the id: key = {{ id = \"{}.id\" }}",
                    table.entity
                ),
            ));
        }
        let mut columns = BTreeSet::new();
        for (column, _) in table.key.iter().chain(table.columns.iter()) {
            if !columns.insert(column) {
                let message = format!("`{column}` is a column of the key already");
                return Err(Fault::at(at("columns"), message).with_help("name it once"));
            }
        }
        if !seen.insert((&table.entity, &table.into)) {
            let message = format!("`{}` is filled from `{}` twice", table.into, table.entity);
            return Err(Fault::at(at("into"), message)
                .with_help("they would write the same rows: make one of the two"));
        }
        check_expressions(table, at, warnings)?;
    }
    Ok(())
}

fn check_expressions(
    table: &TableConfig,
    at: impl Fn(&'static str) -> Vec<Step>,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let Some(entity) = deskbell_sync::entity::find(&table.entity) else { return Ok(()) };
    let event_types = [entity.upserted_by, entity.deleted_by].concat();
    for (list, at) in [(&table.key, at("key")), (&table.columns, at("columns"))] {
        for (column, text) in list.iter() {
            let place = [&at[..], &[Step::Name(column.to_owned())]].concat();
            let what = format!("the expression of `{column}`");
            let at = place.clone();
            let expression = expression::check(&what, text, &event_types, at, warnings)?;
            if let Some(fault) = expression::absent_root(&what, &expression, &event_types, place) {
                return Err(fault);
            }
        }
    }
    match &table.on_delete {
        OnRowDelete::Set(set) => check_set(set, entity, &at("on_delete"), warnings),
        OnRowDelete::Delete | OnRowDelete::Keep => Ok(()),
    }
}

/// Refuses what a delete does not have, since it would be null in every row.
fn check_set(
    set: &Expressions,
    entity: &Entity,
    at: &[Step],
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    for (column, text) in set.iter() {
        let place = [at, &[Step::Key("set"), Step::Name(column.to_owned())]].concat();
        let what = format!("the expression of `{column}`");
        let expression = expression::check(&what, text, &[], place.clone(), warnings)?;
        if let Some(path) = absent_in_delete(entity, &expression).first() {
            let message = format!("{what} uses `{path}`, which no delete has: it would be null");
            return Err(Fault::at(place, message).with_help(DELETE_HAS));
        }
    }
    Ok(())
}

/// Whether there is such an entity.
pub(super) fn check_entity(name: &str, at: Vec<Step>) -> Result<(), Fault> {
    let known: Vec<_> = deskbell_sync::entity::ALL.iter().map(|entity| entity.name).collect();
    if known.contains(&name) {
        return Ok(());
    }
    let help = nearest::suggest(name, &known, "the entities are");
    Err(Fault::at(at, format!("there is no entity `{name}`")).with_help(help))
}
