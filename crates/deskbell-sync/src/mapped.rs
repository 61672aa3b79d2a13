//! The application's own tables and statements, filled from expressions of the config.
//!
//! A mapped table is as convergent as the mirror. What is known of each entity (its newest version,
//! the key that this version maps to, whether it is gone) is kept in `_versions`, and the rows of
//! the application's table follow from that alone. Of several entities that map to one key, the one
//! that was created last owns it.

mod apply;
mod evaluate;
mod execute;
mod fit;
mod keys;
mod literal;
mod lookups;
mod named;
mod pass;
mod plan;
#[cfg(test)]
mod plans;
mod questions;
mod record;
mod records;
mod scalar;
mod settle;
mod statement;
mod statement_pass;
mod statement_text;
mod swap;
mod table_sql;
mod wait;
mod ways;
mod writer;

use deskbell_expr::{Expression, ExpressionError};

use crate::batch::EventRef;
use crate::entity::{self, Entity};
use crate::mapping::revision_of;
use crate::options::{MappedDelete, TableMapping};
use crate::version::Version;
pub(crate) use apply::{Applied, MappedTarget};
pub use evaluate::absent_in_delete;
pub(crate) use evaluate::{Seen, evaluate_end, evaluate_row};
pub use fit::{MappedTableError, MappedTableProblem};
pub(crate) use records::Scope;
pub(crate) use statement::{
    CompiledStatement, StatementRun, StatementTarget, StatementWork, identity, title,
};
pub(crate) use statement_pass::{StatementMarker, StatementPass};
pub use statement_text::{StatementTextError, StatementTextProblem, check_statement};
pub(crate) use wait::Patience;

/// A table of the application's that is filled from one kind of entity.
#[derive(Debug)]
pub(crate) struct MappedTable {
    /// Its name in `_versions` and in dead letters.
    pub(crate) name: String,
    pub(crate) entity: &'static Entity,
    pub(crate) into: String,
    pub(crate) key: Vec<(String, Expression)>,
    pub(crate) columns: Vec<(String, Expression)>,
    pub(crate) on_delete: Ending,
    /// Changes with everything that is declared.
    pub(crate) revision: i64,
    /// Where the config declares it.
    pub(crate) declared_at: String,
}

/// What happens to a row when its entity is gone.
#[derive(Debug)]
pub(crate) enum Ending {
    Delete,
    Keep,
    Set(Vec<(String, Expression)>),
}

/// A declaration that makes no sense.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{declared_at}: {problem}")]
pub struct DeclarationError {
    /// Where the config declares it.
    pub declared_at: String,
    /// What is wrong.
    pub problem: DeclarationProblem,
}

/// What is wrong with a declaration.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeclarationProblem {
    /// There is no such entity.
    #[error("there is no entity {name:?}")]
    UnknownEntity {
        /// The name that was given.
        name: String,
    },
    /// Rows cannot be told apart.
    #[error("a mapped table needs a key of at least one column")]
    NoKey,
    /// A column is filled from two places.
    #[error("the column {column:?} is named twice")]
    ColumnTwice {
        /// The column.
        column: String,
    },
    /// An expression cannot be compiled.
    #[error("{place}: {source}")]
    Expression {
        /// Which one, such as `columns.email`.
        place: String,
        /// What is wrong with it.
        source: ExpressionError,
    },
    /// The statement's text is not one statement, or one that cannot be.
    #[error(transparent)]
    StatementText(#[from] StatementTextError),
    /// Two statements are known by one name, or say the same on the same events.
    #[error(
        "it is the same statement as {other}, and what has run is kept by that: give each a `name` of its own"
    )]
    StatementTwice {
        /// Where the config declares the other one.
        other: String,
    },
    /// The statement has a `:name` that `params` does not have.
    #[error("the statement's parameter :{name} is not in params")]
    MissingParameter {
        /// The name.
        name: String,
    },
    /// `params` has a name that the statement does not use.
    #[error("params has {name:?}, and the statement has no :{name}")]
    UnusedParameter {
        /// The name.
        name: String,
    },
}

/// The newest version of an entity in a batch, as one mapped table sees it.
#[derive(Debug, PartialEq)]
pub(crate) struct MappedRow {
    pub(crate) id: String,
    pub(crate) version: Version,
    pub(crate) created_at_ms: i64,
    /// The ids of what the entity ends with, in the order of its declared parents.
    pub(crate) parents: [Option<String>; 2],
    /// As it stands in `_versions`; `None` where a part of it is null.
    pub(crate) key: Option<String>,
    /// The values of the columns, as they stand in `_versions`.
    pub(crate) values: String,
    pub(crate) event: EventRef,
}

/// The earliest delete of an entity in a batch, as one mapped table sees it.
#[derive(Debug, PartialEq)]
pub(crate) struct MappedEnd {
    pub(crate) id: String,
    pub(crate) occurred_at_ms: i64,
    pub(crate) message_id: String,
    pub(crate) created_at_ms: i64,
    pub(crate) key: Option<String>,
}

/// What a batch says about the entities of one mapped table.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct MappedChanges {
    pub(crate) rows: Vec<MappedRow>,
    pub(crate) ends: Vec<MappedEnd>,
}

impl MappedTable {
    pub(crate) fn compile(mapping: &TableMapping) -> Result<Self, DeclarationError> {
        let declared_at = mapping.declared_at.clone();
        let problem = |problem| DeclarationError { declared_at: declared_at.clone(), problem };
        let entity = entity::find(&mapping.entity).ok_or_else(|| {
            problem(DeclarationProblem::UnknownEntity { name: mapping.entity.clone() })
        })?;
        if mapping.key.is_empty() {
            return Err(problem(DeclarationProblem::NoKey));
        }
        let key = compile_all("key", &mapping.key).map_err(problem)?;
        let columns = compile_all("columns", &mapping.columns).map_err(problem)?;
        let on_delete = match &mapping.on_delete {
            MappedDelete::Delete => Ending::Delete,
            MappedDelete::Keep => Ending::Keep,
            MappedDelete::Set(set) => {
                Ending::Set(compile_all("on_delete.set", set).map_err(problem)?)
            }
        };
        let compiled = Self {
            name: format!("{} from {}", mapping.into, entity.name),
            entity,
            into: mapping.into.clone(),
            key,
            columns,
            on_delete,
            revision: revision_of(format!("{mapping:?}")),
            declared_at: declared_at.clone(),
        };
        match compiled.column_twice() {
            Some(column) => Err(problem(DeclarationProblem::ColumnTwice { column })),
            None => Ok(compiled),
        }
    }

    /// The columns that are set when an entity is gone.
    pub(crate) fn set(&self) -> &[(String, Expression)] {
        match &self.on_delete {
            Ending::Set(set) => set,
            Ending::Delete | Ending::Keep => &[],
        }
    }

    /// A column may be mapped and set: what is set goes before what is mapped while the entity is gone.
    fn column_twice(&self) -> Option<String> {
        let twice = |columns: [&[(String, Expression)]; 2]| {
            let mut names: Vec<_> = columns.into_iter().flatten().map(|(name, _)| name).collect();
            names.sort_unstable();
            names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
        };
        twice([&self.key, &self.columns]).or_else(|| twice([&self.key, self.set()]))
    }
}

fn compile_all(
    section: &str,
    texts: &[(String, String)],
) -> Result<Vec<(String, Expression)>, DeclarationProblem> {
    let compile = |(name, text): &(String, String)| match Expression::compile(text) {
        Ok(expression) => Ok((name.clone(), expression)),
        Err(source) => {
            Err(DeclarationProblem::Expression { place: format!("{section}.{name}"), source })
        }
    };
    texts.iter().map(compile).collect()
}
