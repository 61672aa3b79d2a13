//! Options from which no mapping can be made.

use super::declaration::DeclarationError;
use crate::entity;

/// A choice of entities and columns that cannot be mirrored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MappingError {
    #[error("unknown entity {name:?}; the entities are {}", names())]
    UnknownEntity { name: String },
    /// The text is not `entity.column`, or names no column.
    #[error(
        "unknown column {column:?}; expected an entity and one of its columns, such as \
         \"user.private_metadata\""
    )]
    UnknownColumn { column: String },
    #[error("{column:?} is in both `exclude_columns` and `include_columns`: remove it from one")]
    Contradiction { column: String },
    /// It need not be included.
    #[error(
        "{column:?} in `include_columns` is not excluded by default, only \"private_metadata\" \
         columns are; remove it"
    )]
    NotLeftOut { column: String },
    /// The mirror finds or removes rows by this column.
    #[error("{column:?} cannot be excluded: the mirror finds its rows by it")]
    NeededColumn { column: String },
    /// A mapped table or a statement makes no sense.
    #[error(transparent)]
    Declaration(Box<DeclarationError>),
}

impl From<DeclarationError> for MappingError {
    fn from(error: DeclarationError) -> Self {
        Self::Declaration(Box::new(error))
    }
}

fn names() -> String {
    entity::ALL.iter().map(|entity| entity.name).collect::<Vec<_>>().join(", ")
}
