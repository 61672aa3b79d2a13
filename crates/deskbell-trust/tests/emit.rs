//! Events are made of what Clerk has, for chosen destinations alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as Atomic};

use deskbell_sim::INSTANCE_ID;
use deskbell_sim::backend_api::{Fault, sample};
use deskbell_store::deliveries::{Ordering, Registration, StartFrom};
use deskbell_store::{Origin, ReadLimit, Seq};
use deskbell_trust::{
    BackfillProgress, BackfillRequest, BackfillSource, EmitRequest, RunError, TrustService,
    WalkState, WalkStatus, emission_name,
};

use crate::support::{START_MS, World, filled};

async fn register(world: &World, name: &str) {
    let (name, from) = (name.to_owned(), StartFrom::Beginning);
    world.store.register(&Registration { name, from, ordering: Ordering::None }).await.unwrap();
}

fn source(world: &World, instance_id: &str) -> BackfillSource {
    BackfillSource {
        name: "clerk".to_owned(),
        client: world.client(),
        on_demand: world.client(),
        refetching: world.client(),
        instance_id: Some(instance_id.to_owned()),
        is_auto: false,
    }
}

async fn emit_with(
    world: &World,
    instance_id: &str,
    destinations: &[&str],
) -> Result<WalkState, RunError> {
    let sources = vec![source(world, instance_id)];
    let service = TrustService::new(Arc::clone(&world.store), sources, Vec::new(), None);
    let progress = BackfillProgress::load(&*world.store).await.unwrap();
    let emit = EmitRequest {
        event_type: "user.created".to_owned(),
        sources: vec!["clerk".to_owned()],
        destinations: destinations.iter().map(|&name| name.to_owned()).collect(),
    };
    let request = BackfillRequest { emit: Some(emit), ..BackfillRequest::default() };
    service.run_request(&request, &progress).await?;
    let state = progress.subscribe().borrow().clone();
    let name = emission_name("clerk", "user.created");
    Ok(state.mirrors[destinations[destinations.len() - 1]][&name].clone())
}

async fn emit(world: &World, destinations: &[&str]) -> WalkState {
    emit_with(world, INSTANCE_ID, destinations).await.unwrap()
}

async fn pending(world: &World, name: &str) -> u64 {
    let backlogs = world.store.backlogs().await.unwrap();
    backlogs.iter().find(|one| *one.destination == *name).map_or(0, |one| one.pending)
}

#[tokio::test]
async fn every_object_becomes_an_event_of_the_chosen_destinations_once() {
    let directory = filled(&["users"], 1_100);
    let world = World::new(directory.clone()).await;
    for name in ["crm", "other", "late"] {
        register(&world, name).await;
    }
    let walk = emit(&world, &["crm"]).await;
    assert_eq!((walk.status, walk.read, walk.rows_written), (WalkStatus::Done, 1_100, 1_100));
    let limit = ReadLimit { events_max: 10_000, bytes_max: usize::MAX };
    let events = world.store.read(Seq::ZERO, limit).await.unwrap();
    assert_eq!(events.len(), 1_100);
    assert!(events.iter().all(|event| event.origin == Origin::Backfill));
    let oldest = &events[0];
    let body: serde_json::Value = serde_json::from_slice(&oldest.payload).unwrap();
    assert_eq!((&body["origin"], &body["type"]), (&"backfill".into(), &"user.created".into()));
    assert_eq!(body["instance_id"], INSTANCE_ID);
    assert_eq!(oldest.subject.as_deref(), body["data"]["id"].as_str());
    assert_eq!(body["data"]["created_at"], oldest.occurred_at_ms, "when the user was created");
    assert!(events.is_sorted_by_key(|event| event.occurred_at_ms), "the oldest first");
    assert_eq!((pending(&world, "crm").await, pending(&world, "other").await), (1_100, 0));
    // Again: only who is new, and only the destination that never had it.
    directory.lock().insert("users", &sample("users", 7_777, START_MS + 9_000));
    assert_eq!(emit(&world, &["crm"]).await.rows_written, 1);
    assert_eq!(emit(&world, &["crm", "late"]).await.rows_written, 1_101);
    assert_eq!((pending(&world, "crm").await, pending(&world, "late").await), (1_101, 1_101));
    assert_eq!(world.store.head().await.unwrap(), Seq::new(1_101));
    assert!(world.store.replay_requests(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn it_goes_on_where_it_was_cut() {
    static IS_CUT: AtomicBool = AtomicBool::new(true);
    let plan = |request: &deskbell_sim::backend_api::ApiRequest| match request
        .query
        .contains("starting_after")
        && IS_CUT.load(Atomic::Relaxed)
    {
        true => Fault::Status(500),
        false => Fault::None,
    };
    let world = World::with(filled(&["users"], 1_100), plan).await;
    register(&world, "crm").await;
    let cut = emit(&world, &["crm"]).await;
    assert_eq!((cut.status, cut.read), (WalkStatus::Failed, 500));
    assert!(cut.error.unwrap().contains("500"));
    IS_CUT.store(false, Atomic::Relaxed);
    let before = world.api.requests();
    let whole = emit(&world, &["crm"]).await;
    assert_eq!((whole.status, whole.read), (WalkStatus::Done, 1_100));
    // Whose key it is, and the two pages that were left.
    assert_eq!(world.api.requests() - before, 3);
    assert_eq!(pending(&world, "crm").await, 1_100);
}

#[tokio::test]
async fn a_key_of_another_instance_and_an_unknown_destination_make_nothing() {
    let world = World::new(filled(&["users"], 3)).await;
    register(&world, "crm").await;
    let refused = emit_with(&world, "ins_another", &["crm"]).await;
    assert!(matches!(refused, Err(RunError::Key(_))), "{refused:?}");
    let refused = emit_with(&world, INSTANCE_ID, &["crm", "not_started"]).await;
    assert!(matches!(refused, Err(RunError::NoDestination { .. })), "{refused:?}");
    assert_eq!(world.store.head().await.unwrap(), Seq::ZERO);
}
