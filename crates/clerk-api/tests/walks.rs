//! Every list is read completely while it changes, with few requests.

use std::sync::atomic::{AtomicUsize, Ordering};

use clerk_api::{List, Walk, lists};
use deskbell_sim::backend_api::{BackendApi, BackendApiOptions, Fault, UnknownId, sample};

use super::support::{START_MS, assert_all, client, created_at, filled, ids, serve};

/// The list of the simulation that a list of the client reads.
fn simulated(list: &List) -> &'static str {
    if list.path == "/users" { "users" } else { list.name }
}

/// Walks a list while every request deletes five objects before the position or behind it and creates two.
async fn walked_while_it_changes(list: &List, walk: Walk, objects: usize) {
    let name = simulated(list);
    let directory = filled(name, objects);
    let before = directory.lock().ids(name);
    let (changing, created) = (directory.clone(), AtomicUsize::new(objects));
    let api = serve(&directory, move |request| {
        let mut state = changing.lock();
        let ids = state.ids(name);
        for step in 0..5 {
            state.remove(name, &ids[(request.number * 7_919 + step * 104_729) % ids.len()]);
        }
        for _ in 0..2 {
            let number = created.fetch_add(1, Ordering::Relaxed);
            state.insert(name, &sample(name, number, created_at(number)));
        }
        Fault::None
    });
    let api = api.await;
    let found = ids(&mut client(&api.url()).pages(walk)).await;
    let after = directory.lock().ids(name);
    let kept: Vec<String> = before.into_iter().filter(|id| after.contains(id)).collect();
    assert!(kept.len() < objects && kept.len() > objects / 2);
    assert_all(&kept, &found, list.name);
}

#[tokio::test]
async fn every_list_is_read_completely_while_it_changes() {
    for &list in lists::ALL {
        // Of the subscription items all are asked for, and of the invitations all in two parts.
        walked_while_it_changes(list, list.walk().page_size(50), 1_203).await;
    }
    for list in [&lists::USERS_LAST_UPDATED_FIRST, &lists::USERS_NEWEST_FIRST] {
        walked_while_it_changes(list, list.walk().page_size(50), 1_203).await;
    }
}

#[tokio::test]
async fn the_attempts_of_a_statement_are_its_own() {
    let directory = filled("statements", 2);
    for number in 0..30 {
        let statement = format!("cstmt_{:08}", number % 2);
        let attempt = sample("payment_attempts", number, created_at(number));
        directory.lock().insert_of("payment_attempts", &statement, &attempt);
    }
    let api = serve(&directory, |_| Fault::None).await;
    let client = client(&api.url());
    let walk = lists::PAYMENT_ATTEMPTS.walk("cstmt_00000001").unwrap().page_size(4);
    assert_eq!(client.count(&walk).await.unwrap(), 15);
    let found = ids(&mut client.pages(walk)).await;
    assert_eq!(found.len(), 15);
    assert!(found.iter().all(|id| id[5..].parse::<usize>().unwrap() % 2 == 1), "{found:?}");
    assert!(lists::PAYMENT_ATTEMPTS.walk("a/b").is_err());
}

#[tokio::test]
async fn a_quiet_list_takes_the_fewest_requests_and_has_no_duplicates() {
    for (list, objects, requests) in [
        (&lists::USERS, 0, 1),
        (&lists::USERS, 11_999, 24),
        // The last page is full: an empty one follows, and the question whether it is the end.
        (&lists::USERS, 1_000, 4),
        (&lists::ORGANIZATION_MEMBERSHIPS, 0, 1),
        (&lists::ORGANIZATION_MEMBERSHIPS, 500, 1),
        // Each page begins with ten objects of the one before: 1 + 11,500 / 490.
        (&lists::ORGANIZATION_MEMBERSHIPS, 12_000, 25),
        (&lists::STATEMENTS, 12_000, 25),
        (&lists::INVITATIONS, 3, 2),
    ] {
        let name = simulated(list);
        let directory = filled(name, objects);
        let api = serve(&directory, |_| Fault::None).await;
        let mut found = ids(&mut client(&api.url()).pages(list.walk())).await;
        assert_eq!(api.requests(), requests, "{objects} of {name}");
        found.sort_unstable();
        assert_eq!(found, directory.lock().ids(name), "{objects} of {name}");
    }
}

#[tokio::test]
async fn nothing_is_passed_over_when_very_much_is_deleted() {
    for deleted in [9, 10, 11, 400, 499, 700, 990, 1_000] {
        let directory = filled("organizations", 2_600);
        let all = directory.lock().ids("organizations");
        let api = serve(&directory, |_| Fault::None).await;
        let mut pages = client(&api.url()).pages(lists::ORGANIZATIONS.walk());
        for _ in 0..2 {
            pages.next().await.unwrap().unwrap();
        }
        for id in &all[990 - deleted.min(990)..990] {
            directory.lock().remove("organizations", id);
        }
        let found = ids(&mut pages).await;
        assert_all(&all[990..], &found, &format!("{deleted} deleted"));
    }
}

#[tokio::test]
async fn a_deleted_user_does_not_end_the_walk_behind_it() {
    for unknown_id in [UnknownId::Rejected, UnknownId::Empty, UnknownId::Ignored] {
        for list in [&lists::USERS, &lists::USERS_NEWEST_FIRST] {
            let directory = filled("users", 500);
            let all = directory.lock().ids("users");
            let options =
                BackendApiOptions { requests_max: 1_000, unknown_id, ..Default::default() };
            let api = BackendApi::start(options, directory.clone(), |_| Fault::None).await.unwrap();
            let mut pages = client(&api.url()).pages(list.walk().page_size(60));
            let mut found = Vec::new();
            while let Some(page) = pages.next().await.unwrap() {
                directory.lock().remove("users", &page.items.last().unwrap().id);
                found.extend(page.items.into_iter().map(|item| item.id));
            }
            assert_all(&all, &found, &format!("{unknown_id:?}, {}", list.name));
            assert!(found.len() < 530, "{unknown_id:?}: {} read", found.len());
        }
    }
}

#[tokio::test]
async fn invitations_come_in_two_parts_and_free_items_are_asked_for() {
    let directory = filled("invitations", 400);
    let api = serve(&directory, |_| Fault::None).await;
    let client_of_invitations = client(&api.url());
    assert_eq!(client_of_invitations.count(&lists::INVITATIONS.walk()).await.unwrap(), 400);
    let found = ids(&mut client_of_invitations.pages(lists::INVITATIONS.walk())).await;
    assert_eq!(found.len(), 400);
    assert!(found[300..].iter().all(|id| id[4..].parse::<usize>().unwrap() % 4 == 2));

    let directory = filled("subscription_items", 40);
    let api = serve(&directory, |_| Fault::None).await;
    let found = ids(&mut client(&api.url()).pages(lists::SUBSCRIPTION_ITEMS.walk())).await;
    assert_eq!(found.len(), 40, "half of them are free");
}

#[tokio::test]
async fn a_server_that_gives_the_same_page_again_and_again_is_an_error() {
    let directory = filled("organizations", 300);
    let page = r#"{"data":[{"id":"org_1"},{"id":"org_2"}],"total_count":300}"#;
    let api = serve(&directory, |_| Fault::Body(page.into())).await;
    let mut pages = client(&api.url()).pages(lists::ORGANIZATIONS.walk());
    assert_eq!(pages.next().await.unwrap().unwrap().items.len(), 2);
    let error = pages.next().await.unwrap_err();
    assert_eq!(error.to_string(), "50 pages of organizations in a row had no new objects");
    assert!(!error.is_transient());
    assert_eq!(api.requests(), 51);
}

#[tokio::test]
async fn what_changed_last_comes_first() {
    let directory = filled("users", 30);
    let mut changed = sample("users", 7, created_at(7));
    changed["updated_at"] = (START_MS + 1_000_000).into();
    directory.lock().insert("users", &changed);
    let api = serve(&directory, |_| Fault::None).await;
    let walk = lists::USERS_LAST_UPDATED_FIRST.walk().page_size(10);
    let page = client(&api.url()).pages(walk).next().await.unwrap().unwrap();
    assert_eq!(page.items[0].id, "user_00000007");
    assert_eq!(page.items[0].updated_at, Some(START_MS + 1_000_000));
    assert!(page.answered_at.is_some());
}
