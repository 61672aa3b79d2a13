//! The tables as a DBA sees them. Whoever changes them raises `SCHEMA_VERSION` too.

use deskbell_sync::{
    DatabaseConfig, Dialect, OnDelete, SCHEMA_VERSION, entity, left_out_by_default, migration,
};

fn statements(dialect: Dialect, on_delete: OnDelete) -> String {
    let config = DatabaseConfig {
        entities: Some(entity::ALL.iter().map(|entity| entity.name.to_owned()).collect()),
        include_columns: left_out_by_default(),
        on_delete,
        ..DatabaseConfig::default()
    };
    let steps = migration::from_nothing(dialect, &config).unwrap();
    let lines = steps.into_iter().map(|step| {
        let sql = step.sql.replace("( \"", "(\n  \"").replace(", \"", ",\n  \"");
        sql.replace(" PRIMARY", "\n  PRIMARY") + ";\n"
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tables_are_those_of_this_version() {
    assert_eq!(SCHEMA_VERSION, 2);
    insta::assert_snapshot!("schema-2-sqlite", statements(Dialect::Sqlite, OnDelete::Delete));
    insta::assert_snapshot!("schema-2-postgres", statements(Dialect::Postgres, OnDelete::Delete));
}

#[test]
fn kept_rows_have_a_column_that_says_when_they_were_deleted() {
    let marked = statements(Dialect::Postgres, OnDelete::Mark);
    let plain = statements(Dialect::Postgres, OnDelete::Delete);
    let tables = plain.matches("\"raw\" jsonb NOT NULL").count();
    assert_eq!(marked.matches("\"deleted_at\" timestamptz").count(), tables);
    assert_eq!(marked.replace("  \"deleted_at\" timestamptz,\n", ""), plain);
}
