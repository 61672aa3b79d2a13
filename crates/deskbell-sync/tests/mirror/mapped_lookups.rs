//! Columns whose values other tables have: ids of the application's own, found by Clerk's.

use std::collections::{BTreeMap, BTreeSet};

use deskbell_store::StoredEvent;
use deskbell_sync::{
    ColumnValue, ColumnValues, DatabaseConfig, Expressions, Line, LookupConfig, MirrorOptions,
    Named, OnRowDelete, TableConfig,
};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::application::Application;
use super::backend::{MAPPED_CASES, UUID, VERSIONS};
use super::mapped::pairs;
use super::support::{deleted, event, membership, user};

/// An application's tables, with ids and foreign keys of its own.
fn tables() -> [String; 3] {
    let ids = |name: &str| {
        format!(
            "CREATE TABLE {name} (id {UUID} PRIMARY KEY, clerk_id text NOT NULL UNIQUE, name text,
             owner_id {UUID} REFERENCES people (id) ON DELETE SET NULL)"
        )
    };
    let members = format!(
        "CREATE TABLE team_members (
            workspace_id {UUID} NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
            user_id {UUID} NOT NULL REFERENCES people (id) ON DELETE CASCADE,
            role text NOT NULL, note text, UNIQUE (workspace_id, user_id))"
    );
    [ids("people"), ids("workspaces"), members]
}

pub(crate) fn lookup(table: &str, clerk_id: &str) -> ColumnValue {
    ColumnValue::Lookup(LookupConfig {
        lookup: table.to_owned(),
        by: pairs(&[("clerk_id", clerk_id)]),
        column: "id".to_owned(),
    })
}

pub(crate) fn parent(entity: &str, into: &str, columns: ColumnValues) -> TableConfig {
    TableConfig {
        entity: entity.to_owned(),
        into: into.to_owned(),
        key: pairs(&[("clerk_id", "subject")]),
        columns,
        on_insert: pairs(&[("id", "uuid()")]),
        on_delete: OnRowDelete::Delete,
        line: Line(Some(1)),
    }
}

fn members() -> TableConfig {
    let key = [
        ("workspace_id", lookup("workspaces", "membership.organization_id")),
        ("user_id", lookup("people", "membership.user_id")),
    ];
    TableConfig {
        entity: "organization_membership".to_owned(),
        into: "team_members".to_owned(),
        key: Named(key.map(|(name, value)| (name.to_owned(), value)).into()),
        columns: pairs(&[("role", "membership.role")]),
        on_insert: Expressions::default(),
        on_delete: OnRowDelete::Delete,
        line: Line(Some(20)),
    }
}

fn options(tables: Vec<TableConfig>) -> MirrorOptions {
    // Nothing is given up because it waited: a parent may come at any time.
    let conflict_patience = deskbell_config::Duration::new(std::time::Duration::ZERO);
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables, conflict_patience, ..DatabaseConfig::default() },
    )
}

async fn application() -> Application {
    let name = |expression| pairs::<ColumnValues>(&[("name", expression)]);
    let mut workspaces = name("organization.name");
    workspaces.0.push(("owner_id".to_owned(), lookup("people", "organization.created_by")));
    let tables = vec![
        members(),
        parent("organization", "workspaces", workspaces),
        parent("user", "people", name("user.first_name")),
    ];
    let [people, workspaces, members] = self::tables();
    Application::new(&[&people, &workspaces, &members], options(tables)).await
}

fn member(id: u8, organization: u8, person: u8, at: i64) -> Value {
    let (organization, person) = (format!("org_{organization}"), format!("user_{person}"));
    membership(&format!("orgmem_{id}"), &organization, &person, at)
}

fn joins(id: u8, organization: u8, person: u8, at: i64) -> StoredEvent {
    let data = member(id, organization, person, at);
    event(&format!("msg_joins_{id}_{at}"), "organizationMembership.updated", at, &data)
}

fn leaves(id: u8, organization: u8, person: u8, at: i64) -> StoredEvent {
    let data = member(id, organization, person, at);
    event(&format!("msg_leaves_{id}_{at}"), "organizationMembership.deleted", at, &data)
}

fn founds(organization: u8, by: Option<u8>, at: i64) -> StoredEvent {
    let data = json!({
        "id": format!("org_{organization}"), "object": "organization", "name": format!("at {at}"),
        "created_by": by.map(|by| format!("user_{by}")), "updated_at": at,
    });
    event(&format!("msg_founds_{organization}_{at}"), "organization.updated", at, &data)
}

fn signs_up(person: u8, at: i64) -> StoredEvent {
    let data = user(&format!("user_{person}"), at);
    event(&format!("msg_signs_up_{person}_{at}"), "user.updated", at, &data)
}

fn goes(object: &str, id: &str, at: i64) -> StoredEvent {
    let data = deleted(object, id);
    event(&format!("msg_goes_{id}_{at}"), &format!("{object}.deleted"), at, &data)
}

const MEMBERS: &str = "SELECT w.clerk_id, p.clerk_id, m.role FROM team_members m
    JOIN workspaces w ON w.id = m.workspace_id JOIN people p ON p.id = m.user_id ORDER BY 1, 2";

fn waiting() -> String {
    format!("SELECT id, reason FROM {VERSIONS} WHERE retry_at IS NOT NULL ORDER BY 1")
}

#[tokio::test]
async fn a_row_waits_for_those_that_it_refers_to_and_is_woken_by_them() {
    let mut app = application().await;
    app.apply(&[joins(1, 1, 1, 1), joins(2, 1, 2, 1)]).await;
    for _ in 0..3 {
        app.make_due().await;
        app.apply(&[]).await;
    }
    let reasons = app.rows(&waiting()).await;
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0][1].contains("waits for rows"), "{reasons:?}");
    assert!(reasons[0][1].contains(r#"workspaces" ["org_1"]"#), "{reasons:?}");
    assert!(reasons[0][1].contains(r#"people" ["user_1"]"#), "{reasons:?}");
    assert!(app.dead_letters().await.is_empty(), "it may come at any time");
    app.apply(&[founds(1, None, 2), signs_up(1, 2)]).await;
    app.apply(&[]).await;
    app.apply(&[]).await;
    assert_eq!(app.rows(MEMBERS).await, [["org_1", "user_1", "org:1"]]);
    assert_eq!(app.rows(&waiting()).await[0][0], "orgmem_2");
    // The application's own columns stay, and a delete finds the row.
    app.run("UPDATE team_members SET note = 'mine'").await;
    app.apply(&[joins(1, 1, 1, 3), signs_up(2, 3)]).await;
    app.apply(&[]).await;
    let notes = app.rows("SELECT role, note FROM team_members ORDER BY 1").await;
    assert_eq!(notes, [["org:1", "null"], ["org:3", "mine"]]);
    app.apply(&[leaves(1, 1, 1, 4)]).await;
    assert_eq!(app.rows(MEMBERS).await, [["org_1", "user_2", "org:1"]]);
}

#[tokio::test]
async fn a_row_that_waits_for_two_is_woken_by_the_last_whichever_that_is() {
    let both = [signs_up(1, 2), founds(1, None, 2)];
    for (first, last) in [(0, 1), (1, 0)] {
        let mut app = application().await;
        app.apply(&[joins(1, 1, 1, 1)]).await;
        app.apply(&both[first..=first]).await;
        app.apply(&[]).await;
        app.apply(&both[last..=last]).await;
        app.apply(&[]).await;
        assert_eq!(app.rows(MEMBERS).await, [["org_1", "user_1", "org:1"]]);
        assert!(app.rows(&waiting()).await.is_empty());
    }
}

#[tokio::test]
async fn a_row_goes_before_the_one_that_it_is_found_by_and_comes_behind_it() {
    let without_keys = tables().map(|table| {
        table
            .replace("ON DELETE SET NULL", "")
            .replace("ON DELETE CASCADE", "")
            .replace("REFERENCES people (id)", "")
            .replace("REFERENCES workspaces (id)", "")
    });
    let [people, workspaces, members_of] = &without_keys;
    let name = |expression| pairs::<ColumnValues>(&[("name", expression)]);
    let parents = [
        parent("organization", "workspaces", name("organization.name")),
        parent("user", "people", name("user.first_name")),
    ];
    for first in [true, false] {
        let mut tables = parents.to_vec();
        tables.insert(if first { 0 } else { 2 }, members());
        let mut app = Application::new(&[people, workspaces, members_of], options(tables)).await;
        app.apply(&[joins(1, 1, 1, 1), founds(1, None, 1), signs_up(1, 1)]).await;
        assert_eq!(app.rows(MEMBERS).await, [["org_1", "user_1", "org:1"]], "at once");
        app.apply(&[goes("organization", "org_1", 2), leaves(1, 1, 1, 2)]).await;
        assert!(app.rows("SELECT role FROM team_members").await.is_empty(), "first: {first}");
        assert!(app.dead_letters().await.is_empty());
    }
}

#[tokio::test]
async fn a_delete_before_its_parents_leaves_nothing_to_do() {
    let mut app = application().await;
    app.apply(&[joins(1, 1, 1, 1)]).await;
    app.apply(&[leaves(1, 1, 1, 2)]).await;
    assert!(app.rows(&waiting()).await.is_empty());
    app.apply(&[founds(1, None, 3), signs_up(1, 3)]).await;
    app.apply(&[]).await;
    assert!(app.rows(MEMBERS).await.is_empty());
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn what_the_application_itself_inserts_is_found_when_it_is_tried_again() {
    let mut app = application().await;
    app.apply(&[founds(1, None, 1), joins(1, 1, 1, 1)]).await;
    let id = "00000000-0000-4000-8000-000000000001";
    app.run(&format!("INSERT INTO people (id, clerk_id) VALUES ('{id}', 'user_1')")).await;
    app.make_due().await;
    app.apply(&[]).await;
    assert_eq!(app.rows("SELECT user_id FROM team_members").await, [[id]]);
}

#[tokio::test]
async fn a_column_beside_the_key_is_looked_up_or_null_where_nothing_is_named() {
    let mut app = application().await;
    app.apply(&[founds(1, None, 1), founds(2, Some(1), 1)]).await;
    assert_eq!(app.rows("SELECT clerk_id, owner_id FROM workspaces").await, [["org_1", "null"]]);
    app.apply(&[signs_up(1, 2)]).await;
    app.apply(&[]).await;
    let owners = "SELECT w.clerk_id, p.clerk_id FROM workspaces w
        LEFT JOIN people p ON p.id = w.owner_id ORDER BY 1";
    assert_eq!(app.rows(owners).await, [["org_1", "null"], ["org_2", "user_1"]]);
    app.apply(&[founds(1, Some(1), 3)]).await;
    assert_eq!(app.rows(owners).await, [["org_1", "user_1"], ["org_2", "user_1"]]);
}

#[tokio::test]
async fn a_row_is_found_by_several_columns_and_wakes_what_waits_for_it() {
    let orgs = format!(
        "CREATE TABLE orgs (id {UUID} PRIMARY KEY, tenant text, clerk_id text, name text,
         UNIQUE (clerk_id, tenant))"
    );
    let staff = format!(
        "CREATE TABLE staff (clerk_id text PRIMARY KEY, org_id {UUID} NOT NULL REFERENCES orgs (id))"
    );
    let tenant = ("tenant", "source");
    let org = ColumnValue::Lookup(LookupConfig {
        lookup: "orgs".to_owned(),
        by: pairs(&[tenant, ("clerk_id", "membership.organization_id")]),
        column: "id".to_owned(),
    });
    let staff_of = TableConfig {
        into: "staff".to_owned(),
        key: pairs(&[("clerk_id", "membership.id")]),
        columns: Named(vec![("org_id".to_owned(), org)]),
        ..members()
    };
    let orgs_of = TableConfig {
        key: pairs(&[tenant, ("clerk_id", "subject")]),
        ..parent("organization", "orgs", pairs(&[("name", "organization.name")]))
    };
    let mut app = Application::new(&[&orgs, &staff], options(vec![staff_of, orgs_of])).await;
    app.apply(&[joins(1, 1, 1, 1)]).await;
    assert_eq!(app.rows(&waiting()).await.len(), 1);
    app.apply(&[founds(1, None, 2)]).await;
    app.apply(&[]).await;
    let found = "SELECT staff.clerk_id, name FROM staff JOIN orgs ON orgs.id = org_id";
    assert_eq!(app.rows(found).await, [["orgmem_1", "at 2"]]);
}

#[tokio::test]
async fn a_row_is_found_by_a_column_that_the_database_fills() {
    let people = format!(
        "CREATE TABLE people (id {UUID} PRIMARY KEY, external text,
         clerk_id text GENERATED ALWAYS AS ('user_' || external) STORED UNIQUE)"
    );
    let staff =
        format!("CREATE TABLE staff (clerk_id text PRIMARY KEY, person_id {UUID} NOT NULL)");
    let person = lookup("people", "membership.user_id");
    let staff_of = TableConfig {
        into: "staff".to_owned(),
        key: pairs(&[("clerk_id", "membership.id")]),
        columns: Named(vec![("person_id".to_owned(), person)]),
        ..members()
    };
    let mut app = Application::new(&[&people, &staff], options(vec![staff_of])).await;
    let id = "00000000-0000-4000-8000-000000000001";
    app.run(&format!("INSERT INTO people (id, external) VALUES ('{id}', '1')")).await;
    app.apply(&[joins(1, 1, 1, 1)]).await;
    assert_eq!(app.rows("SELECT person_id FROM staff").await, [[id]]);
}

#[tokio::test]
async fn a_lookup_that_cannot_be_is_refused_with_what_it_needs() {
    let all = tables();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    let with = |value: ColumnValue| {
        let columns = Named(vec![("owner_id".to_owned(), value)]);
        options(vec![parent("organization", "workspaces", columns)])
    };
    let LookupConfig { by, .. } = match lookup("people", "organization.created_by") {
        ColumnValue::Lookup(lookup) => lookup,
        ColumnValue::Expression(_) => unreachable!(),
    };
    let of = |table: &str, by: &Expressions, column: &str| {
        ColumnValue::Lookup(LookupConfig {
            lookup: table.to_owned(),
            by: by.clone(),
            column: column.to_owned(),
        })
    };
    for (value, expected) in [
        (of("persons", &by, "id"), "no table \"persons\""),
        (of("people", &by, "uuid"), "\"people\" has no column \"uuid\""),
        (of("people", &pairs(&[("clerk", "data.id")]), "id"), "no column \"clerk\""),
        (of("people", &pairs(&[("name", "data.id")]), "id"), "no unique index on exactly (name)"),
    ] {
        let error = Application::refused(&all, with(value)).await;
        assert!(error.contains(expected), "{error}");
    }
}

/// Who founds workspaces: signs up at some time, and stays.
const FOUNDER: u8 = 2;

/// Something that happens to one of a few people, workspaces and memberships.
#[derive(Debug, Clone, Copy)]
enum What {
    SignsUp(u8),
    Founds(u8, Option<u8>),
    Joins(u8, u8),
    Leaves(u8, u8),
    UserGoes(u8),
    OrganizationGoes(u8),
}

fn happenings() -> impl Strategy<Value = Vec<(What, i64)>> {
    let two = || 0..2_u8;
    let what = prop_oneof![
        3 => two().prop_map(What::SignsUp),
        3 => (two(), any::<bool>()).prop_map(|(id, by)| What::Founds(id, by.then_some(FOUNDER))),
        5 => (two(), two()).prop_map(|(organization, person)| What::Joins(organization, person)),
        1 => (two(), two()).prop_map(|(organization, person)| What::Leaves(organization, person)),
        1 => two().prop_map(What::UserGoes),
        1 => two().prop_map(What::OrganizationGoes),
    ];
    // No two at the same time, so that what is newest is plain.
    prop::collection::vec(what, 1..16).prop_map(|mut all| {
        all.push(What::SignsUp(FOUNDER));
        all.into_iter().zip((1..).map(|at| at * 1000)).collect()
    })
}

fn to_event((what, at): (What, i64)) -> StoredEvent {
    let id = |organization: u8, person: u8| 2 * organization + person;
    match what {
        What::SignsUp(person) => signs_up(person, at),
        What::Founds(organization, by) => founds(organization, by, at),
        What::Joins(organization, person) => {
            joins(id(organization, person), organization, person, at)
        }
        What::Leaves(organization, person) => {
            leaves(id(organization, person), organization, person, at)
        }
        What::UserGoes(person) => goes("user", &format!("user_{person}"), at),
        What::OrganizationGoes(organization) => {
            goes("organization", &format!("org_{organization}"), at)
        }
    }
}

/// The members that there must be in the end, whatever came first.
fn expected(happenings: &[(What, i64)]) -> Vec<[String; 3]> {
    let (mut people, mut workspaces, mut roles) =
        (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    let (mut gone_people, mut gone_workspaces, mut left) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for (what, at) in happenings {
        match *what {
            What::SignsUp(person) => drop(people.insert(person)),
            What::Founds(organization, _) => drop(workspaces.insert(organization)),
            What::Joins(organization, person) => drop(roles.insert((organization, person), at)),
            What::Leaves(organization, person) => drop(left.insert((organization, person))),
            What::UserGoes(person) => drop(gone_people.insert(person)),
            What::OrganizationGoes(organization) => drop(gone_workspaces.insert(organization)),
        }
    }
    let is_there = |(organization, person): &(u8, u8)| {
        workspaces.contains(organization)
            && !gone_workspaces.contains(organization)
            && people.contains(person)
            && !gone_people.contains(person)
            && !left.contains(&(*organization, *person))
    };
    let members = roles.into_iter().filter(|(member, _)| is_there(member));
    let row = |((organization, person), at): ((u8, u8), &i64)| {
        [format!("org_{organization}"), format!("user_{person}"), format!("org:{at}")]
    };
    members.map(row).collect()
}

async fn arrive(batches: &[Vec<StoredEvent>], again: bool) -> Vec<Vec<String>> {
    let mut app = application().await;
    for batch in batches {
        app.apply(batch).await;
    }
    if again {
        app.rewind().await;
        app.apply(&batches.concat()).await;
    }
    // As many rounds as rows may wait for each other: a person, a workspace, a member.
    for _ in 0..4 {
        app.make_due().await;
        app.apply(&[]).await;
    }
    assert!(app.dead_letters().await.is_empty());
    app.rows(MEMBERS).await
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..super::convergence::cases(MAPPED_CASES)
    })]

    #[test]
    fn any_arrival_ends_in_the_same_members(
        happenings in happenings(),
        order in prop::collection::vec(any::<u32>(), 17),
        twice in prop::collection::vec(any::<(Index, Index)>(), 0..4),
        size in 1..6_usize,
        again: bool,
    ) {
        let mut arriving: Vec<_> = (0..happenings.len()).collect();
        arriving.sort_by_key(|index| order[*index]);
        for (which, place) in twice {
            arriving.insert(place.index(arriving.len()), which.index(happenings.len()));
        }
        let events: Vec<_> = arriving.into_iter().map(|index| to_event(happenings[index])).collect();
        let batches: Vec<_> = events.chunks(size).map(<[_]>::to_vec).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let rows = runtime.block_on(arrive(&batches, again));
        prop_assert_eq!(rows, expected(&happenings));
    }
}
