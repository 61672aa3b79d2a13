//! The entities that can be mirrored: one short, declarative file each. Tables, columns, the fold
//! and the upserts follow from what is declared there.

mod column;
mod organization;
mod organization_membership;
mod user;

pub use column::{Column, Kind, Source};

/// Every entity that Deskbell knows, in the order in which tables are made and printed.
pub const ALL: &[&Entity] =
    &[&user::USER, &organization::ORGANIZATION, &organization_membership::ORGANIZATION_MEMBERSHIP];

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
    /// The member of `data` that orders its versions; the event's time stands in where it is
    /// missing.
    pub version: &'static str,
    /// The table's columns, `id` first.
    pub columns: &'static [Column],
    /// The names under which other entities' JSON holds it, so that what is excluded here is left
    /// out there too.
    pub nested_as: &'static [&'static str],
}

/// The entity that another one ends with.
#[derive(Debug, PartialEq, Eq)]
pub struct Parent {
    /// The parent's name.
    pub entity: &'static str,
    /// The column that holds the parent's id.
    pub column: &'static str,
}

impl Entity {
    /// The column of this name.
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

/// The entity of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entity> {
    ALL.iter().copied().find(|entity| entity.name == name)
}

/// What an event says about an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `data` is a version of it.
    Upsert,
    /// It is gone.
    Delete,
}

/// What events of this type say, and about which entity; `None` for a type that no entity names.
#[must_use]
pub fn change(event_type: &str) -> Option<(&'static Entity, Change)> {
    ALL.iter().find_map(|entity| {
        if entity.upserted_by.contains(&event_type) {
            Some((*entity, Change::Upsert))
        } else if entity.deleted_by.contains(&event_type) {
            Some((*entity, Change::Delete))
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_declaration_is_sound() {
        for entity in ALL {
            let names: HashSet<_> = entity.columns.iter().map(|column| column.name).collect();
            assert_eq!(names.len(), entity.columns.len(), "{}: a column twice", entity.name);
            assert_eq!(entity.columns[0].name, "id", "{}", entity.name);
            assert!(!names.contains("raw"), "{}", entity.name);
            assert!(names.iter().all(|name| !name.starts_with('_')), "{}", entity.name);
            for parent in entity.parents {
                assert!(find(parent.entity).is_some(), "{}: {}", entity.name, parent.entity);
                let column = entity.column(parent.column).expect(parent.column);
                assert!(column.indexed, "{}: deletes look {} up", entity.name, parent.column);
            }
        }
    }

    #[test]
    fn an_event_type_belongs_to_one_entity_at_most() {
        let types = ALL.iter().flat_map(|e| e.upserted_by.iter().chain(e.deleted_by));
        let mut seen = HashSet::new();
        for event_type in types {
            assert!(seen.insert(event_type), "{event_type}");
        }
    }

    #[test]
    fn types_that_no_entity_names_change_nothing() {
        for event_type in ["user.exploded", "session.created", "", "user"] {
            assert_eq!(change(event_type), None, "{event_type}");
        }
        assert_eq!(change("user.updated"), Some((&user::USER, Change::Upsert)));
        assert_eq!(change("user.deleted"), Some((&user::USER, Change::Delete)));
    }
}
