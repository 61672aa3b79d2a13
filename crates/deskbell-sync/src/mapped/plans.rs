//! Tests that no statement about an application's table, or about its records, reads a whole table.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::records::{RecordScope, RecordStatements};
use super::table_sql::TableSql;
use crate::config::{
    ColumnValue, ColumnValues, Expressions, Line, LookupConfig, OnRowDelete, TableConfig,
};
use crate::db::{DbSession, Dialect, LiveTable, MirrorDatabase, SqliteDatabase};
use crate::mapping::MappedTable;
use crate::schema::tables;
use crate::value::{Kind, Value};

const ACCOUNTS: &str = "CREATE TABLE accounts (email text COLLATE NOCASE NOT NULL UNIQUE,
    clerk_id text UNIQUE, org text REFERENCES orgs (id), name text, deleted boolean DEFAULT false,
    made text, id text UNIQUE, team_id integer REFERENCES teams (id) UNIQUE)";
const TEAMS: &str = "CREATE TABLE teams (id integer PRIMARY KEY, clerk_id text NOT NULL UNIQUE)";

fn mapping() -> MappedTable {
    let team = ColumnValue::Lookup(LookupConfig {
        lookup: "teams".to_owned(),
        by: Expressions::from_iter([("clerk_id", "user.external_id")]),
        column: "id".to_owned(),
    });
    let mut columns = ColumnValues::from_iter([
        ("clerk_id", "user.id"),
        ("org", "user.id"),
        ("name", "user.full_name"),
    ]);
    columns.0.push(("team_id".to_owned(), team));
    MappedTable::compile(&TableConfig {
        entity: "user".to_owned(),
        into: "accounts".to_owned(),
        key: ColumnValues::from_iter([("email", "user.primary_email_address")]),
        columns,
        on_insert: Expressions::from_iter([("made", "'sync'"), ("id", "uuid()")]),
        on_delete: OnRowDelete::Set(Expressions::from_iter([("deleted", "true")])),
        line: Line::default(),
    })
    .unwrap()
}

async fn run(session: &mut dyn DbSession, sql: &str) {
    session.execute(&sql.into(), &[]).await.unwrap();
}

async fn live(session: &mut dyn DbSession) -> LiveTable {
    run(session, "CREATE TABLE orgs (id text PRIMARY KEY)").await;
    run(session, TEAMS).await;
    run(session, ACCOUNTS).await;
    let teams = session.describe("teams").await.unwrap().unwrap();
    let mut live = session.describe("accounts").await.unwrap().unwrap();
    let teams = BTreeMap::from([("teams".to_owned(), teams)]);
    live.bind_lookups(&mapping(), &teams, Dialect::Sqlite).unwrap();
    live
}

/// Many rows that wait, as the planner knows them then.
async fn fill(session: &mut dyn DbSession) {
    let numbers = "WITH RECURSIVE numbers (n) AS
        (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)";
    run(session, &format!("{numbers} INSERT INTO teams SELECT n, 'org_' || n FROM numbers")).await;
    let accounts = "INSERT INTO accounts (email, clerk_id, team_id) SELECT n || '@x.dev', n, n";
    run(session, &format!("{numbers} {accounts} FROM numbers")).await;
    run(
        session,
        &format!(
            "{numbers} INSERT INTO clerk__versions (destination, mapping, id, key, parked_since, retry_at,
                 waits_for)
             SELECT 'app', 'accounts from user', n, n, '2020', '2020', n FROM numbers"
        ),
    )
    .await;
    run(session, "ANALYZE").await;
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let directory = tempfile::tempdir().unwrap();
    let database = SqliteDatabase::new(&directory.path().join("app.db"));
    let mut session = database.connect().await.unwrap();
    let session = session.as_mut();
    let mappings = crate::mapping::Mappings::new(&[], &[], &[]).unwrap();
    for table in tables(&mappings) {
        run(session, &Dialect::Sqlite.create_table("clerk", &table)).await;
        for columns in &table.indexes {
            run(session, &Dialect::Sqlite.create_index("clerk", &table, columns)).await;
        }
    }
    let live = live(session).await;
    let table = TableSql::new(Dialect::Sqlite, &mapping(), &live);
    assert!(!table.bytewise);
    let scope = RecordScope { dialect: Dialect::Sqlite, schema: "clerk", destination: "app" };
    fill(session).await;
    let mut all = RecordStatements::new(scope, "accounts from user").texts();
    all.extend(table.texts());
    assert!(all.len() > 40, "{}", all.len());
    for sql in all {
        let explain = Arc::from(format!("EXPLAIN QUERY PLAN {sql}"));
        let kinds = [Kind::Integer, Kind::Integer, Kind::Integer, Kind::Text];
        for step in session.fetch(&explain, &[], &kinds).await.unwrap() {
            let Some(Value::Text(step)) = step.last() else { continue };
            let given = ["json_each", "VALUES CLAUSE", "CONSTANT ROW", "SCAN given"];
            let harmless = given.iter().any(|given| step.contains(given));
            assert!(harmless || !step.contains("SCAN"), "{step}: {sql}");
            // Every row of a mapping is no less than the whole table.
            let all_of_it = step.ends_with("(destination=? AND mapping=?)");
            assert!(!all_of_it, "{step}: {sql}");
        }
    }
}
