//! What one destination mirrors: the chosen entities, the columns that are left of them, and the
//! revision by which a row tells how it was made.

mod column_value;
mod columns;
mod declaration;
mod error;
mod insert_value;
mod named;
mod redact;
mod revision;
mod statement;
mod statement_text;
mod table;

use std::fmt::Write as _;
use std::sync::Arc;

use crate::config::{DatabaseConfig, OnDelete};
use crate::db::Dialect;
use crate::entity::{self, Children, Column, Embedded, Entity};
use crate::json::Json;
pub(crate) use column_value::{Lookup, MappedValue};
use columns::LeftOut;
pub use declaration::{DeclarationError, DeclarationProblem};
pub use error::MappingError;
pub(crate) use insert_value::GeneratedId;
use redact::{Redaction, redact, redact_element};
use revision::revision_of;
pub(crate) use statement::{CompiledStatement, identity, title};
pub(crate) use statement_text::check_statement;
pub use statement_text::{StatementTextError, StatementTextProblem};
pub(crate) use table::{DeleteAction, MappedTable};

/// Raised whenever the same payload would be read differently with the same declarations, so that
/// rows written before are written again.
const READING_REVISION: u32 = 3;

/// The entities that one destination mirrors, as it mirrors them.
#[derive(Debug)]
pub struct Mappings {
    mappings: Vec<Mapping>,
    redaction: Redaction,
    on_delete: OnDelete,
    tables: Vec<Arc<MappedTable>>,
    statements: Vec<Arc<CompiledStatement>>,
}

/// One mirrored entity with the columns that are not excluded.
#[derive(Debug)]
pub struct Mapping {
    pub entity: &'static Entity,
    /// Its columns, less the excluded ones, `id` first.
    pub columns: Vec<&'static Column>,
    /// Those that the config excludes by name, or that are filled from what it excludes: what they
    /// have held is emptied.
    pub(crate) emptied: Vec<&'static Column>,
    /// Those that are left out by default. A mirror that has one keeps it until the config names it.
    pub(crate) left_out_by_default: Vec<&'static Column>,
    /// For each of the entity's declared children, the columns that are null in its table, as they
    /// are filled from what is excluded.
    pub(crate) hidden: Vec<Vec<&'static str>>,
    /// Changes with the columns, its child tables' too, where they are filled from, and what `raw`
    /// leaves out.
    pub revision: i64,
}

impl Mappings {
    /// Mirrors these entities, less every `private_metadata` and the columns that `exclude` names
    /// as `entity.column`. `include` takes a `private_metadata` back.
    ///
    /// # Errors
    /// A name that does not exist, or a column that cannot be left out or need not be included.
    pub fn new(
        entities: &[String],
        exclude: &[String],
        include: &[String],
    ) -> Result<Self, MappingError> {
        for name in entities {
            if entity::find(name).is_none() {
                return Err(MappingError::UnknownEntity { name: name.clone() });
            }
        }
        let left_out = LeftOut::new(exclude, include)?;
        let redaction = left_out.redaction();
        let mirrored =
            entity::ALL.iter().filter(|entity| entities.iter().any(|name| name == entity.name));
        let mappings = mirrored.map(|entity| Mapping::new(entity, &left_out, &redaction)).collect();
        let on_delete = OnDelete::default();
        Ok(Self { mappings, redaction, on_delete, tables: Vec::new(), statements: Vec::new() })
    }

    /// The mappings of this config.
    ///
    /// # Errors
    /// A name that does not exist, or an expression that cannot be compiled.
    pub fn for_config(config: &DatabaseConfig) -> Result<Self, MappingError> {
        let mappings =
            Self::new(&config.mirrored(), &config.exclude_columns, &config.include_columns)?;
        let tables = config.tables.iter();
        let tables = tables.map(|table| MappedTable::compile(table).map(Arc::new));
        let dialect = Dialect::of(&config.url);
        Ok(Self {
            on_delete: config.on_delete,
            tables: tables.collect::<Result<_, _>>()?,
            statements: CompiledStatement::compile_all(&config.statements, dialect)?,
            ..mappings
        })
    }

    /// Mirrors every entity with every column that a config can ask for.
    pub(crate) fn of_everything() -> Result<Self, MappingError> {
        Self::for_config(&DatabaseConfig {
            entities: Some(entity::ALL.iter().map(|entity| entity.name.to_owned()).collect()),
            include_columns: left_out_by_default(),
            on_delete: OnDelete::Mark,
            ..DatabaseConfig::default()
        })
    }

    /// What happens to rows whose entity was deleted.
    #[must_use]
    pub fn on_delete(&self) -> OnDelete {
        self.on_delete
    }

    /// The application's own tables.
    pub(crate) fn tables(&self) -> &[Arc<MappedTable>] {
        &self.tables
    }

    /// The application's own statements.
    pub(crate) fn statements(&self) -> &[Arc<CompiledStatement>] {
        &self.statements
    }

    pub fn iter(&self) -> impl Iterator<Item = &Mapping> {
        self.mappings.iter()
    }

    /// The mapping of this entity, if it is mirrored.
    #[must_use]
    pub fn of(&self, entity: &Entity) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.entity.name == entity.name)
    }

    /// Changes whenever an entity or a mapped table is added or one's own revision changes.
    #[must_use]
    pub fn revision(&self) -> i64 {
        let mut text = format!("{:?};", self.on_delete);
        for mapping in &self.mappings {
            let _ = write!(text, "{}={};", mapping.entity.name, mapping.revision);
        }
        for table in &self.tables {
            let _ = write!(text, "{}={};", table.name, table.revision);
        }
        revision_of(text)
    }

    pub(crate) fn redacted(&self, entity: &Entity, data: Json<'_>) -> String {
        redact(data, entity, &self.redaction)
    }

    pub(crate) fn redacted_child(
        &self,
        entity: &Entity,
        children: &Children,
        element: Json<'_>,
    ) -> String {
        redact_element(element, children.list, entity, &self.redaction)
    }

    /// Whether these children have rows: not where a column that is excluded is filled from the
    /// list that has them.
    pub(crate) fn has(&self, entity: &Entity, children: &Children) -> bool {
        !self.redaction.leaves_out(entity, children.list)
    }

    /// Whether a version of this entity is a row of anything.
    pub(crate) fn wants(&self, entity: &Entity) -> bool {
        self.of(entity).is_some() || self.tables.iter().any(|table| table.entity == entity)
    }

    /// The lists in this entity's JSON whose elements are versions of what is wanted.
    pub(crate) fn embedded(
        &self,
        entity: &Entity,
    ) -> impl Iterator<Item = (&'static Embedded, &'static Entity)> {
        let wanted = |name| entity::find(name).filter(|entity| self.wants(entity));
        entity.embedded.iter().filter_map(move |held| Some((held, wanted(held.entity)?)))
    }
}

impl Mapping {
    fn new(entity: &'static Entity, left_out: &LeftOut, redaction: &Redaction) -> Self {
        let (emptied, columns): (Vec<_>, Vec<_>) = entity
            .columns
            .iter()
            .partition(|column| left_out.leaves_out(entity, column, redaction));
        let by_default: Vec<_> = left_out.by_default(entity).collect();
        let emptied: Vec<_> =
            emptied.into_iter().filter(|column| !by_default.contains(column)).collect();
        let embedding = entity::ALL.iter().flat_map(|entity| entity.embedded);
        let embedding: Vec<_> = embedding.filter(|held| held.entity == entity.name).collect();
        let names: Vec<_> = emptied.iter().map(|column| column.name).collect();
        let described = format!(
            "{READING_REVISION} {} {columns:?} {:?} {embedding:?} {redaction:?} {names:?}",
            Entity::VERSION,
            entity.children
        );
        Self {
            entity,
            columns,
            emptied,
            left_out_by_default: by_default,
            hidden: entity.children.iter().map(|list| hidden(entity, list, redaction)).collect(),
            revision: revision_of(described),
        }
    }
}

/// The columns of the elements that are filled from what is excluded; never their ids.
fn hidden(entity: &Entity, list: &Children, redaction: &Redaction) -> Vec<&'static str> {
    let columns = list.columns[1..].iter();
    let hidden = columns.filter(|column| redaction.hides_in_element(entity, list.list, column));
    hidden.map(|column| column.name).collect()
}

/// Every column that is left out where the config does not include it, as `entity.column`.
#[must_use]
pub fn left_out_by_default() -> Vec<String> {
    columns::defaults().map(|(entity, column)| format!("{}.{}", entity.name, column.name)).collect()
}
