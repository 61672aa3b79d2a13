//! One object by its id, the instance, and counts.

use clerk_api::{GetError, IDS_MAX, lists};
use deskbell_sim::backend_api::{Fault, SharedDirectory, sample};

use super::support::{START_MS, client, filled, serve};

#[tokio::test]
async fn an_object_is_read_by_its_id() {
    let directory = SharedDirectory::default();
    for list in lists::ALL {
        directory.lock().insert(list.name, &sample(list.name, 7, START_MS));
    }
    let api = serve(&directory, |_| Fault::None).await;
    let client = client(&api.url());
    let mut singles = 0;
    for list in lists::ALL {
        let Some(single) = list.single else { continue };
        let id = directory.lock().ids(list.name)[0].clone();
        let found = client.get(single, &id).await.unwrap().unwrap();
        assert_eq!(found.item.id, id);
        let expected = directory.lock().json(list.name, &id).unwrap();
        assert_eq!(found.item.raw.get().as_bytes(), expected, "with its `members_count`");
        assert!(found.answered_at.is_some());
        assert!(client.get(single, "nobody_1").await.unwrap().is_none());
        singles += 1;
    }
    assert_eq!(singles, 5);
    let by_slug = client.get(&lists::ORGANIZATION, "acme-7").await.unwrap().unwrap();
    assert_eq!(by_slug.item.id, "org_00000007");
}

#[tokio::test]
async fn a_hundred_are_read_by_their_ids_in_one_request() {
    for (path, list, name) in [
        (&lists::USERS_BY_ID, &lists::USERS, "user"),
        (&lists::ORGANIZATIONS_BY_ID, &lists::ORGANIZATIONS, "org"),
    ] {
        let directory = filled(list.name, 300);
        let api = serve(&directory, |_| Fault::None).await;
        let client = client(&api.url());
        let ids: Vec<_> = (0..IDS_MAX - 2).map(|number| format!("{name}_{number:08}")).collect();
        let mut asked: Vec<_> = ids.iter().map(String::as_str).collect();
        asked.extend(["nobody_1", "nobody_2"]);
        let many = client.get_many(path, &asked).await.unwrap();
        let mut found: Vec<_> = many.items.iter().map(|item| item.id.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, ids, "and nobody else");
        assert!(many.answered_at.is_some());
        let json = many.items[0].raw.get().as_bytes();
        let expected = directory.lock().json(list.name, &many.items[0].id).unwrap();
        assert_eq!(json, expected, "with its `members_count`");
        assert!(client.get_many(path, &["nobody_1"]).await.unwrap().items.is_empty());
        assert_eq!(api.requests(), 2);
        let error = client.get_many(path, &["a/b"]).await.unwrap_err();
        assert!(matches!(error, GetError::Id(_)), "{error}");
    }
}

#[tokio::test]
async fn the_subscription_is_that_of_the_payer() {
    let directory = SharedDirectory::default();
    for (number, payer) in [(1, "user_1"), (2, "org_2")] {
        let subscription = sample("subscriptions", number, START_MS);
        directory.lock().insert_of("subscriptions", payer, &subscription);
    }
    let api = serve(&directory, |_| Fault::None).await;
    let client = client(&api.url());
    let of_user = client.get(&lists::USER_SUBSCRIPTION, "user_1").await.unwrap().unwrap();
    assert_eq!(of_user.item.id, "csub_00000001");
    let of_organization =
        client.get(&lists::ORGANIZATION_SUBSCRIPTION, "org_2").await.unwrap().unwrap();
    assert_eq!(of_organization.item.id, "csub_00000002");
    assert!(client.get(&lists::USER_SUBSCRIPTION, "user_3").await.unwrap().is_none());
}

#[tokio::test]
async fn the_memberships_of_a_user_are_read_without_those_of_others() {
    let directory = SharedDirectory::default();
    for (number, user) in [(1, "user_1"), (2, "user_2"), (3, "user_1")] {
        let membership = sample("organization_memberships", number, START_MS);
        directory.lock().insert_of("organization_memberships", user, &membership);
    }
    let api = serve(&directory, |_| Fault::None).await;
    let walk = lists::USER_ORGANIZATION_MEMBERSHIPS.walk("user_1").unwrap();
    let page = client(&api.url()).pages(walk).next().await.unwrap().unwrap();
    let ids: Vec<_> = page.items.iter().map(|item| item.id.as_str()).collect();
    assert_eq!(ids, ["orgmem_00000003", "orgmem_00000001"]);
}

#[tokio::test]
async fn an_id_that_cannot_be_one_makes_no_request() {
    let api = serve(&SharedDirectory::default(), |_| Fault::None).await;
    let client = client(&api.url());
    for id in ["", "..", "a/b", "count?limit=1"] {
        let error = client.get(&lists::USER, id).await.unwrap_err();
        assert!(matches!(error, GetError::Id(_)), "{id}: {error}");
    }
    assert_eq!(api.requests(), 0);
}

#[tokio::test]
async fn every_list_is_counted_with_the_fewest_requests() {
    for list in lists::ALL {
        let directory = filled(list.name, 1_234);
        let api = serve(&directory, |_| Fault::None).await;
        let client = client(&api.url());
        assert_eq!(client.count(&list.walk()).await.unwrap(), 1_234, "{}", list.name);
        assert_eq!(api.requests(), list.parts.len(), "{}", list.name);
    }
}

#[tokio::test]
async fn the_instance_says_whose_key_it_is() {
    let api = serve(&SharedDirectory::default(), |_| Fault::None).await;
    let instance = client(&api.url()).instance().await.unwrap();
    assert_eq!(instance.id, deskbell_sim::INSTANCE_ID);
    assert_eq!(instance.environment_type.as_deref(), Some("development"));
}
