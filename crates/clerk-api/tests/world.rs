//! The simulated world goes on while it is read.

use std::collections::BTreeMap;

use clerk_api::{List, lists};
use deskbell_sim::backend_api::{Fault, LiveWorld, SharedDirectory};
use deskbell_sim::{Scenario, World};

use super::support::{assert_all, client, ids, serve};

#[tokio::test]
async fn what_the_world_has_all_the_time_is_read() {
    let directory = SharedDirectory::default();
    let mut world = LiveWorld::new(World::new(&Scenario::new(5, 12_000)), directory.clone());
    world.by_ref().take(6_000).for_each(drop);
    let lists: [&List; 3] =
        [&lists::USERS, &lists::ORGANIZATIONS, &lists::ORGANIZATION_MEMBERSHIPS];
    let before = lists.map(|list| directory.lock().ids(list.name));

    let api = serve(&directory, |_| Fault::None).await;
    let client = client(&api.url());
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for list in lists {
        let mut pages = client.pages(list.walk().page_size(40));
        while let Some(page) = pages.next().await.unwrap() {
            found.entry(list.name).or_default().extend(page.items.into_iter().map(|item| item.id));
            world.by_ref().take(40).for_each(drop);
        }
    }
    for (list, before) in lists.iter().zip(before) {
        assert!(before.len() > 100, "{}: {}", list.name, before.len());
        let truth = world.truth();
        let kept: Vec<String> =
            before.into_iter().filter(|id| truth.row(list.name, id).is_some()).collect();
        assert_all(&kept, &found[list.name], list.name);
    }
    assert_eq!(client.instance().await.unwrap().id, deskbell_sim::INSTANCE_ID);
}

#[tokio::test]
async fn what_is_read_is_what_the_truth_has() {
    let directory = SharedDirectory::default();
    let mut world = LiveWorld::new(World::new(&Scenario::new(6, 4_000)), directory.clone());
    world.by_ref().for_each(drop);
    let api = serve(&directory, |_| Fault::None).await;
    let client = client(&api.url());
    for (name, rows) in world.truth().tables() {
        let list = lists::ALL.iter().find(|list| list.name == name).unwrap();
        assert_eq!(client.count(&list.walk()).await.unwrap(), rows.len() as u64);
        let mut found = ids(&mut client.pages(list.walk())).await;
        found.sort_unstable();
        assert!(found.iter().eq(rows.keys().copied()), "{name}");
    }
    let rows: BTreeMap<_, _> = world.truth().tables().collect();
    for (&id, &row) in &rows["users"] {
        let user = directory.lock().json("users", id).unwrap();
        let user: serde_json::Value = serde_json::from_slice(&user).unwrap();
        assert_eq!(user["first_name"], row["first_name"], "{id}");
        assert_eq!(user["banned"], row["banned"], "{id}");
    }
}
