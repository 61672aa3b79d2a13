//! The entities that can be mirrored: one short, declarative file each. Tables, columns, the fold
//! and the upserts follow from what is declared there.

mod billing;
mod column;
mod declaration;
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
pub use declaration::{Children, Embedded, Entity, Parent, Raw};

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

#[must_use]
pub fn find(name: &str) -> Option<&'static Entity> {
    ALL.iter().copied().find(|entity| entity.name == name)
}

/// The effect of an event on an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// `data` is a version of it.
    Upsert,
    Delete,
}

/// The effect of events of this type, and the entity; `None` for a type that no entity names.
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
