//! The entities that can be mirrored: one short, declarative file each. Tables, columns, the fold
//! and the upserts follow from what is declared there.

mod billing;
mod column;
mod email;
mod invitation;
mod number;
mod organization;
mod organization_domain;
mod organization_invitation;
mod organization_membership;
mod payment_attempt;
mod permission;
mod role;
mod session;
mod sms;
mod subscription;
mod subscription_item;
mod user;
mod waitlist_entry;

pub use crate::value::Kind;
pub use column::{Column, Source};

/// Every entity that Deskbell knows, in the order in which tables are made and printed.
pub const ALL: &[&Entity] = &[
    &user::USER,
    &organization::ORGANIZATION,
    &organization_membership::ORGANIZATION_MEMBERSHIP,
    &organization_domain::ORGANIZATION_DOMAIN,
    &organization_invitation::ORGANIZATION_INVITATION,
    &invitation::INVITATION,
    &session::SESSION,
    &role::ROLE,
    &permission::PERMISSION,
    &waitlist_entry::WAITLIST_ENTRY,
    &subscription::SUBSCRIPTION,
    &subscription_item::SUBSCRIPTION_ITEM,
    &payment_attempt::PAYMENT_ATTEMPT,
    &email::EMAIL,
    &sms::SMS,
];

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

/// What the column `raw` keeps of an entity's JSON.
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
///
/// Measured, going through them all takes nanoseconds: less than a hash of the type.
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

    fn assert_columns_are_sound(table: &str, columns: &[Column]) {
        let names: HashSet<_> = columns.iter().map(|column| column.name).collect();
        assert_eq!(names.len(), columns.len(), "{table}: a column twice");
        assert_eq!((columns[0].name, columns[0].kind), ("id", Kind::Id), "{table}");
        for column in columns.iter().filter(|column| column.kind == Kind::Json) {
            let harmless = column.name.ends_with("_metadata") || column.name == "permissions";
            assert!(harmless, "{table}: {}", column.name);
        }
        assert!(!names.contains("raw") && !names.contains("deleted_at"), "{table}");
        assert!(names.iter().all(|name| !name.starts_with('_')), "{table}");
    }

    #[test]
    fn every_declaration_is_sound() {
        let mut tables = HashSet::new();
        for entity in ALL {
            assert!(tables.insert(entity.table), "{}", entity.table);
            assert_columns_are_sound(entity.table, entity.columns);
            for parent in entity.parents {
                assert!(find(parent.entity).is_some(), "{}: {}", entity.name, parent.entity);
                let column = entity.column(parent.column).expect(parent.column);
                assert!(column.indexed, "{}: deletes look {} up", entity.name, parent.column);
                assert_eq!(column.kind, Kind::Id, "{}: {}", entity.name, parent.column);
            }
            for children in entity.children {
                assert!(tables.insert(children.table), "{}", children.table);
                assert_columns_are_sound(children.table, children.columns);
                assert!(children.columns.iter().all(|column| column.name != children.parent));
                assert!(children.of.is_none_or(|of| find(of).is_some()), "{}", children.table);
            }
            for embedded in entity.embedded {
                let target = find(embedded.entity).expect(embedded.entity);
                assert!(target.nested_as.contains(&embedded.list), "{}", embedded.list);
            }
        }
    }

    #[test]
    fn what_keeps_its_columns_alone_fills_them_from_texts_and_numbers_of_its_own() {
        for entity in ALL.iter().filter(|entity| entity.raw == Raw::Columns) {
            for column in entity.columns {
                let own = match column.source {
                    Source::Member => true,
                    Source::Paths(paths) => paths.iter().all(|path| path.len() == 1),
                    Source::Primary { .. } => false,
                };
                assert!(own && column.kind != Kind::Json, "{}: {}", entity.name, column.name);
            }
            assert!(entity.children.is_empty() && entity.embedded.is_empty(), "{}", entity.name);
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
    fn every_type_that_clerk_is_known_to_send_changes_the_entity_it_is_about() {
        for entry in clerk_webhooks::catalog::all() {
            let event_type = entry.event_type.as_str();
            let (entity, change) = change(event_type).expect(event_type);
            assert_eq!(Some(entity.name), entry.entity, "{event_type}");
            let deletes = event_type.ends_with(".deleted");
            assert_eq!(change == Change::Delete, deletes, "{event_type}");
        }
    }

    #[test]
    fn types_that_no_entity_names_change_nothing() {
        for event_type in ["user.exploded", "Session.created", "", "user"] {
            assert_eq!(change(event_type), None, "{event_type}");
        }
    }

    #[test]
    fn deletes_take_what_cannot_be_without() {
        let ended = |parent: &str| -> Vec<_> {
            let with = |entity: &&&Entity| entity.parents.iter().any(|p| p.entity == parent);
            ALL.iter().filter(with).map(|entity| entity.name).collect()
        };
        assert_eq!(ended("user"), ["organization_membership", "session"]);
        assert_eq!(
            ended("organization"),
            ["organization_membership", "organization_domain", "organization_invitation"]
        );
    }
}
