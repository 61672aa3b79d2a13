//! Which types of event a database needs.

use deskbell_config::takes_type;

use super::DatabaseConfig;
use crate::entity::{self, Entity};

impl DatabaseConfig {
    /// Whether events of this type change something here: the mirror, a mapped table, or what a statement does.
    #[must_use]
    pub fn takes_type(&self, event_type: &str) -> bool {
        let mirrored = self.mirrored();
        let mut names = mirrored.iter().chain(self.tables.iter().map(|table| &table.entity));
        names.any(|name| entity::find(name).is_some_and(|entity| changes(entity, event_type)))
            || self.statements.iter().any(|statement| takes_type(&statement.on, event_type))
    }
}

/// Whether events of this type change the entity's rows.
fn changes(entity: &Entity, event_type: &str) -> bool {
    let is_deleted_by =
        |name| entity::find(name).is_some_and(|ended| ended.deleted_by.contains(&event_type));
    let is_embedded_in = |holder: &&Entity| {
        holder.embedded.iter().any(|embedded| embedded.entity == entity.name)
            && holder.upserted_by.contains(&event_type)
    };
    entity.upserted_by.contains(&event_type)
        || entity.deleted_by.contains(&event_type)
        || entity.parents.iter().any(|parent| is_deleted_by(parent.entity))
        || entity.children.iter().filter_map(|children| children.of).any(is_deleted_by)
        || entity::ALL.iter().any(is_embedded_in)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{
        ColumnValues, Expressions, Line, OnRowDelete, Stale, StatementConfig, TableConfig,
    };

    fn taken(config: &DatabaseConfig) -> Vec<&'static str> {
        let types = clerk_webhooks::catalog::all().iter();
        let types = types.map(|entry| entry.event_type.as_str());
        types.filter(|event_type| config.takes_type(event_type)).collect()
    }

    fn mirror_of(entity: &str) -> DatabaseConfig {
        let entities = Some(vec![entity.to_owned()]);
        DatabaseConfig { entities, ..DatabaseConfig::default() }
    }

    fn no_mirror() -> DatabaseConfig {
        DatabaseConfig { mirror: false, ..DatabaseConfig::default() }
    }

    #[test]
    fn a_mirror_takes_what_changes_its_entities_and_ends_them() {
        let default = taken(&DatabaseConfig::default());
        for (event_type, expected) in [
            ("user.created", true),
            ("user.deleted", true),
            ("subscriptionItem.updated", true),
            ("session.created", false),
            ("email.created", false),
        ] {
            assert_eq!(default.contains(&event_type), expected, "{event_type}");
        }
        let mut memberships = taken(&mirror_of("organization_membership"));
        memberships.sort_unstable();
        assert_eq!(
            memberships,
            [
                "organization.deleted",
                "organizationMembership.created",
                "organizationMembership.deleted",
                "organizationMembership.updated",
                "user.deleted",
            ]
        );
        assert!(taken(&mirror_of("subscription_item")).contains(&"subscription.created"));
        assert!(taken(&mirror_of("role")).contains(&"permission.deleted"));
        assert!(taken(&no_mirror()).is_empty());
    }

    #[test]
    fn tables_and_statements_have_types_too() {
        let table = TableConfig {
            entity: "role".to_owned(),
            into: "roles".to_owned(),
            on_delete: OnRowDelete::default(),
            key: ColumnValues::default(),
            columns: ColumnValues::default(),
            on_insert: Expressions::default(),
            line: Line::default(),
        };
        let types = taken(&DatabaseConfig { tables: vec![table], ..no_mirror() });
        assert!(types.contains(&"role.updated") && !types.contains(&"user.created"), "{types:?}");
        let statement = StatementConfig {
            name: None,
            on: vec!["session.*".to_owned(), "sms.created".to_owned()],
            sql: String::new(),
            when: None,
            stale: Stale::default(),
            expect_rows: None,
            params: Expressions::default(),
            line: Line::default(),
        };
        let types = taken(&DatabaseConfig { statements: vec![statement], ..no_mirror() });
        assert!(types.contains(&"session.ended") && types.contains(&"sms.created"), "{types:?}");
        assert!(!types.contains(&"user.created"), "{types:?}");
    }
}
