//! Models and types of the mirror's tables, in each format.

use deskbell_config::DatabaseUrl;
use deskbell_sync::{DatabaseConfig, Dialect, ModelFormat, OnDelete, models};

/// The smallest mirror with a table of each kind of key, and with every kind of column.
fn config() -> DatabaseConfig {
    let entities = ["subscription_item", "role"].map(str::to_owned).to_vec();
    DatabaseConfig { entities: Some(entities), ..DatabaseConfig::default() }
}

fn print(format: ModelFormat, dialect: Dialect) -> String {
    models(format, dialect, &config()).unwrap().unwrap()
}

#[test]
fn each_format_on_each_database() {
    for (format, name) in [
        (ModelFormat::Prisma, "prisma"),
        (ModelFormat::Drizzle, "drizzle"),
        (ModelFormat::Typescript, "typescript"),
        (ModelFormat::Kysely, "kysely"),
    ] {
        insta::assert_snapshot!(format!("{name}-postgres"), print(format, Dialect::Postgres));
        insta::assert_snapshot!(format!("{name}-sqlite"), print(format, Dialect::Sqlite));
    }
}

#[test]
fn the_config_decides_which_columns_there_are() {
    let user = |exclude: &[&str], on_delete| {
        let config = DatabaseConfig {
            entities: Some(vec!["user".to_owned()]),
            exclude_columns: exclude.iter().map(|&column| column.to_owned()).collect(),
            on_delete,
            ..DatabaseConfig::default()
        };
        models(ModelFormat::Typescript, Dialect::Postgres, &config).unwrap().unwrap()
    };
    let plain = user(&[], OnDelete::Delete);
    assert!(plain.contains("  locale: string | null\n"), "{plain}");
    assert!(!plain.contains("private_metadata") && !plain.contains("deleted_at"), "{plain}");
    let other = user(&["user.locale"], OnDelete::Mark);
    assert!(!other.contains("locale"), "{other}");
    assert!(other.contains("  deleted_at: Date | null\n"), "{other}");
}

#[test]
fn names_follow_the_schema_and_without_a_mirror_there_are_none() {
    let mut config = DatabaseConfig { schema: "clerk_eu".to_owned(), ..config() };
    let prisma = models(ModelFormat::Prisma, Dialect::Postgres, &config).unwrap().unwrap();
    assert!(prisma.contains("model ClerkEuRole {"), "{prisma}");
    assert!(prisma.contains("@@schema(\"clerk_eu\")"), "{prisma}");
    let drizzle = models(ModelFormat::Drizzle, Dialect::Sqlite, &config).unwrap().unwrap();
    assert!(drizzle.contains("export const roles = sqliteTable('clerk_eu_roles', {"), "{drizzle}");
    config.mirror = false;
    config.url = DatabaseUrl::sqlite("app.db".as_ref());
    assert_eq!(models(ModelFormat::Kysely, Dialect::Sqlite, &config).unwrap(), None);
}
