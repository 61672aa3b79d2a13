//! A mirror that has missed events is compared with Clerk, and mended.

use deskbell_sim::backend_api::{LiveWorld, SharedDirectory, sample};
use deskbell_sim::{Scenario, World as SimulatedWorld, drift};
use deskbell_sync::{DatabaseConfig, OnDelete};
use deskbell_trust::{MirrorReconciled, Reconciled, Repair};
use serde_json::json;

use crate::support::{Mirror, START_MS, World, filled};

const REPAIR: Option<Repair> = Some(Repair { delete_at_most: None });

fn of<'a>(outcome: &'a MirrorReconciled, entity: &str) -> &'a Reconciled {
    outcome.entities.iter().find(|one| one.entity == entity).unwrap()
}

/// Missing, stale and surplus.
fn counts(outcome: &Reconciled) -> (u64, u64, Option<u64>) {
    let surplus = outcome.surplus.as_ref().map(|found| found.count);
    (outcome.missing.count, outcome.stale.count, surplus)
}

/// A mirror that has everything, and a directory that goes on without it.
async fn filled_mirror(lists: &[&'static str], objects: usize) -> (SharedDirectory, World, Mirror) {
    let directory = filled(lists, objects);
    let world = World::new(directory.clone()).await;
    let mirror = world.mirror("app").await;
    directory.lock().set_now(START_MS + 20_000);
    world.fill(&[&mirror]).await;
    directory.lock().set_now(START_MS + 3_600_000);
    (directory, world, mirror)
}

#[tokio::test]
async fn a_mirror_that_has_everything_has_no_drift() {
    let lists = ["users", "organizations", "organization_memberships", "invitations"];
    let (_, world, mirror) = filled_mirror(&lists, 700).await;
    let outcome = world.reconcile(&mirror, &[], None).await;
    assert!(outcome.is_whole());
    assert_eq!(outcome.left(), 0, "{outcome:?}");
    let users = of(&outcome, "user");
    assert_eq!((users.in_clerk, users.in_mirror, counts(users)), (700, 700, (0, 0, Some(0))));
    // Two pages of each list, of invitations one and one more, and nothing of the others.
    let is_complete = |name: &str| of(&outcome, name).surplus.is_some();
    assert!(is_complete("invitation") && !is_complete("subscription_item"));
}

#[tokio::test]
async fn what_was_missed_is_found_and_mended() {
    let (directory, world, mirror) = filled_mirror(&["users"], 1_100).await;
    {
        let mut state = directory.lock();
        for number in 1_100..1_103 {
            state.insert("users", &sample("users", number, START_MS + 5_000));
        }
        for number in [3, 500] {
            let mut user = sample("users", number, START_MS + number as i64);
            user["first_name"] = "Grace".into();
            user["updated_at"] = (START_MS + 9_000).into();
            state.insert("users", &user);
        }
        for number in [7, 8, 9, 10] {
            assert!(state.remove("users", &format!("user_{number:08}")));
        }
    }
    let found = world.reconcile(&mirror, &["user"], None).await;
    let users = of(&found, "user");
    assert_eq!(counts(users), (3, 2, Some(4)));
    assert_eq!((users.in_clerk, users.in_mirror, users.left()), (1_099, 1_100, 9));
    assert_eq!(users.missing.examples, ["user_00001100", "user_00001101", "user_00001102"]);
    assert_eq!(mirror.count("users").await, 1_100, "nothing was mended");
    let mended = world.reconcile(&mirror, &["user"], REPAIR).await;
    assert_eq!((of(&mended, "user").repaired, mended.left()), (9, 0));
    assert_eq!(mirror.count("users").await, 1_099);
    let after = world.reconcile(&mirror, &["user"], None).await;
    assert_eq!(counts(of(&after, "user")), (0, 0, Some(0)));
}

#[tokio::test]
async fn what_clerk_changes_without_an_event_is_no_drift() {
    let (directory, world, mirror) = filled_mirror(&["users", "organizations"], 3).await;
    {
        let mut state = directory.lock();
        let mut user = sample("users", 1, START_MS + 1);
        user["last_active_at"] = (START_MS + 70_000).into();
        state.insert("users", &user);
        let mut organization = sample("organizations", 1, START_MS + 1);
        organization["members_count"] = 9.into();
        state.insert("organizations", &organization);
    }
    assert_eq!(world.reconcile(&mirror, &[], None).await.left(), 0);
    // They are written all the same, when what differs is mended.
    assert_eq!(world.reconcile(&mirror, &[], REPAIR).await.left(), 0);
    let organizations = mirror.reader().await.rows("organizations").await.unwrap();
    assert_eq!(organizations[1]["members_count"], 9);
}

#[tokio::test]
async fn a_row_that_was_removed_may_come_back() {
    let (directory, world, mirror) = filled_mirror(&["organization_memberships"], 30).await;
    let id = "orgmem_00000004";
    directory.lock().remove("organization_memberships", id);
    let mended = world.reconcile(&mirror, &[], REPAIR).await;
    assert_eq!((mended.left(), mirror.count("organization_memberships").await), (0, 29));
    // An event of it brings it back, as nothing says that it was deleted for good.
    let data = json!({ "id": id, "updated_at": START_MS + 50_000, "role": "org:admin" });
    let event = testkit::event("msg_1", "organizationMembership.updated").at(START_MS + 50_000);
    world.append(event.data(&data).new_event()).await;
    mirror.drain(&world.store).await;
    assert_eq!(mirror.count("organization_memberships").await, 30);
}

#[tokio::test]
async fn what_clerk_still_has_is_not_deleted() {
    let (_, world, mirror) = filled_mirror(&["users"], 5).await;
    let id = "user_00000002";
    let event = testkit::event("msg_1", "user.deleted").at(START_MS + 10);
    world.append(event.data(&json!({ "id": id, "deleted": true })).new_event()).await;
    mirror.drain(&world.store).await;
    assert_eq!(mirror.count("users").await, 4);
    let found = world.reconcile(&mirror, &["user"], None).await;
    assert_eq!(counts(of(&found, "user")), (1, 0, Some(0)));
    let mended = world.reconcile(&mirror, &["user"], REPAIR).await;
    assert_eq!((mended.left(), mirror.count("users").await), (0, 5));
}

#[tokio::test]
async fn too_many_deletes_are_left_to_a_person() {
    let (directory, world, mirror) = filled_mirror(&["users"], 60).await;
    for number in 0..21 {
        directory.lock().remove("users", &format!("user_{number:08}"));
    }
    let held = world.reconcile(&mirror, &["user"], REPAIR).await;
    let users = of(&held, "user");
    assert_eq!((counts(users), users.repaired), ((0, 0, Some(21)), 0));
    assert!(users.held_back.as_deref().unwrap().contains("21 rows are more than the 20"));
    assert_eq!(mirror.count("users").await, 60);
    let allowed = Some(Repair { delete_at_most: Some(21) });
    let mended = world.reconcile(&mirror, &["user"], allowed).await;
    assert_eq!((mended.left(), mirror.count("users").await), (0, 39));
}

#[tokio::test]
async fn a_row_that_is_newer_than_the_walk_is_not_surplus() {
    let (_, world, mirror) = filled_mirror(&["organization_domains"], 3).await;
    let now_ms = START_MS + 3_660_000;
    let data = json!({ "id": "orgdmn_new", "updated_at": now_ms });
    let event = testkit::event("msg_1", "organizationDomain.created").at(now_ms);
    world.append(event.data(&data).new_event()).await;
    mirror.drain(&world.store).await;
    let outcome = world.reconcile(&mirror, &[], REPAIR).await;
    assert_eq!(counts(of(&outcome, "organization_domain")), (0, 0, Some(0)));
    assert_eq!(mirror.count("organization_domains").await, 4);
}

#[tokio::test]
async fn rows_that_are_marked_are_compared_as_if_they_were_gone() {
    let directory = filled(&["users"], 4);
    let world = World::new(directory.clone()).await;
    let config = DatabaseConfig { on_delete: OnDelete::Mark, ..DatabaseConfig::default() };
    let mirror = world.mirror_with("app", config).await;
    directory.lock().set_now(START_MS + 20_000);
    world.fill(&[&mirror]).await;
    directory.lock().set_now(START_MS + 3_600_000);
    directory.lock().remove("users", "user_00000001");
    let mended = world.reconcile(&mirror, &["user"], REPAIR).await;
    assert_eq!(mended.left(), 0, "{mended:?}");
    let rows = mirror.reader().await.rows("users").await.unwrap();
    let marked = rows.iter().filter(|row| !row["deleted_at"].is_null());
    assert_eq!((rows.len(), marked.count()), (4, 1));
    assert_eq!(world.reconcile(&mirror, &["user"], None).await.left(), 0);
}

#[tokio::test]
async fn events_that_were_lost_leave_no_drift() {
    let directory = SharedDirectory::default();
    let simulated = SimulatedWorld::new(&Scenario::new(4, 5_000));
    let mut live = LiveWorld::new(simulated, directory.clone());
    assert_eq!(live.by_ref().take(3_000).count(), 3_000);
    let world = World::new(directory).await;
    let mirror = world.mirror("app").await;
    world.fill(&[&mirror]).await;
    // From here on one event of three is lost.
    for (number, message) in live.by_ref().enumerate() {
        if number % 3 != 0 {
            world.append(crate::live::event(&message)).await;
        }
    }
    mirror.drain(&world.store).await;
    assert!(!drift(live.truth(), &mirror.tables().await).is_empty());
    let at_most = Some(Repair { delete_at_most: Some(1_000) });
    let mended = world.reconcile(&mirror, &[], at_most).await;
    assert!(mended.is_whole() && mended.left() == 0, "{mended:?}");
    let differences = drift(live.truth(), &mirror.tables().await);
    assert!(differences.is_empty(), "{} as {:?}", differences.len(), differences[0]);
}
