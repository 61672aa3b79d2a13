//! Statements whose rows are not there yet: they wait, and later events of the same subject behind
//! them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use deskbell_store::ReadLimit;
use deskbell_sync::dead_letters::{self, Choice, DeadLetterEntry, State};
use deskbell_sync::rebuild::rebuild;
use deskbell_sync::{
    DatabaseConfig, MirrorConsumer, MirrorOptions, Named, Stale, StatementConfig, connect,
    statements,
};
use proptest::prelude::*;
use serde_json::json;

use super::backend::{DUE, HOSTILE_CASES, UUID};
use super::consumer::World;
use super::convergence::{block_on, cases};
use super::faulty::{Answer, Faulty};
use super::mapped::pairs;
use super::mapped_lookups::{lookup, parent};
use super::never_stops::{drain, letters};
use super::statements::joining;
use super::support::membership;

const TABLES: [&str; 2] = [
    "CREATE TABLE workspaces (id text PRIMARY KEY, clerk_id text UNIQUE)",
    "CREATE TABLE journal (n integer, message_id text, workspace text NOT NULL)",
];
const JOURNAL: &str = "SELECT message_id, workspace FROM journal ORDER BY n";

/// Writes a line for each event of a membership, about a workspace that must be there.
fn noting() -> StatementConfig {
    StatementConfig {
        name: Some("note".to_owned()),
        on: vec!["organizationMembership.*".to_owned()],
        sql: "insert into journal (n, message_id, workspace)
              select (select count(*) from journal), :id, workspaces.id
              from workspaces where clerk_id = :org"
            .to_owned(),
        params: pairs(&[("id", "id"), ("org", "data.organization.id")]),
        stale: Stale::Run,
        expect_rows: Some(1),
        ..joining()
    }
}

/// The same as a value of the row, which is null where the workspace is not there.
fn noting_a_value() -> StatementConfig {
    StatementConfig {
        sql: "insert into journal (n, message_id, workspace)
              values ((select count(*) from journal), :id,
                      (SELECT id from workspaces where clerk_id = :org))"
            .to_owned(),
        expect_rows: None,
        ..noting()
    }
}

/// Makes the workspaces.
fn founding() -> StatementConfig {
    StatementConfig {
        name: Some("found".to_owned()),
        on: vec!["organization.*".to_owned()],
        sql: "insert into workspaces (id, clerk_id) values (:id, :id) on conflict do nothing"
            .to_owned(),
        params: pairs(&[("id", "data.id")]),
        ..joining()
    }
}

async fn world(statements: Vec<StatementConfig>, patience: Duration) -> World {
    let mut world = World::new().await;
    world.place.make().await;
    for table in TABLES {
        world.place.run(table).await;
    }
    let database = DatabaseConfig {
        mirror: false,
        statements,
        conflict_patience: deskbell_config::Duration::new(patience),
        ..world.options.database
    };
    world.options = MirrorOptions { database, ..world.options };
    world
}

async fn patient_world(statements: Vec<StatementConfig>) -> World {
    world(statements, Duration::from_secs(3600)).await
}

pub(crate) async fn joins(world: &World, message: u8, member: u8, organization: &str) {
    let id = format!("orgmem_{member}");
    let data = membership(&id, organization, "user_1", i64::from(message));
    let event_type = "organizationMembership.updated";
    world.append_at(&format!("msg_{message}"), event_type, i64::from(message), &data).await;
}

pub(crate) async fn founds(world: &World, message: &str, organization: &str) {
    world.append(message, "organization.created", &json!({ "id": organization })).await;
}

async fn due(world: &World, consumer: &mut MirrorConsumer) {
    world.place.run(DUE).await;
    drain(consumer).await;
}

fn states(letters: &[DeadLetterEntry]) -> Vec<(&str, State)> {
    letters.iter().map(|letter| (&*letter.message_id, letter.state)).collect()
}

#[tokio::test]
async fn a_statement_waits_for_its_row_and_later_events_of_the_subject_behind_it() {
    for statement in [noting(), noting_a_value()] {
        let world = patient_world(vec![statement, founding()]).await;
        let mut consumer = world.consumer().await;
        joins(&world, 1, 1, "org_1").await;
        founds(&world, "msg_org_2", "org_2").await;
        joins(&world, 2, 1, "org_2").await;
        joins(&world, 3, 2, "org_2").await;
        drain(&mut consumer).await;
        let waiting = letters(&world).await;
        assert_eq!(states(&waiting), [("msg_1", State::Waiting), ("msg_2", State::Waiting)]);
        let reason = waiting[1].reason.as_deref().unwrap();
        assert!(reason.contains("msg_1 (organizationMembership.updated)"), "{reason}");
        assert_eq!(world.place.rows(JOURNAL).await, [["msg_3", "org_2"]]);
        due(&world, &mut consumer).await;
        assert_eq!(letters(&world).await.len(), 2, "the row is not there yet");
        founds(&world, "msg_org_1", "org_1").await;
        drain(&mut consumer).await;
        due(&world, &mut consumer).await;
        let rows = world.place.rows(JOURNAL).await;
        assert_eq!(rows, [["msg_3", "org_2"], ["msg_1", "org_1"], ["msg_2", "org_2"]]);
        assert!(letters(&world).await.is_empty());
        joins(&world, 4, 1, "org_1").await;
        drain(&mut consumer).await;
        assert_eq!(world.place.rows(JOURNAL).await.len(), 4);
    }
}

#[tokio::test]
async fn what_queues_runs_by_itself_once_what_it_queues_behind_is_given_up() {
    let world = world(vec![noting(), founding()], Duration::ZERO).await;
    let mut consumer = world.consumer().await;
    founds(&world, "msg_org_2", "org_2").await;
    drain(&mut consumer).await;
    joins(&world, 1, 1, "org_1").await;
    joins(&world, 2, 1, "org_2").await;
    drain(&mut consumer).await;
    drain(&mut consumer).await;
    let letters = letters(&world).await;
    assert_eq!(states(&letters), [("msg_1", State::Failed)]);
    assert_eq!(letters[0].cause.as_deref(), Some("expect_rows"));
    let reason = letters[0].reason.as_deref().unwrap();
    assert_eq!(reason, "the statement matched 0 rows, and expect_rows is 1");
    assert_eq!(world.place.rows(JOURNAL).await, [["msg_2", "org_2"]]);
}

#[tokio::test]
async fn more_rows_than_expected_are_undone_and_a_dead_letter_at_once() {
    let statement = StatementConfig {
        sql: "insert into journal (n, message_id, workspace)
              select 1, :id, workspaces.id from workspaces where :org <> ''"
            .to_owned(),
        ..noting()
    };
    let world = patient_world(vec![statement, founding()]).await;
    let mut consumer = world.consumer().await;
    founds(&world, "msg_org_1", "org_1").await;
    founds(&world, "msg_org_2", "org_2").await;
    joins(&world, 1, 1, "org_1").await;
    drain(&mut consumer).await;
    let letters = letters(&world).await;
    assert_eq!(states(&letters), [("msg_1", State::Failed)]);
    let reason = letters[0].reason.as_deref().unwrap();
    assert_eq!(reason, "the statement matched 2 rows, and expect_rows is 1");
    assert!(world.place.rows(JOURNAL).await.is_empty());
}

#[tokio::test]
async fn the_log_keeps_what_waits_and_what_it_has_lost_is_given_up() {
    let world = patient_world(vec![noting(), founding()]).await;
    let mut consumer = world.consumer().await;
    founds(&world, "msg_org_2", "org_2").await;
    joins(&world, 1, 1, "org_1").await;
    joins(&world, 2, 1, "org_2").await;
    joins(&world, 3, 2, "org_2").await;
    drain(&mut consumer).await;
    let target = connect(&world.options).await.unwrap();
    let log = world.store.log_id();
    assert_eq!(target.reads_behind("mirror", log).await.unwrap().get(), 1);
    world.empty_the_payload(2).await;
    due(&world, &mut consumer).await;
    let letters = letters(&world).await;
    assert_eq!(states(&letters), [("msg_1", State::Failed)]);
    let reason = letters[0].reason.as_deref().unwrap();
    assert!(reason.contains("no longer has the event"), "{reason}");
    let rows = world.place.rows(JOURNAL).await;
    assert_eq!(rows, [["msg_3", "org_2"], ["msg_2", "org_2"]]);
    assert_eq!(target.reads_behind("mirror", log).await.unwrap().get(), 4);
}

#[tokio::test]
async fn a_dead_letter_that_is_asked_for_queues_too_and_the_others_of_its_event_with_it() {
    let other = StatementConfig {
        name: Some("other".to_owned()),
        sql: "insert into journal (n, message_id, workspace)
              values ((select count(*) from journal), :id, 'any')"
            .to_owned(),
        params: pairs(&[("id", "id")]),
        expect_rows: None,
        ..noting()
    };
    let world = patient_world(vec![other, noting(), founding()]).await;
    let mut consumer = world.consumer().await;
    joins(&world, 1, 1, "org_1").await;
    joins(&world, 2, 1, "org_1").await;
    drain(&mut consumer).await;
    assert!(world.place.rows(JOURNAL).await.is_empty(), "all statements of an event or none");
    let all = dead_letters::request_retry(&world.options, &Choice::All).await.unwrap();
    assert_eq!(all, 0, "what waits is tried anyway");
    founds(&world, "msg_org_1", "org_1").await;
    drain(&mut consumer).await;
    due(&world, &mut consumer).await;
    let rows = world.place.rows(JOURNAL).await;
    let expected = [["msg_1", "any"], ["msg_1", "org_1"], ["msg_2", "any"], ["msg_2", "org_1"]];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn what_waits_is_not_overtaken_while_the_log_is_read_again() {
    let skipping = StatementConfig { stale: Stale::Skip, ..noting() };
    let mut world = patient_world(vec![skipping, founding()]).await;
    joins(&world, 1, 1, "org_1").await;
    drain(&mut world.consumer().await).await;
    founds(&world, "msg_org_2", "org_2").await;
    joins(&world, 2, 1, "org_2").await;
    world.options.database.entities = Some(vec!["user".to_owned()]);
    world.options.database.mirror = true;
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    let waiting = letters(&world).await;
    assert_eq!(states(&waiting), [("msg_1", State::Waiting), ("msg_2", State::Waiting)]);
    founds(&world, "msg_org_1", "org_1").await;
    drain(&mut consumer).await;
    due(&world, &mut consumer).await;
    due(&world, &mut consumer).await;
    assert_eq!(world.place.rows(JOURNAL).await, [["msg_1", "org_1"], ["msg_2", "org_2"]]);
}

#[tokio::test]
async fn an_event_that_waits_waits_too_while_another_statement_of_it_is_blocked() {
    let other = StatementConfig {
        name: Some("other".to_owned()),
        sql: "insert into seen (message_id) values (:id)".to_owned(),
        params: pairs(&[("id", "id")]),
        expect_rows: None,
        ..noting()
    };
    let world = patient_world(vec![noting(), other, founding()]).await;
    world.place.run("CREATE TABLE seen (message_id text)").await;
    let mut consumer = world.consumer().await;
    joins(&world, 1, 1, "org_1").await;
    founds(&world, "msg_org_2", "org_2").await;
    drain(&mut consumer).await;
    world.place.run("ALTER TABLE seen RENAME TO elsewhere").await;
    joins(&world, 2, 2, "org_2").await;
    founds(&world, "msg_org_1", "org_1").await;
    drain(&mut consumer).await;
    due(&world, &mut consumer).await;
    let waiting = letters(&world).await;
    assert_eq!(states(&waiting), [("msg_1", State::Waiting)], "all of its statements or none");
    world.place.run("ALTER TABLE elsewhere RENAME TO seen").await;
    due(&world, &mut consumer).await;
    due(&world, &mut consumer).await;
    let seen = world.place.rows("SELECT message_id FROM seen ORDER BY 1").await;
    assert_eq!(seen, [["msg_1"], ["msg_2"]]);
    assert_eq!(world.place.rows(JOURNAL).await, [["msg_2", "org_2"], ["msg_1", "org_1"]]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_delete_that_comes_while_its_entity_waits_is_behind_it() {
    let skipping = StatementConfig { stale: Stale::Skip, ..noting() };
    let world = patient_world(vec![skipping, founding()]).await;
    let mut consumer = world.consumer().await;
    joins(&world, 1, 1, "org_1").await;
    let gone = membership("orgmem_1", "org_1", "user_1", 2);
    world.append_at("msg_2", "organizationMembership.deleted", 2, &gone).await;
    drain(&mut consumer).await;
    founds(&world, "msg_org_1", "org_1").await;
    drain(&mut consumer).await;
    due(&world, &mut consumer).await;
    due(&world, &mut consumer).await;
    assert_eq!(world.place.rows(JOURNAL).await, [["msg_1", "org_1"], ["msg_2", "org_1"]]);
}

#[tokio::test]
async fn a_long_queue_drains_in_order() {
    let mut world = patient_world(vec![noting(), founding()]).await;
    world.options.batch = ReadLimit::default();
    let mut consumer = world.consumer().await;
    for message in 1..=250 {
        joins(&world, message, 1, "org_1").await;
    }
    founds(&world, "msg_org_1", "org_1").await;
    drain(&mut consumer).await;
    due(&world, &mut consumer).await;
    let rows = world.place.rows(JOURNAL).await;
    let expected = (1..=250).map(|message| vec![format!("msg_{message}"), "org_1".to_owned()]);
    assert_eq!(rows, Vec::from_iter(expected));
}

#[tokio::test]
async fn what_waits_for_a_statement_that_the_config_no_longer_has_is_given_up() {
    let mut world = patient_world(vec![noting(), founding()]).await;
    joins(&world, 1, 1, "org_1").await;
    drain(&mut world.consumer().await).await;
    world.options.database.statements = vec![founding()];
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    due(&world, &mut consumer).await;
    let letters = letters(&world).await;
    assert_eq!(states(&letters), [("msg_1", State::Failed)]);
    let reason = letters[0].reason.as_deref().unwrap();
    assert!(reason.contains("the config no longer has this table or statement"), "{reason}");
}

#[tokio::test]
async fn what_waits_is_kept_while_another_log_is_there() {
    let mut world = patient_world(vec![noting(), founding()]).await;
    joins(&world, 1, 1, "org_1").await;
    drain(&mut world.consumer().await).await;
    world.replace_the_log().await;
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    due(&world, &mut consumer).await;
    assert_eq!(states(&letters(&world).await), [("msg_1", State::Waiting)]);
    world.restore("deskbell.db").await;
    founds(&world, "msg_org_1", "org_1").await;
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    let resumed = statements::resume(&world.options, statements::From::Now).await.unwrap();
    let mut consumer = if resumed { world.consumer().await } else { consumer };
    due(&world, &mut consumer).await;
    assert_eq!(world.place.rows(JOURNAL).await, [["msg_1", "org_1"]]);
}

/// Something that happens in a log.
#[derive(Debug, Clone)]
enum Step {
    Founds(u8),
    Joins {
        member: u8,
        organization: u8,
    },
    /// Time passes until what waits is tried again.
    Due,
    Restarts,
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool)>> {
    let step = prop_oneof![
        2 => (0..3_u8).prop_map(Step::Founds),
        8 => (0..3_u8, 0..3_u8)
            .prop_map(|(member, organization)| Step::Joins { member, organization }),
        1 => Just(Step::Due),
        1 => Just(Step::Restarts),
    ];
    prop::collection::vec((step, any::<bool>()), 1..24)
}

/// Answers that are lost and databases that are away, as the numbers say; all is well at the end.
async fn faulty(world: &World, faults: &'static Mutex<Vec<u8>>) -> MirrorConsumer {
    let target = Faulty::connect(world, move || match faults.lock().unwrap().pop() {
        Some(0) => Answer::Away,
        Some(1) => Answer::Lost,
        _ => Answer::Given,
    });
    MirrorConsumer::new(world.store.clone(), target.await, world.options.clone())
}

/// The workspaces and their members, with ids of the application's own, which the members look up.
pub(crate) async fn world_of_tables() -> World {
    let mut world = patient_world(vec![noting()]).await;
    world.place.run("DROP TABLE workspaces").await;
    let workspaces =
        format!("CREATE TABLE workspaces (id {UUID} PRIMARY KEY, clerk_id text UNIQUE, name text)");
    let desks = format!(
        "CREATE TABLE desks (id {UUID} PRIMARY KEY, clerk_id text UNIQUE,
         workspace_id {UUID} NOT NULL REFERENCES workspaces (id))"
    );
    for table in [workspaces, desks] {
        world.place.run(&table).await;
    }
    let workspace = lookup("workspaces", "membership.organization_id");
    let desks = Named(vec![("workspace_id".to_owned(), workspace)]);
    world.options.database.tables = vec![
        parent("organization_membership", "desks", desks),
        parent("organization", "workspaces", Named(Vec::new())),
    ];
    world
}

/// The journal's messages, each once, are those of the log, of each membership in its order; and each
/// membership has a desk where it was last.
pub(crate) async fn assert_complete(
    world: &World,
    expected: &[Vec<String>],
    desks: &BTreeMap<String, String>,
) {
    let rows = world.place.rows("SELECT message_id FROM journal ORDER BY n").await;
    let rows: Vec<_> = rows.into_iter().flatten().collect();
    for messages in expected {
        let of_member: Vec<_> = rows.iter().filter(|row| messages.contains(row)).collect();
        assert_eq!(of_member, messages.iter().collect::<Vec<_>>());
    }
    assert_eq!(rows.len(), expected.concat().len());
    let found = "SELECT desks.clerk_id, workspaces.clerk_id FROM desks
        JOIN workspaces ON workspaces.id = workspace_id ORDER BY 1";
    let found = world.place.rows(found).await;
    assert_eq!(found, Vec::from_iter(desks.iter().map(|(id, at)| vec![id.clone(), at.clone()])));
    assert!(letters(world).await.is_empty());
}

async fn check(steps: Vec<(Step, bool)>, faults: Vec<u8>) {
    let faults: &'static Mutex<Vec<u8>> = Box::leak(Box::new(Mutex::new(faults)));
    let mut world = world_of_tables().await;
    let mut consumer = faulty(&world, faults).await;
    let mut expected: [Vec<String>; 3] = Default::default();
    let mut desks = BTreeMap::new();
    let last = (0..3).map(|organization| (Step::Founds(organization), false));
    for (number, (step, drains)) in steps.into_iter().chain(last).enumerate() {
        match step {
            Step::Founds(organization) => {
                founds(&world, &format!("msg_org_{number}"), &format!("org_{organization}")).await;
            }
            Step::Joins { member, organization } => {
                let number = u8::try_from(number).unwrap();
                joins(&world, number, member, &format!("org_{organization}")).await;
                expected[usize::from(member)].push(format!("msg_{number}"));
                desks.insert(format!("orgmem_{member}"), format!("org_{organization}"));
            }
            Step::Due => world.place.run(DUE).await,
            Step::Restarts => {
                // The log is read again.
                let columns = &mut world.options.database.tables[1].columns;
                *columns = match columns.0.is_empty() {
                    true => pairs(&[("name", "organization.name")]),
                    false => Named(Vec::new()),
                };
                consumer = faulty(&world, faults).await;
            }
        }
        if drains {
            drain(&mut consumer).await;
        }
    }
    faults.lock().unwrap().clear();
    drain(&mut consumer).await;
    for _ in 0..2 {
        due(&world, &mut consumer).await;
    }
    assert_complete(&world, &expected, &desks).await;
    // Rows are made again in the order of what they look up; statements run for nothing again.
    world.place.run("DELETE FROM desks").await;
    world.place.run("DELETE FROM workspaces").await;
    rebuild(world.store.as_ref(), &world.options, |_| {}).await.unwrap();
    assert_complete(&world, &expected, &desks).await;
}

#[test]
fn statements_that_wait_run_once_and_in_order_whatever_fails() {
    let config = ProptestConfig { failure_persistence: None, ..cases(HOSTILE_CASES) };
    let faults = prop::collection::vec(0..6_u8, 0..40);
    proptest!(config, |(steps in steps(), faults in faults)| {
        block_on(check(steps, faults));
    });
}
