//! What is stored about a user is erased once the user is deleted and everybody has read it.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::work::{
    append_and_route, claim_all, dead_letter_all, delivered, empty_batch, register, retry, settle,
    state,
};
use super::{Backend, event};
use crate::deliveries::{DeliveryState, FilteredOut, Ordering};
use crate::retention::{DeletedUser, Erasable, EraseOptions, Erased};
use crate::{Appended, NewEvent, Origin, Seq, Store, StoredEvent};

const ADDRESS: &str = "ada@example.com";

fn erasing(destinations: &[&str]) -> EraseOptions {
    EraseOptions {
        destinations: destinations.iter().map(|name| (*name).to_owned()).collect(),
        external_checkpoint: None,
        rows_max: 100,
    }
}

/// An event with this message id and type, about this subject, with this as its data.
fn about(id: &str, event_type: &str, subject: &str, data: &str) -> NewEvent {
    NewEvent {
        event_type: event_type.to_owned(),
        subject: Some(subject.to_owned()),
        payload: format!(r#"{{"type":"{event_type}","data":{data}}}"#).into(),
        ..event(id)
    }
}

fn created(id: &str, user: &str, address: &str) -> NewEvent {
    let data = format!(r#"{{"id":"{user}","email_addresses":[{{"email_address":"{address}"}}]}}"#);
    about(id, "user.created", user, &data)
}

fn gone(id: &str, user: &str) -> NewEvent {
    about(id, "user.deleted", user, &format!(r#"{{"id":"{user}","deleted":true}}"#))
}

async fn users(store: &dyn Store, erasing: &EraseOptions) -> Vec<String> {
    let erasable = store.erasable(erasing).await.unwrap();
    erasable.into_iter().map(|one| one.user.user_id).collect()
}

/// The user, as the source and the instance of [`event`] know them.
fn who(user: &str) -> DeletedUser {
    let (source, instance_id) = ("clerk".to_owned(), Some("ins_1".to_owned()));
    DeletedUser { user_id: user.to_owned(), source, instance_id }
}

/// The messages whose payload has been emptied.
async fn emptied(store: &dyn Store) -> Vec<String> {
    let events = store.read(Seq::ZERO, crate::ReadLimit::default()).await.unwrap();
    events.into_iter().filter(StoredEvent::is_pruned).map(|one| one.event.message_id).collect()
}

/// Whoever has a token makes messages of any type; it does not delete a user.
pub async fn only_what_the_sender_has_erases(backend: &dyn Backend) {
    let store = backend.create_indexing_user_refs().await;
    for origin in [Origin::Api, Origin::Example, Origin::Backfill] {
        let made = NewEvent { origin, ..gone(origin.as_str(), "user_ada") };
        store.append(&[created(&format!("{origin:?}"), "user_ada", ADDRESS), made]).await.unwrap();
        assert_eq!(users(&*store, &erasing(&[])).await, [""; 0], "{origin:?}");
    }
    let fetched = NewEvent { origin: Origin::SenderRecord, ..gone("fetched", "user_ada") };
    store.append(&[fetched]).await.unwrap();
    assert_eq!(users(&*store, &erasing(&[])).await, ["user_ada"]);
}

pub async fn what_is_stored_about_a_deleted_user_is_erased(backend: &dyn Backend) {
    let store = backend.create_indexing_user_refs().await;
    register(&*store, "hook", Ordering::None).await;
    let events = [
        created("created", "user_ada", "Ada@Example.com"),
        about(
            "member",
            "organizationMembership.created",
            "orgmem_1",
            r#"{"public_user_data":{"user_id":"user_ada"}}"#,
        ),
        about(
            "invited",
            "invitation.created",
            "inv_1",
            &format!(r#"{{"email_address":"{ADDRESS}"}}"#),
        ),
        gone("gone", "user_ada"),
    ];
    append_and_route(&*store, &["hook"], &events).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    let mut replied = delivered(&claimed[0]);
    replied.attempt.as_mut().unwrap().reply = ADDRESS.into();
    settle(&*store, "hook", &[replied, retry(&claimed[1], Duration::ZERO)]).await;
    let (seqs, _) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, [2]);
    backend.advance(super::work::LEASE);
    dead_letter_all(&*store, "hook", &format!("{ADDRESS} was refused")).await;
    let mut batch = empty_batch(&*store, &["hook"], Seq::new(4)).await;
    let reason = format!("{ADDRESS} is not wanted");
    batch.filtered_out =
        vec![(Seq::new(3), vec![FilteredOut { destination: "hook".into(), reason }])];
    store.route(&batch).await.unwrap();
    let erasable = store.erasable(&erasing(&["hook"])).await.unwrap();
    let [Erasable { user, message_ids }] = &erasable[..] else { panic!("{erasable:?}") };
    assert_eq!(*user, who("user_ada"));
    let mut message_ids = message_ids.clone();
    message_ids.sort();
    assert_eq!(message_ids, ["created", "gone", "invited", "member"]);
    let erased = store.erase(&erasing(&["hook"]), &who("user_ada")).await.unwrap();
    assert_eq!(erased, Erased { events: 4, more: false });
    assert_eq!(emptied(&*store).await, ["created", "member", "invited", "gone"]);
    for seq in 1..=4 {
        for delivery in store.deliveries_of(Seq::new(seq)).await.unwrap() {
            assert!(!format!("{:?}", delivery.state).contains(ADDRESS), "{delivery:?}");
            for attempt in delivery.attempts {
                assert!(attempt.reply.is_empty(), "{attempt:?}");
            }
        }
    }
    let DeliveryState::DeadLettered { reason, .. } = state(&*store, "hook", 2).await else {
        panic!("it stays a dead letter");
    };
    assert_eq!(reason, "erased");
    assert_eq!(store.filtered_out(Seq::new(3)).await.unwrap(), []);
    assert_eq!(store.erasable(&erasing(&["hook"])).await.unwrap(), [], "it is done");
    let again = store.append(&[created("created", "user_ada", ADDRESS)]).await.unwrap();
    assert_eq!(again, [Appended::Duplicate(Seq::new(1))], "it is known");
    assert_eq!(emptied(&*store).await.len(), 4);
}

pub async fn others_stay(backend: &dyn Backend) {
    let store = backend.create_indexing_user_refs().await;
    let events = [
        created("ada", "user_ada", ADDRESS),
        // The same address, of somebody who is still there.
        created("twin", "user_twin", ADDRESS),
        created("bob", "user_bob", "bob@example.com"),
        about("invited", "invitation.created", "inv_1", r#"{"email_address":"bob@example.com"}"#),
        gone("gone", "user_ada"),
    ];
    store.append(&events).await.unwrap();
    store.erase(&erasing(&[]), &who("user_bob")).await.unwrap();
    assert!(emptied(&*store).await.is_empty(), "nobody said that this one is gone");
    store.erase(&erasing(&[]), &who("user_ada")).await.unwrap();
    assert_eq!(emptied(&*store).await, ["ada", "gone"]);
}

pub async fn what_other_sources_and_instances_sent_stays(backend: &dyn Backend) {
    let store = backend.create_indexing_user_refs().await;
    let by = |source: &str, instance: Option<&str>, event: NewEvent| NewEvent {
        source: source.into(),
        instance_id: instance.map(str::to_owned),
        ..event
    };
    let invited = |id: &str| {
        let data = format!(r#"{{"email_address":"{ADDRESS}"}}"#);
        about(id, "invitation.created", "inv_1", &data)
    };
    let events = [
        by("a", Some("ins_a"), created("a", "user_ada", ADDRESS)),
        by("a", Some("ins_a"), invited("a_invited")),
        by("a", None, created("a_old", "user_ada", ADDRESS)),
        by("a", Some("ins_z"), created("z", "user_ada", ADDRESS)),
        by("b", Some("ins_b"), created("b", "user_ada", ADDRESS)),
        by("b", Some("ins_b"), invited("b_invited")),
        by("b", Some("ins_b"), gone("b_gone", "user_ada")),
    ];
    store.append(&events).await.unwrap();
    let erasable = store.erasable(&erasing(&[])).await.unwrap();
    let [Erasable { user: by_b, message_ids }] = &erasable[..] else { panic!("{erasable:?}") };
    assert_eq!((&*by_b.source, by_b.instance_id.as_deref()), ("b", Some("ins_b")));
    assert_eq!(message_ids.len(), 3, "{message_ids:?}");
    for (source, instance) in [("a", Some("ins_a")), ("a", None), ("b", None), ("b", Some("z"))] {
        let instance_id = instance.map(str::to_owned);
        let other =
            DeletedUser { user_id: "user_ada".to_owned(), source: source.to_owned(), instance_id };
        let erased = store.erase(&erasing(&[]), &other).await.unwrap();
        assert_eq!(erased, Erased::default(), "{other:?} was not deleted");
    }
    store.erase(&erasing(&[]), by_b).await.unwrap();
    assert_eq!(emptied(&*store).await, ["b", "b_invited", "b_gone"]);
    assert_eq!(store.erasable(&erasing(&[])).await.unwrap(), [], "no other one is gone");

    store.append(&[by("a", Some("ins_a"), gone("a_gone", "user_ada"))]).await.unwrap();
    let erasable = store.erasable(&erasing(&[])).await.unwrap();
    let [Erasable { user: by_a, .. }] = &erasable[..] else { panic!("{erasable:?}") };
    store.erase(&erasing(&[]), by_a).await.unwrap();
    let all_but_z = ["a", "a_invited", "a_old", "b", "b_invited", "b_gone", "a_gone"];
    assert_eq!(emptied(&*store).await, all_but_z);
}

pub async fn a_delete_without_an_instance_is_one_of_the_source(backend: &dyn Backend) {
    let store = backend.create_indexing_user_refs().await;
    let gone = NewEvent { instance_id: None, ..gone("gone", "user_ada") };
    store.append(&[created("ada", "user_ada", ADDRESS), gone]).await.unwrap();
    let erasable = store.erasable(&erasing(&[])).await.unwrap();
    let [Erasable { user, .. }] = &erasable[..] else { panic!("{erasable:?}") };
    assert_eq!(user.instance_id, None);
    store.erase(&erasing(&[]), user).await.unwrap();
    assert_eq!(emptied(&*store).await, ["ada", "gone"]);
}

pub async fn an_open_delivery_is_waited_for(backend: &dyn Backend) {
    let store = backend.create_indexing_user_refs().await;
    register(&*store, "hook", Ordering::None).await;
    append_and_route(
        &*store,
        &["hook"],
        &[created("ada", "user_ada", ADDRESS), gone("gone", "user_ada")],
    )
    .await;
    assert!(users(&*store, &erasing(&["hook"])).await.is_empty());
    let erased = store.erase(&erasing(&["hook"]), &who("user_ada")).await.unwrap();
    assert_eq!(erased, Erased::default());
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[delivered(&claimed[0]), delivered(&claimed[1])]).await;
    assert_eq!(users(&*store, &erasing(&["hook"])).await, ["user_ada"]);
}

pub async fn readers_are_waited_for(backend: &dyn Backend) {
    let store = backend.create_indexing_user_refs().await;
    register(&*store, "hook", Ordering::None).await;
    store.append(&[created("ada", "user_ada", ADDRESS), gone("gone", "user_ada")]).await.unwrap();
    assert!(users(&*store, &erasing(&["hook"])).await.is_empty(), "the router has not come to it");
    assert_eq!(users(&*store, &erasing(&[])).await, ["user_ada"]);
    let behind = EraseOptions { external_checkpoint: Some(Seq::new(1)), ..erasing(&[]) };
    assert!(users(&*store, &behind).await.is_empty(), "the mirror does not know of the end");
    let level = EraseOptions { external_checkpoint: Some(Seq::new(2)), ..erasing(&[]) };
    assert_eq!(users(&*store, &level).await, ["user_ada"]);
}

pub async fn what_comes_late_is_erased_too(backend: &dyn Backend) {
    let store = backend.create_indexing_user_refs().await;
    store.append(&[created("ada", "user_ada", ADDRESS), gone("gone", "user_ada")]).await.unwrap();
    store.erase(&erasing(&[]), &who("user_ada")).await.unwrap();
    let late = about("late", "session.ended", "sess_1", r#"{"user_id":"user_ada"}"#);
    store.append(&[late]).await.unwrap();
    assert_eq!(users(&*store, &erasing(&[])).await, ["user_ada"]);
    store.erase(&erasing(&[]), &who("user_ada")).await.unwrap();
    assert_eq!(emptied(&*store).await, ["ada", "gone", "late"]);
}

pub async fn much_is_erased_in_pieces(backend: &dyn Backend) {
    let store = backend.create_indexing_user_refs().await;
    let invited = about(
        "invited",
        "invitation.created",
        "inv_1",
        &format!(r#"{{"email_address":"{ADDRESS}"}}"#),
    );
    store.append(&[created("ada", "user_ada", ADDRESS), invited]).await.unwrap();
    store.append(&[gone("gone", "user_ada")]).await.unwrap();
    let few = EraseOptions { rows_max: 1, ..erasing(&[]) };
    for left in [2, 1, 0] {
        let erased = store.erase(&few, &who("user_ada")).await.unwrap();
        assert_eq!(erased, Erased { events: 1, more: left > 0 });
    }
    assert_eq!(emptied(&*store).await.len(), 3, "also what only the address led to");
    assert!(store.scrub().await.unwrap());
}

pub async fn without_the_index_nobody_is_erased(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&[created("ada", "user_ada", ADDRESS), gone("gone", "user_ada")]).await.unwrap();
    assert!(users(&*store, &erasing(&[])).await.is_empty());
    assert_eq!(store.erase(&erasing(&[]), &who("user_ada")).await.unwrap(), Erased::default());
    assert!(emptied(&*store).await.is_empty());
}
