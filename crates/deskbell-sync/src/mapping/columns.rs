//! Which columns are left out: the default, what the config adds to it, and what it takes back.

use super::error::MappingError;
use super::redact::Redaction;
use crate::entity::{self, Column, Entity};

/// Left out of every entity, unless the config takes one back.
const LEFT_OUT_BY_DEFAULT: &str = "private_metadata";

/// A column and the entity that it is of.
type EntityColumn = (&'static Entity, &'static Column);

/// The columns that are left out.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Those that the config names: what they have held is emptied.
    named: Vec<EntityColumn>,
    by_default: Vec<EntityColumn>,
}

impl LeftOut {
    /// From the names in the config, such as `user.locale`.
    pub(super) fn new(exclude: &[String], include: &[String]) -> Result<Self, MappingError> {
        let named: Vec<_> =
            exclude.iter().map(|text| excludable(text)).collect::<Result<_, _>>()?;
        let mut by_default: Vec<_> = defaults().collect();
        for text in include {
            let column = find(text)?;
            if named.contains(&column) {
                return Err(MappingError::Contradiction { column: text.clone() });
            }
            if !defaults().any(|default| default == column) {
                return Err(MappingError::NotLeftOut { column: text.clone() });
            }
            by_default.retain(|default| *default != column);
        }
        by_default.retain(|default| !named.contains(default));
        Ok(Self { named, by_default })
    }

    /// The members of the JSON that are left out with these columns.
    pub(super) fn redaction(&self) -> Redaction {
        let mut redaction = Redaction::default();
        for entity in entity::ALL {
            let columns = self.columns(entity).flat_map(Column::members);
            redaction.leave_out(entity, columns.collect());
        }
        redaction
    }

    /// Whether this column is left out: itself, or what it is filled from within another entity.
    pub(super) fn leaves_out(
        &self,
        entity: &Entity,
        column: &'static Column,
        redaction: &Redaction,
    ) -> bool {
        self.columns(entity).any(|out| out == column)
            || !entity.needs(column.name) && redaction.hides(entity, column)
    }

    /// Those of this entity that nobody has named. A mirror that has one of them keeps it.
    pub(super) fn by_default(&self, entity: &Entity) -> impl Iterator<Item = &'static Column> {
        of(&self.by_default, entity)
    }

    fn columns(&self, entity: &Entity) -> impl Iterator<Item = &'static Column> {
        of(&self.named, entity).chain(of(&self.by_default, entity))
    }
}

fn of(columns: &[EntityColumn], entity: &Entity) -> impl Iterator<Item = &'static Column> {
    columns.iter().filter(|(owner, _)| owner.name == entity.name).map(|(_, column)| *column)
}

pub(super) fn defaults() -> impl Iterator<Item = EntityColumn> {
    entity::ALL.iter().filter_map(|entity| Some((*entity, entity.column(LEFT_OUT_BY_DEFAULT)?)))
}

fn excludable(text: &str) -> Result<EntityColumn, MappingError> {
    let (entity, column) = find(text)?;
    if entity.needs(column.name) {
        return Err(MappingError::NeededColumn { column: text.to_owned() });
    }
    Ok((entity, column))
}

fn find(text: &str) -> Result<EntityColumn, MappingError> {
    let unknown = || MappingError::UnknownColumn { column: text.to_owned() };
    let (owner, name) = text.split_once('.').ok_or_else(unknown)?;
    let entity = entity::find(owner).ok_or_else(unknown)?;
    Ok((entity, entity.column(name).ok_or_else(unknown)?))
}
