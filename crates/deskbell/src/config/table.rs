//! `[[destination.table]]`: a table of your own, kept from events.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::error::{Fault, Step};
use super::{Expressions, expression, nearest};

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
    let set = match &table.on_delete {
        OnRowDelete::Set(set) => Some(set),
        OnRowDelete::Delete | OnRowDelete::Keep => None,
    };
    let set_at = [at("on_delete"), vec![Step::Key("set")]].concat();
    let lists =
        [(at("key"), Some(&table.key)), (at("columns"), Some(&table.columns)), (set_at, set)];
    for (at, list) in lists {
        for (column, text) in list.into_iter().flat_map(Expressions::iter) {
            let place = [&at[..], &[Step::Name(column.to_owned())]].concat();
            let what = format!("the expression of `{column}`");
            let at = place.clone();
            let expression = expression::check(&what, text, &event_types, at, warnings)?;
            if let Some(fault) = expression::absent_root(&what, &expression, &event_types, place) {
                return Err(fault);
            }
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
    let listed = known.join(", ");
    let help = match nearest::one(name, &known) {
        Some(near) => format!("did you mean `{near}`? the entities are {listed}"),
        None => format!("the entities are {listed}"),
    };
    Err(Fault::at(at, format!("there is no entity `{name}`")).with_help(help))
}
