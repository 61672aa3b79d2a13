//! Tests that no statement reads a whole table: it would cost more with every row of the mirror.

use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::*;
use crate::config::{DatabaseConfig, OnDelete};
use crate::entity;
use crate::schema::tables;

async fn empty_mirror(mappings: &Mappings) -> SqliteConnection {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    for table in tables(mappings) {
        let indexes = table.indexes.iter();
        let indexes = indexes.map(|columns| Dialect::Sqlite.create_index("clerk", &table, columns));
        let made = [Dialect::Sqlite.create_table("clerk", &table)].into_iter().chain(indexes);
        for sql in made {
            sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        }
    }
    connection
}

fn all(statements: Statements) -> Vec<Sql> {
    let Statements {
        checkpoints,
        swap_checkpoint,
        insert_checkpoint,
        release_statements,
        insert_tombstones,
        dead_letter,
        resolve_part: _,
        requests,
        refused_deletes,
        earlier_tries,
        count_dead_letters,
        blocked,
        gone,
        mark_statements,
        any_due,
        count_waiting,
        begin_retry,
        end_retry,
        begin_delete_retry,
        end_delete_retry,
        keep_lost,
        wait_again,
        waiting_statements,
        first_waiting_statement,
        tables,
    } = statements;
    let mut all = vec![checkpoints, swap_checkpoint, insert_checkpoint, release_statements];
    all.extend([requests, count_dead_letters, any_due, end_retry, keep_lost, wait_again]);
    all.extend([refused_deletes, earlier_tries, gone, mark_statements, begin_retry]);
    all.extend([begin_delete_retry, end_delete_retry, count_waiting]);
    all.extend([waiting_statements, first_waiting_statement]);
    let BlockedStatements { list, insert, postpone, advance, remove, forget, forget_former } =
        blocked;
    all.extend([list, insert, postpone, advance, remove, forget, forget_former]);
    all.extend(insert_tombstones.texts().into_iter().chain(dead_letter.texts()));
    for table in tables {
        all.extend(table.upsert.texts());
        all.extend(table.delete.into_iter().chain(table.settle));
        all.extend(table.parent_gone.into_iter().flat_map(|(_, sql)| sql));
        all.extend(table.children_of.into_iter().map(|(_, sql)| sql));
        for list in table.elements {
            all.extend(list.insert.texts().into_iter().chain([list.prune]).chain(list.settle));
        }
    }
    all
}

#[tokio::test]
async fn what_a_letter_queues_behind_is_found_by_its_seq() {
    let mappings = Mappings::for_config(&DatabaseConfig::default()).unwrap();
    let mut connection = empty_mirror(&mappings).await;
    let requests = Statements::new(Dialect::Sqlite, "clerk", "mirror", &mappings).requests;
    let explain = format!("EXPLAIN QUERY PLAN {requests}");
    let plan = sqlx::query(AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap();
    let steps: Vec<_> = plan.iter().map(|row| row.get::<String, _>(3)).collect();
    let found = steps.iter().find(|step| step.contains("ahead")).unwrap();
    assert!(found.contains("seq=?"), "{steps:#?}");
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let every = entity::ALL.iter().map(|entity| entity.name.to_owned()).collect::<Vec<_>>();
    for on_delete in [OnDelete::Delete, OnDelete::Mark] {
        let entities = Some(every.clone());
        let config = DatabaseConfig { entities, on_delete, ..DatabaseConfig::default() };
        let mappings = Mappings::for_config(&config).unwrap();
        let mut connection = empty_mirror(&mappings).await;
        let all = all(Statements::new(Dialect::Sqlite, "clerk", "mirror", &mappings));
        assert!(all.len() > 40, "{}", all.len());
        for sql in all {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let plan =
                sqlx::query(AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap();
            for step in plan.iter().map(|row| row.get::<String, _>(3)) {
                let given =
                    ["json_each", "VALUES CLAUSE", "CONSTANT ROW", "SCAN given", "SCAN ends"];
                let harmless = given.iter().any(|given| step.contains(given));
                assert!(harmless || !step.contains("SCAN"), "{step}: {sql}");
            }
        }
    }
}
