//! A table of the application's, as the config declares it.

use std::collections::BTreeSet;

use deskbell_expr::{EvaluationError, EventView, Expression, Value};

use super::column_value::{Lookup, MappedValue};
use super::declaration::{DeclarationError, DeclarationProblem, compile_all};
use super::insert_value::InsertValue;
use super::revision::revision_of;
use crate::config::{OnRowDelete, TableConfig};
use crate::entity::{self, Entity};

/// A table of the application's that is filled from one kind of entity.
#[derive(Debug)]
pub(crate) struct MappedTable {
    /// Its name in `_versions` and in dead letters.
    pub(crate) name: String,
    pub(crate) entity: &'static Entity,
    pub(crate) into: String,
    pub(crate) key: Vec<(String, MappedValue)>,
    pub(crate) columns: Vec<(String, MappedValue)>,
    /// What only a new row is given.
    pub(crate) on_insert: Vec<(String, InsertValue)>,
    pub(crate) on_delete: DeleteAction,
    /// Changes with everything that is declared.
    pub(crate) revision: i64,
    /// Where the config declares it.
    pub(crate) declared_at: String,
}

/// What happens to a row when its entity is gone.
#[derive(Debug)]
pub(crate) enum DeleteAction {
    Delete,
    Keep,
    Set(Vec<(String, Expression)>),
}

impl MappedTable {
    pub(crate) fn compile(mapping: &TableConfig) -> Result<Self, DeclarationError> {
        let declared_at = mapping.declared_at();
        let problem = |problem| DeclarationError { declared_at: declared_at.clone(), problem };
        let entity = entity::find(&mapping.entity).ok_or_else(|| {
            problem(DeclarationProblem::UnknownEntity { name: mapping.entity.clone() })
        })?;
        if mapping.key.is_empty() {
            return Err(problem(DeclarationProblem::NoKey));
        }
        let key = MappedValue::compile_all("key", &mapping.key).map_err(problem)?;
        let columns = MappedValue::compile_all("columns", &mapping.columns).map_err(problem)?;
        let on_insert = InsertValue::compile_all(&mapping.on_insert).map_err(problem)?;
        let declared =
            (&mapping.entity, &mapping.into, &mapping.key, &mapping.columns, &mapping.on_delete);
        let on_delete = match &mapping.on_delete {
            OnRowDelete::Delete => DeleteAction::Delete,
            OnRowDelete::Keep => DeleteAction::Keep,
            OnRowDelete::Set(set) => {
                DeleteAction::Set(compile_all("on_delete.set", set).map_err(problem)?)
            }
        };
        let compiled = Self {
            name: format!("{} from {}", mapping.into, entity.name),
            entity,
            into: mapping.into.clone(),
            key,
            columns,
            on_insert,
            on_delete,
            revision: revision_of(match mapping.on_insert.is_empty() {
                // As versions without `on_insert` had it: no row is read again because of an upgrade.
                true => format!("{declared:?}"),
                false => format!("{declared:?} {:?}", mapping.on_insert),
            }),
            declared_at: declared_at.clone(),
        };
        match compiled.column_twice() {
            Some(column) => Err(problem(DeclarationProblem::ColumnTwice { column })),
            None => Ok(compiled),
        }
    }

    /// Every mapped column with its value.
    pub(crate) fn mapped(&self) -> impl Iterator<Item = (&str, &MappedValue)> {
        self.key.iter().chain(&self.columns).map(|(name, value)| (name.as_str(), value))
    }

    /// The columns that are looked up.
    pub(crate) fn lookups(&self) -> impl Iterator<Item = (&str, &Lookup)> {
        self.mapped().filter_map(|(name, value)| Some((name, value.lookup()?)))
    }

    /// Every expression, with the column that it is of.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = (&str, &Expression)> {
        let of_key = self.mapped().filter_map(|(name, value)| match value {
            MappedValue::Expression(expression) => Some((name, expression)),
            MappedValue::Lookup(_) => None,
        });
        let set = self.set().iter().map(|(name, expression)| (name.as_str(), expression));
        let on_insert = self.on_insert.iter();
        let on_insert = on_insert.filter_map(|(name, value)| Some((&**name, value.expression()?)));
        of_key.chain(set).chain(on_insert)
    }

    /// What a version says of its row's columns: of the mapped ones, then of those of new rows alone.
    pub(crate) fn evaluate(
        &self,
        view: &EventView<'_>,
    ) -> Result<Vec<(&str, Value)>, EvaluationError> {
        let mapped = self.columns.iter().map(|(name, value)| Ok((&**name, value.evaluate(view)?)));
        let on_insert = self.on_insert.iter();
        let on_insert = on_insert.filter_map(|(name, value)| {
            Some(value.expression()?.evaluate(view).map(|value| (&**name, value)))
        });
        mapped.chain(on_insert).collect()
    }

    /// Every column that a row is given a value for when it is inserted.
    pub(crate) fn inserted(&self) -> impl Iterator<Item = &str> {
        let mapped = self.mapped().map(|(name, _)| name);
        mapped.chain(self.on_insert.iter().map(|(name, _)| name.as_str()))
    }

    /// The columns that are set when an entity is gone.
    pub(crate) fn set(&self) -> &[(String, Expression)] {
        match &self.on_delete {
            DeleteAction::Set(set) => set,
            DeleteAction::Delete | DeleteAction::Keep => &[],
        }
    }

    /// A column may be mapped and set: what is set goes before what is mapped while the entity is gone.
    fn column_twice(&self) -> Option<String> {
        let first_twice = |mut names: Vec<&str>| {
            names.sort_unstable();
            names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_owned())
        };
        let of_key = self.key.iter().map(|(name, _)| name.as_str());
        // What is looked up is no expression's to set.
        let looked_up = self.lookups().map(|(name, _)| name);
        let looked_up: BTreeSet<_> = of_key.chain(looked_up).collect();
        let set = self.set().iter().map(|(name, _)| name.as_str());
        first_twice(self.inserted().collect())
            .or_else(|| first_twice(looked_up.into_iter().chain(set).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ColumnValues, Expressions, Line};

    #[test]
    fn a_table_is_told_from_others_as_earlier_versions_told_it() {
        let mut mapping = TableConfig {
            entity: "user".to_owned(),
            into: "users".to_owned(),
            on_delete: OnRowDelete::Set(Expressions::from_iter([("gone", "true")])),
            key: ColumnValues::from_iter([("id", "user.id")]),
            columns: ColumnValues::from_iter([("name", "\"x\"")]),
            on_insert: Expressions::default(),
            line: Line::default(),
        };
        let revision = |mapping: &TableConfig| MappedTable::compile(mapping).unwrap().revision;
        let declared = r#"("user", "users", Expressions([("id", "user.id")]), Expressions([("name", "\"x\"")]), Set(Expressions([("gone", "true")])))"#;
        assert_eq!(revision(&mapping), revision_of(declared.to_owned()));
        mapping.on_insert = Expressions::from_iter([("made", "1")]);
        assert_ne!(revision(&mapping), revision_of(declared.to_owned()));
    }
}
