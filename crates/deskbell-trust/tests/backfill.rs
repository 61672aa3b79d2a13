//! What existed before a mirror is read, once, and goes on where it was.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deskbell_sim::backend_api::{Fault, LISTS, SharedDirectory, sample};
use deskbell_sync::DatabaseConfig;
use deskbell_trust::{
    BackfillProgress, BackfillRequest, BackfillState, Scope, WalkStatus, request_backfill,
};
use serde_json::json;
use tokio::sync::Notify;

use crate::support::{World, filled};

/// The lists whose objects are rows of a table of the same name, and that table's.
const TABLES: &[(&str, &str)] = &[
    ("users", "users"),
    ("organizations", "organizations"),
    ("organization_memberships", "organization_memberships"),
    ("invitations", "invitations"),
    ("organization_invitations", "organization_invitations"),
    ("organization_domains", "organization_domains"),
    ("organization_roles", "roles"),
    ("organization_permissions", "permissions"),
    ("waitlist_entries", "waitlist_entries"),
    ("subscription_items", "subscription_items"),
];

fn status(state: &BackfillState, destination: &str, entity: &str) -> WalkStatus {
    state.mirrors[destination][entity].status
}

#[tokio::test]
async fn every_list_is_read_into_its_table() {
    let lists: Vec<_> = TABLES.iter().map(|(list, _)| *list).collect();
    let world = World::new(filled(&lists, 1_203)).await;
    let mirror = world.mirror("app").await;
    let state = world.fill(&[&mirror]).await;
    for (list, table) in TABLES {
        assert_eq!(mirror.count(table).await, 1_203, "{list}");
    }
    for (_, entity, walk) in state.walks() {
        assert_eq!((walk.status, &walk.error), (WalkStatus::Done, &None), "{entity}");
    }
    // Three pages of each, a count of users, and one page of statements.
    let requests = world.api.requests();
    assert_eq!(requests, 3 * TABLES.len() + 1 + 1);
    // Nothing is left to do.
    world.fill(&[&mirror]).await;
    assert_eq!(world.api.requests(), requests);
}

#[tokio::test]
async fn subscriptions_and_payment_attempts_are_read_through_others() {
    let directory = SharedDirectory::default();
    {
        let mut state = directory.lock();
        for number in 0..12 {
            let mut item = sample("subscription_items", number, 1);
            // Two items for each payer, of whom the last two are organizations.
            let payer = number / 2;
            item["payer"] = match payer {
                4.. => json!({ "organization_id": format!("org_{payer}"), "user_id": "" }),
                _ => json!({ "user_id": format!("user_{payer}"), "organization_id": null }),
            };
            let mut subscription = sample("subscriptions", payer, 2);
            let payer = format!("{}_{payer}", if payer >= 4 { "org" } else { "user" });
            subscription["subscription_items"] = json!([{ "id": item["id"], "updated_at": 1 }]);
            state.insert("subscription_items", &item);
            state.insert_of("subscriptions", &payer, &subscription);
            let statement = sample("statements", number, 3);
            state.insert("statements", &statement);
            let attempt = sample("payment_attempts", number, 4);
            state.insert_of("payment_attempts", statement["id"].as_str().unwrap(), &attempt);
        }
    }
    let world = World::new(directory).await;
    let mirror = world.mirror("app").await;
    let state = world.fill(&[&mirror]).await;
    assert_eq!(mirror.count("subscriptions").await, 6);
    assert_eq!(mirror.count("payment_attempts").await, 12);
    let items = mirror.reader().await.rows("subscription_items").await.unwrap();
    assert_eq!(items.len(), 12);
    let known = items.iter().filter(|item| item["subscription_id"].is_string()).count();
    assert_eq!(known, 6, "an item in a subscription says which one");
    for entity in ["subscription", "subscription_item", "payment_attempt"] {
        assert_eq!(status(&state, "app", entity), WalkStatus::Done, "{entity}");
    }
}

#[tokio::test]
async fn it_goes_on_where_it_was_cut_off() {
    let cut = Arc::new(Notify::new());
    let (reached, pages) = (Arc::clone(&cut), AtomicUsize::new(0));
    let world = World::with(filled(&["users"], 4_900), move |request| {
        if request.path == "/users" && pages.fetch_add(1, Ordering::Relaxed) == 6 {
            reached.notify_one();
            return Fault::Hang;
        }
        Fault::None
    })
    .await;
    let mirror = world.mirror("app").await;
    let backfill = world.backfill(&[&mirror]);
    let progress = BackfillProgress::load(&*world.store).await.unwrap();
    let entities = ["user".to_owned()];
    tokio::select! {
        _ = backfill.run(&entities, Scope::All, &progress) => panic!("it cannot end"),
        () = cut.notified() => {}
    }
    drop(progress);
    assert!(mirror.count("users").await >= 2_000);
    let before = world.api.requests();
    let state = world.fill_entities(&[&mirror], &["user"], Scope::All).await;
    assert_eq!(mirror.count("users").await, 4_900);
    assert_eq!(status(&state, "app", "user"), WalkStatus::Done);
    // A count, and the pages behind the fifth or the sixth, which was being written.
    let requests = world.api.requests() - before;
    assert!((5..=6).contains(&requests), "{requests}: not from the beginning");
}

#[tokio::test]
async fn mirrors_that_are_equally_far_share_the_requests() {
    let world = World::new(filled(&["users"], 1_900)).await;
    let (one, other) = (world.mirror("one").await, world.mirror("other").await);
    let state = world.fill_entities(&[&one, &other], &["user"], Scope::Missing).await;
    assert_eq!((one.count("users").await, other.count("users").await), (1_900, 1_900));
    assert_eq!(state.mirrors["other"]["user"].read, 1_900);
    assert_eq!(world.api.requests(), 5, "a count and four pages");
}

#[tokio::test]
async fn a_mirror_has_only_what_it_wants() {
    let world = World::new(filled(&["users", "organizations"], 10)).await;
    let entities = Some(vec!["organization".to_owned()]);
    let config = DatabaseConfig { entities, ..DatabaseConfig::default() };
    let mirror = world.mirror_with("app", config).await;
    let state = world.fill(&[&mirror]).await;
    assert_eq!(state.mirrors["app"].keys().collect::<Vec<_>>(), ["organization"]);
    assert_eq!(world.api.requests(), 1);
}

#[tokio::test]
async fn what_the_instance_does_not_have_stops_nothing_else() {
    let world =
        World::with(filled(&["users"], 10), |request| match request.path.starts_with("/billing") {
            true => Fault::Status(403),
            false => Fault::None,
        })
        .await;
    let mirror = world.mirror("app").await;
    let state = world.fill(&[&mirror]).await;
    assert_eq!(status(&state, "app", "subscription"), WalkStatus::NotAvailable);
    assert_eq!(status(&state, "app", "user"), WalkStatus::Done);
    let reason = state.mirrors["app"]["subscription"].error.as_deref().unwrap();
    assert!(reason.contains("403"), "{reason}");
}

#[tokio::test]
async fn a_list_that_fails_on_its_way_is_continued_later() {
    let pages = AtomicUsize::new(0);
    let world = World::with(filled(&["users", "organizations"], 3_000), move |request| {
        let is_third = |number| (3..7).contains(&number);
        match request.path == "/users" && is_third(pages.fetch_add(1, Ordering::Relaxed)) {
            true => Fault::Status(500),
            false => Fault::None,
        }
    })
    .await;
    let mirror = world.mirror("app").await;
    let state = world.fill_entities(&[&mirror], &["user", "organization"], Scope::Missing).await;
    let walk = &state.mirrors["app"]["user"];
    assert_eq!((walk.status, walk.read), (WalkStatus::Failed, 1_500), "{walk:?}");
    assert_eq!(status(&state, "app", "organization"), WalkStatus::Done);
    let state = world.fill_entities(&[&mirror], &["user", "organization"], Scope::Missing).await;
    let walk = &state.mirrors["app"]["user"];
    assert_eq!((walk.status, walk.read, &walk.error), (WalkStatus::Done, 3_000, &None));
    assert_eq!(mirror.count("users").await, 3_000);
}

#[tokio::test]
async fn every_simulated_list_is_of_something_that_is_read() {
    let read = TABLES.iter().map(|(list, _)| *list);
    let others = ["statements", "payment_attempts", "subscriptions"];
    let mut known: Vec<_> = read.chain(others).collect();
    let mut lists = LISTS.to_vec();
    known.sort_unstable();
    lists.sort_unstable();
    assert_eq!(known, lists);
}

#[tokio::test]
async fn a_mirror_that_is_away_keeps_no_other_one_back() {
    let world = World::new(filled(&["users"], 1_400)).await;
    let (away, other) = (world.mirror("away").await, world.mirror("other").await);
    away.break_down().await;
    let state = world.fill_entities(&[&away, &other], &["user"], Scope::Missing).await;
    assert_eq!(status(&state, "away", "user"), WalkStatus::Failed);
    assert_eq!(status(&state, "other", "user"), WalkStatus::Done);
    assert_eq!(other.count("users").await, 1_400);
    assert_eq!(state.mirrors["away"]["user"].cursor, None, "it has nothing, and begins again");
}

#[tokio::test]
async fn a_payer_that_clerk_rejects_stops_no_other() {
    let directory = SharedDirectory::default();
    {
        let mut state = directory.lock();
        for number in 0..3 {
            let mut item = sample("subscription_items", number, 1);
            item["payer"] = json!({ "user_id": format!("user_{number}") });
            state.insert("subscription_items", &item);
            let subscription = sample("subscriptions", number, 2);
            state.insert_of("subscriptions", &format!("user_{number}"), &subscription);
        }
    }
    let world = World::with(directory, |request| {
        match request.path == "/users/user_1/billing/subscription" {
            true => Fault::Status(422),
            false => Fault::None,
        }
    })
    .await;
    let mirror = world.mirror("app").await;
    let state = world.fill(&[&mirror]).await;
    assert_eq!(status(&state, "app", "subscription"), WalkStatus::Done);
    assert_eq!(mirror.count("subscriptions").await, 2);
    assert_eq!(mirror.count("subscription_items").await, 3);
}

#[tokio::test]
async fn a_request_is_not_overwritten_by_the_next_one() {
    let world = World::new(SharedDirectory::default()).await;
    let store = &*world.store;
    let request = BackfillRequest::default();
    assert_eq!(request_backfill(store, request.clone()).await.unwrap(), Some(1));
    assert_eq!(request_backfill(store, request.clone()).await.unwrap(), None);
    let progress = BackfillProgress::load(store).await.unwrap();
    progress.change(|state| state.request = 1).await.unwrap();
    assert_eq!(request_backfill(store, request).await.unwrap(), Some(2));
}
