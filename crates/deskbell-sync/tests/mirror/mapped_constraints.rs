//! The application's tables are the same whatever the order and the batches, also where their keys are
//! equal in any letter case, what is unique must not be null, and rows refer to others.

use std::collections::BTreeMap;

use deskbell_store::StoredEvent;
use deskbell_sync::{DatabaseConfig, Expressions, Line, MirrorOptions, OnRowDelete, TableConfig};
use proptest::prelude::*;
use serde_json::json;

use super::application::Application;
use super::backend::{BEFORE_CASELESS, CASELESS, MAPPED_CASES};
use super::mapped::{pairs, user};
use super::support::{deleted, event, membership};

/// Addresses, some of which differ in their case alone.
const ADDRESSES: [&str; 6] = ["a@x.dev", "A@x.dev", "b@x.dev", "B@X.dev", "c@x.dev", "d@x.dev"];
const USERS: usize = 4;

fn id(user: usize) -> String {
    format!("user_{user}")
}

fn has(user_number: usize, address: &str, at: i64) -> StoredEvent {
    let mut data = user(&id(user_number), address, at * 1000);
    data["created_at"] = json!(user_number * 1000);
    event(&format!("msg_{user_number}_{at}"), "user.updated", at * 1000, &data)
}

fn goes(user: usize) -> StoredEvent {
    event(&format!("msg_{user}_gone"), "user.deleted", 50_000, &deleted("user", &id(user)))
}

fn mapping(into: &str, key: (&str, &str), column: (&str, &str)) -> TableConfig {
    TableConfig {
        entity: "user".to_owned(),
        into: into.to_owned(),
        key: pairs(&[key]),
        columns: pairs(&[column]),
        on_insert: Expressions::default(),
        on_delete: OnRowDelete::Delete,
        line: Line(Some(7)),
    }
}

async fn arrive(
    tables: &[&str],
    mapped: Vec<TableConfig>,
    batches: &[&[StoredEvent]],
) -> Application {
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: mapped, ..DatabaseConfig::default() },
    );
    let mut app = Application::new(tables, options).await;
    for batch in batches {
        app.apply(batch).await;
    }
    for _ in 0..4 {
        app.make_due().await;
        app.apply(&[]).await;
    }
    assert!(app.dead_letters().await.is_empty());
    app
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The users by their addresses, of those who have one: the one who was created last.
fn owners(newest: &BTreeMap<usize, (i64, usize)>, gone: &[bool]) -> Vec<Vec<String>> {
    let mut owners: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for (user, (_, address)) in newest {
        let address = ADDRESSES[*address];
        let owner = owners.entry(address.to_lowercase()).or_insert((*user, address));
        *owner = (*owner).max((*user, address));
    }
    let there = owners.into_values().filter(|(user, _)| !gone[*user]);
    let mut rows: Vec<_> =
        there.map(|(user, address)| vec![id(user), address.to_owned()]).collect();
    rows.sort();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..super::convergence::cases(MAPPED_CASES)
    })]

    #[test]
    fn keys_in_any_case_end_with_the_same_owners(
        happenings in prop::collection::vec((0..USERS, 0..ADDRESSES.len()), 1..14),
        gone in prop::collection::vec(any::<bool>(), USERS),
        order in prop::collection::vec(any::<u32>(), 20),
        size in 1..6_usize,
    ) {
        let mut newest = BTreeMap::new();
        let mut events = Vec::new();
        for (at, (user, address)) in (1..).zip(&happenings) {
            events.push(has(*user, ADDRESSES[*address], at));
            newest.insert(*user, (at, *address));
        }
        let left = (0..USERS).filter(|user| gone[*user] && newest.contains_key(user));
        events.extend(left.map(goes));
        let mut arriving: Vec<_> = events.into_iter().zip(&order).collect();
        arriving.sort_by_key(|(_, order)| **order);
        let arriving: Vec<_> = arriving.into_iter().map(|(event, _)| event).collect();
        let batches: Vec<_> = arriving.chunks(size).collect();
        let accounts = format!(
            "CREATE TABLE accounts (email {CASELESS} NOT NULL UNIQUE, clerk_id text NOT NULL UNIQUE)"
        );
        let mapped = mapping("accounts", ("email", "user.primary_email_address"), ("clerk_id", "user.id"));
        let rows = block_on(async {
            let app = arrive(&[BEFORE_CASELESS, &accounts], vec![mapped], &batches).await;
            app.rows("SELECT clerk_id, email FROM accounts ORDER BY 1").await
        });
        prop_assert_eq!(rows, owners(&newest, &gone));
    }

    #[test]
    fn unique_addresses_and_references_end_as_clerk_has_them(
        happenings in prop::collection::vec((0..USERS, 0..4_usize), 0..12),
        turn in 0..USERS,
        swapped in any::<bool>(),
        gone in any::<bool>(),
        order in prop::collection::vec(any::<u32>(), 24),
        size in 1..6_usize,
    ) {
        let addresses = ["a@x.dev", "b@x.dev", "c@x.dev", "d@x.dev"];
        let mut last: Vec<_> = (0..USERS).map(|user| addresses[(user + turn) % USERS]).collect();
        if swapped {
            last.swap(0, 2);
        }
        let mut events: Vec<_> = (1..).zip(&happenings)
            .map(|(at, (user, address))| has(*user, addresses[*address], at))
            .collect();
        events.extend((0..USERS).map(|user| has(user, last[user], 40)));
        events.extend((0..USERS).map(|user| {
            let data = membership(&format!("orgmem_{user}"), "org_1", &id(user), 1000);
            event(&format!("msg_m{user}"), "organizationMembership.created", 1000, &data)
        }));
        events.extend(gone.then(|| goes(3)));
        let mut arriving: Vec<_> = events.into_iter().zip(order.iter().cycle()).collect();
        arriving.sort_by_key(|(_, order)| **order);
        let arriving: Vec<_> = arriving.into_iter().map(|(event, _)| event).collect();
        let batches: Vec<_> = arriving.chunks(size).collect();
        let people = "CREATE TABLE people (clerk_id varchar(40) PRIMARY KEY, email varchar(30) NOT NULL UNIQUE)";
        let members = "CREATE TABLE members (user_id varchar(40) PRIMARY KEY REFERENCES people (clerk_id), role text)";
        let of_members = TableConfig {
            entity: "organization_membership".to_owned(),
            ..mapping("members", ("user_id", "membership.user_id"), ("role", "data.role"))
        };
        let of_people = mapping("people", ("clerk_id", "user.id"), ("email", "user.primary_email_address"));
        let there = USERS - usize::from(gone);
        let (rows, ids) = block_on(async {
            let app = arrive(&[people, members], vec![of_members, of_people], &batches).await;
            let rows = app.rows("SELECT clerk_id, email FROM people ORDER BY 1").await;
            (rows, app.rows("SELECT user_id FROM members ORDER BY 1").await)
        });
        let expected: Vec<_> = (0..there).map(|user| vec![id(user), last[user].to_owned()]).collect();
        prop_assert_eq!(rows, expected);
        let expected: Vec<_> = (0..there).map(|user| vec![id(user)]).collect();
        prop_assert_eq!(ids, expected);
    }
}
