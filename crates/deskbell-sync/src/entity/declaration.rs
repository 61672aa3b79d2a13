//! The declaration of an entity.

use super::column::Column;

/// A kind of Clerk object that can be mirrored.
#[derive(Debug, PartialEq, Eq)]
pub struct Entity {
    /// Its name in the config, such as `organization_membership`.
    pub name: &'static str,
    /// Its table, without schema or prefix.
    pub table: &'static str,
    /// The event types whose `data` is a new version of it.
    pub upserted_by: &'static [&'static str],
    /// The event types that say that it is gone. A delete is absorbing.
    pub deleted_by: &'static [&'static str],
    /// The entities that it ends with: its row goes when one of them is deleted, and does not
    /// appear when one was deleted before.
    pub parents: &'static [Parent],
    /// The table's columns, `id` first.
    pub columns: &'static [Column],
    /// The names under which other entities' JSON holds it, so that what is excluded here is left
    /// out there too.
    pub nested_as: &'static [&'static str],
    /// The lists in its JSON that have tables of their own.
    pub children: &'static [Children],
    /// The lists in its JSON whose elements are versions of other entities.
    pub embedded: &'static [Embedded],
    /// What its column `raw` keeps.
    pub raw: Raw,
    /// Whether it is mirrored where the config does not choose.
    pub by_default: bool,
}

/// A list in an entity's JSON whose elements are rows of a table of their own, replaced with the
/// entity as one. The primary key is the entity's id and the element's.
#[derive(Debug, PartialEq, Eq)]
pub struct Children {
    /// The table, without schema or prefix.
    pub table: &'static str,
    /// The member of the entity's JSON that holds the list.
    pub list: &'static str,
    /// The column that holds the entity's id.
    pub parent: &'static str,
    /// The columns that are filled from the element, `id` first. An element without an id is left
    /// out; of two with the same id the later one counts.
    pub columns: &'static [Column],
    /// The entity that the elements are, where one that is deleted leaves the list too.
    pub of: Option<&'static str>,
}

/// A list in an entity's JSON whose elements are versions of another entity, under the same
/// message id and event time.
#[derive(Debug, PartialEq, Eq)]
pub struct Embedded {
    /// The member of the entity's JSON that holds the list.
    pub list: &'static str,
    /// The name of the entity that the elements are versions of.
    pub entity: &'static str,
    /// Members that an element takes from what holds it, where its own is missing or null: the
    /// element's member, and the holder's.
    pub inherits: &'static [(&'static str, &'static str)],
}

/// The part of an entity's JSON that the column `raw` keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw {
    /// All of it, less what is excluded and what is secret.
    Whole,
    /// Only the members that columns are filled from: the rest holds codes and links.
    Columns,
}

/// The entity that another one ends with.
#[derive(Debug, PartialEq, Eq)]
pub struct Parent {
    pub entity: &'static str,
    /// The column that holds the parent's id.
    pub column: &'static str,
}

impl Entity {
    /// The member of `data` that orders the versions of every entity; the event's time stands in
    /// where it is missing.
    pub(crate) const VERSION: &'static str = "updated_at";

    /// What an entity is unless it says otherwise: it ends with no other one, and has a table of its
    /// own for nothing that it holds.
    pub(super) const PLAIN: Self = Self {
        name: "",
        table: "",
        upserted_by: &[],
        deleted_by: &[],
        parents: &[],
        columns: &[],
        nested_as: &[],
        children: &[],
        embedded: &[],
        raw: Raw::Whole,
        by_default: true,
    };

    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether the mirror cannot do without this column.
    #[must_use]
    pub fn needs(&self, column: &str) -> bool {
        column == "id" || self.parents.iter().any(|parent| parent.column == column)
    }
}
