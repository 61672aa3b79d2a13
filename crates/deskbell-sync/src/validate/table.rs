//! Whether mapped tables can be filled as they are declared.

use std::collections::BTreeSet;

use deskbell_config::{Fault, Step, nearest};
use deskbell_expr::in_config as expression;

use crate::config::{ColumnValue, Expressions, LookupConfig, OnRowDelete, TableConfig};
use crate::entity::{self, Entity};
use crate::fold::absent_in_delete;
use crate::mapping::GeneratedId;

/// What the expressions of `on_delete = { set = … }` have.
const DELETE_HAS: &str = "a delete has `data.id`, `occurred_at`, `subject`, `type` and `id` (the \
                          message's); to keep a value as it is, leave the column out of `set`";

/// Whether the tables of a destination fit together.
pub(super) fn check(tables: &[TableConfig], warnings: &mut Vec<Fault>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (index, table) in tables.iter().enumerate() {
        let at = |key| vec![Step::Key("table"), Step::Index(index), Step::Key(key)];
        check_entity(&table.entity, at("entity"))?;
        check_name(&table.into, at("into"))?;
        if table.key.is_empty() {
            return Err(Fault::at(at("key"), "a table needs a key to find its rows by").with_help(
                format!(
                    "name the column that holds the id: key = {{ id = \"{}.id\" }}",
                    table.entity
                ),
            ));
        }
        let mut columns = BTreeSet::new();
        let mapped = table.key.iter().chain(table.columns.iter()).map(|(column, _)| column);
        for column in mapped {
            if !columns.insert(column) {
                let message = format!("`{column}` is a column of the key already");
                return Err(Fault::at(at("columns"), message).with_help("name it once"));
            }
        }
        for (column, _) in table.on_insert.iter() {
            if !columns.insert(column) {
                let message = format!("`{column}` has a value in `key` or `columns` already");
                return Err(Fault::at(at("on_insert"), message)
                    .with_help("name it there, or in `on_insert` for new rows alone"));
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
    let Some(entity) = entity::find(&table.entity) else { return Ok(()) };
    let event_types = [entity.upserted_by, entity.deleted_by].concat();
    let mut check = |text: &str, column: &str, place: Vec<Step>| {
        let what = format!("the expression of `{column}`");
        let expression = expression::check(&what, text, &event_types, place.clone(), warnings)?;
        match expression::absent_root(&what, &expression, &event_types, place) {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    };
    for (list, at) in [(&table.key, at("key")), (&table.columns, at("columns"))] {
        for (column, value) in list.iter() {
            let place = [&at[..], &[Step::Name(column.to_owned())]].concat();
            match value {
                ColumnValue::Expression(text) if GeneratedId::of(text).is_some() => {
                    return Err(generated_elsewhere(text.trim(), place));
                }
                ColumnValue::Expression(text) => check(text, column, place)?,
                ColumnValue::Lookup(lookup) => {
                    check_lookup(lookup, &place)?;
                    for (by, text) in lookup.by.iter() {
                        let by_column = [Step::Key("where"), Step::Name(by.to_owned())];
                        check(text, by, [&place[..], &by_column].concat())?;
                    }
                }
            }
        }
    }
    for (column, text) in table.on_insert.iter().filter(|(_, text)| GeneratedId::of(text).is_none())
    {
        check(text, column, [&at("on_insert")[..], &[Step::Name(column.to_owned())]].concat())?;
    }
    match &table.on_delete {
        OnRowDelete::Set(set) => check_set(set, entity, &at("on_delete"), warnings),
        OnRowDelete::Delete | OnRowDelete::Keep => Ok(()),
    }
}

fn check_lookup(lookup: &LookupConfig, place: &[Step]) -> Result<(), Fault> {
    let within = |key| [place, &[Step::Key(key)]].concat();
    if lookup.by.is_empty() {
        let message = "a lookup needs a column to find its row by";
        return Err(Fault::at(within("where"), message)
            .with_help("name a unique column: where = { clerk_id = \"membership.user_id\" }"));
    }
    check_name(&lookup.lookup, within("lookup"))
}

fn check_name(table: &str, place: Vec<Step>) -> Result<(), Fault> {
    let names: Vec<_> = table.split('.').collect();
    if names.len() <= 2 && names.iter().all(|name| !name.trim().is_empty()) {
        return Ok(());
    }
    Err(Fault::at(place, format!("`{table}` is not the name of a table"))
        .with_help("write `table` or `schema.table`"))
}

fn generated_elsewhere(text: &str, place: Vec<Step>) -> Fault {
    Fault::at(place, format!("`{text}` is for new rows alone"))
        .with_help("give the column in `on_insert`: existing rows keep the id that they have")
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
    let known: Vec<_> = entity::ALL.iter().map(|entity| entity.name).collect();
    if known.contains(&name) {
        return Ok(());
    }
    let help = nearest::suggest(name, &known, "the entities are");
    Err(Fault::at(at, format!("there is no entity `{name}`")).with_help(help))
}
