//! What is too old is pruned, and nothing that is pending.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::work::{
    append_and_route, attempt, claim_all, dead_letter_all, delivered, destination_with,
    empty_batch, key, new_delivery, register, retry, settle, state, stored,
};
use super::{Backend, event, events};
use crate::deliveries::{DeliveryState, FilteredOut, Ordering, ROUTER, Revived, Settlement};
use crate::retention::{BlockedBy, PruneOptions, Pruned, RetentionBlocker};
use crate::{Appended, Command, NewEvent, Seq, Store};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Payloads for 10 days, events for 100, attempts for 5, commands for 30.
pub(super) fn pruning(destinations: &[&str]) -> PruneOptions {
    PruneOptions {
        payloads: 10 * DAY,
        events: 100 * DAY,
        attempts: 5 * DAY,
        commands: 30 * DAY,
        one_time_codes: DAY,
        destinations: destinations.iter().map(|name| (*name).to_owned()).collect(),
        external_checkpoint: None,
        rows_max: 500,
    }
}

async fn prune(store: &dyn Store, destinations: &[&str]) -> Pruned {
    store.prune(&pruning(destinations)).await.unwrap()
}

/// Which of the first events still say something; `None` for one that is gone.
async fn payloads(store: &dyn Store, ids: &[&str]) -> Vec<Option<bool>> {
    let mut there = Vec::new();
    for id in ids {
        let found = store.find("clerk", id).await.unwrap();
        there.push(found.map(|event| !event.is_pruned()));
    }
    there
}

async fn deliver_all(store: &dyn Store, destination: &str) {
    let (_, claimed) = claim_all(store, destination).await;
    let settlements: Vec<_> = claimed.iter().map(delivered).collect();
    settle(store, destination, &settlements).await;
}

pub async fn an_old_payload_goes_and_its_event_stays(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&[event("old")]).await.unwrap();
    backend.advance(9 * DAY);
    store.append(&[event("new")]).await.unwrap();
    assert_eq!(prune(&*store, &[]).await, Pruned::default(), "nothing is old enough");
    backend.advance(DAY + HOUR);
    let before = stored(&*store, 1).await;
    assert_eq!(prune(&*store, &[]).await, Pruned { payloads: 1, ..Pruned::default() });
    assert_eq!(payloads(&*store, &["old", "new"]).await, [Some(false), Some(true)]);
    let after = stored(&*store, 1).await;
    let mut refilled = after;
    refilled.payload = before.payload.clone();
    assert_eq!(refilled, before);
    assert_eq!(store.append(&[event("old")]).await.unwrap(), [Appended::Duplicate(Seq::new(1))]);
    assert_eq!(prune(&*store, &[]).await, Pruned::default(), "it is done");
}

pub async fn an_old_event_goes_with_all_that_belongs_to_it(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    deliver_all(&*store, "hook").await;
    store.append(&[event("hook_0"), event("unwanted")]).await.unwrap();
    let why = FilteredOut { destination: "hook".into(), reason: "no plan".to_owned() };
    let mut batch = empty_batch(&*store, &["hook"], Seq::new(2)).await;
    batch.filtered_out = vec![(Seq::new(3), vec![why])];
    store.route(&batch).await.unwrap();
    store.revive_requested(batch.token, 10).await.unwrap();
    backend.advance(100 * DAY + HOUR);
    store.append(&[event("new"), event("unwanted")]).await.unwrap();
    let end = empty_batch(&*store, &["hook"], Seq::new(3)).await;
    store.route(&end).await.unwrap();
    let pruned = prune(&*store, &["hook"]).await;
    assert_eq!((pruned.events, pruned.more, pruned.blockers), (3, false, vec![]));
    let ids = ["hook_0", "hook_1", "unwanted", "new"];
    assert_eq!(payloads(&*store, &ids).await, [None, None, None, Some(true)]);
    assert_eq!(store.deliveries_of(Seq::new(1)).await.unwrap(), []);
    assert_eq!(store.filtered_out(Seq::new(3)).await.unwrap(), []);
    let absent = store.missing(&[key("hook", 1), key("hook", 2)]).await.unwrap();
    assert_eq!(absent.len(), 2, "no delivery of it is left");
    let requests = store.replay_requests(0, 10).await.unwrap();
    let seqs: Vec<_> = requests.iter().map(|request| request.seq.get()).collect();
    assert_eq!(seqs, [3], "one that was not acted on yet stays");
    assert_eq!(store.head().await.unwrap(), Seq::new(4));
    let again = store.append(&[event("hook_0")]).await.unwrap();
    assert_eq!(again, [Appended::New(Seq::new(5))], "it is not known any more");
}

pub async fn an_open_delivery_is_not_passed(backend: &dyn Backend) {
    let store = backend.create().await;
    let received_ms = store.now_ms().await.unwrap();
    destination_with(&*store, "hook", 3).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    let later = retry(&claimed[1], HOUR);
    settle(&*store, "hook", &[delivered(&claimed[0]), later, delivered(&claimed[2])]).await;
    backend.advance(101 * DAY);
    let pruned = prune(&*store, &["hook"]).await;
    let by = BlockedBy::Delivery("hook".into());
    let held = RetentionBlocker { by, seq: Seq::new(2), since_ms: received_ms };
    assert_eq!((pruned.events, pruned.blockers), (1, vec![held]));
    assert_eq!(payloads(&*store, &["hook_1", "hook_2"]).await, [Some(true), Some(true)]);
    deliver_all(&*store, "hook").await;
    let pruned = prune(&*store, &["hook"]).await;
    assert_eq!((pruned.events, pruned.blockers), (2, vec![]));
}

pub async fn a_checkpoint_is_not_passed(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    store.append(&events("a", 2)).await.unwrap();
    backend.advance(101 * DAY);
    let pruned = prune(&*store, &["hook"]).await;
    assert_eq!((pruned.events, pruned.payloads), (0, 0));
    assert_eq!(pruned.blockers[0].by, BlockedBy::Checkpoint("hook".into()));
    assert_eq!(pruned.blockers[0].seq, Seq::new(1));
    let other = prune(&*store, &["other"]).await;
    assert_eq!((other.events, other.blockers), (2, vec![]), "it is no longer delivered to");
}

pub async fn a_reader_outside_is_not_passed(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&events("a", 3)).await.unwrap();
    backend.advance(11 * DAY);
    let behind = PruneOptions { external_checkpoint: Some(Seq::new(1)), ..pruning(&[]) };
    let pruned = store.prune(&behind).await.unwrap();
    assert_eq!(pruned.payloads, 1);
    assert_eq!(pruned.blockers[0].by, BlockedBy::External);
    assert_eq!(pruned.blockers[0].seq, Seq::new(2));
    let level = PruneOptions { external_checkpoint: Some(Seq::new(3)), ..pruning(&[]) };
    let pruned = store.prune(&level).await.unwrap();
    assert_eq!((pruned.payloads, pruned.blockers), (2, vec![]));
}

pub async fn what_is_pending_for_a_former_destination_is_dead_lettered(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "gone", Ordering::Subject).await;
    append_and_route(&*store, &["gone"], &events("a", 2)).await;
    backend.advance(11 * DAY);
    append_and_route(&*store, &["gone"], &events("b", 1)).await;
    let pruned = prune(&*store, &[]).await;
    assert_eq!((pruned.payloads, pruned.dead_lettered), (2, 2));
    let DeliveryState::DeadLettered { reason, .. } = state(&*store, "gone", 1).await else {
        panic!("it is a dead letter");
    };
    assert!(reason.contains("payload was pruned"), "{reason}");
    assert_eq!(claim_all(&*store, "gone").await.0, [3], "the next of the subject may go");
}

pub async fn an_emptied_payload_is_not_pending_again(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    register(&*store, "late", Ordering::Subject).await;
    dead_letter_all(&*store, "hook", "no use").await;
    backend.advance(11 * DAY);
    assert_eq!(prune(&*store, &["hook"]).await.payloads, 1);
    assert_eq!(store.revive(&[key("hook", 1)]).await.unwrap(), 0);
    assert_eq!(store.enqueue(&[new_delivery("late", 1, "user_1")]).await.unwrap(), 0);
    store.append(&[event("hook_0")]).await.unwrap();
    let token = store.next_fencing_token(ROUTER).await.unwrap();
    let revived = store.revive_requested(token, 10).await.unwrap();
    assert_eq!(revived, Revived::Done { requests: 1, deliveries: 0 });
    assert!(matches!(state(&*store, "hook", 1).await, DeliveryState::DeadLettered { .. }));
    assert!(claim_all(&*store, "hook").await.0.is_empty());
}

pub async fn old_attempts_go_and_deliveries_stay(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[retry(&claimed[0], Duration::ZERO)]).await;
    backend.advance(3 * DAY);
    deliver_all(&*store, "hook").await;
    backend.advance(3 * DAY);
    assert_eq!(prune(&*store, &["hook"]).await, Pruned { attempts: 1, ..Pruned::default() });
    let left = store.deliveries_of(Seq::new(1)).await.unwrap().remove(0);
    assert!(matches!(left.state, DeliveryState::Delivered { .. }));
    let numbers: Vec<_> = left.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [2]);
}

pub async fn old_commands_go_when_they_are_executed(backend: &dyn Backend) {
    let store = backend.create().await;
    let open = backend.enqueue_command(&*store, &Command("open".to_owned())).await;
    let done = backend.enqueue_command(&*store, &Command("done".to_owned())).await;
    store.complete_command(done, "done").await.unwrap();
    backend.advance(29 * DAY);
    assert_eq!(prune(&*store, &[]).await, Pruned::default());
    backend.advance(2 * DAY);
    assert_eq!(prune(&*store, &[]).await, Pruned { commands: 1, ..Pruned::default() });
    assert_eq!(store.find_command(done).await.unwrap(), None);
    assert_eq!(store.next_command(None).await.unwrap().unwrap().id, open);
}

fn code(message_id: &str, event_type: &str) -> NewEvent {
    NewEvent { event_type: event_type.to_owned(), ..event(message_id) }
}

pub async fn one_time_codes_go_a_day_after_they_are_settled(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    let codes = [code("a", "email.created"), event("b"), code("c", "sms.created")];
    append_and_route(&*store, &["hook"], &codes).await;
    let ids = ["a", "b", "c"];
    backend.advance(2 * DAY);
    assert_eq!(prune(&*store, &["hook"]).await.payloads, 0, "their deliveries are open");
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[delivered(&claimed[0]), delivered(&claimed[1])]).await;
    let attempt = Some(attempt(None, Some("no connection")));
    let give_up = crate::deliveries::Verdict::DeadLetter("no use".to_owned());
    let given_up = Settlement { claim: claimed[2].claim, attempt, verdict: give_up };
    settle(&*store, "hook", &[given_up]).await;
    backend.advance(DAY - HOUR);
    assert_eq!(prune(&*store, &["hook"]).await.payloads, 0, "a day has not passed");
    backend.advance(2 * HOUR);
    let behind = PruneOptions { external_checkpoint: Some(Seq::new(2)), ..pruning(&["hook"]) };
    assert_eq!(store.prune(&behind).await.unwrap().payloads, 1, "the reader has not had the other");
    assert_eq!(payloads(&*store, &ids).await, [Some(false), Some(true), Some(true)]);
    assert_eq!(prune(&*store, &["hook"]).await.payloads, 1);
    assert_eq!(payloads(&*store, &ids).await, [Some(false), Some(true), Some(false)]);
}

pub async fn one_time_codes_that_nobody_wanted_go_after_a_day(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    store.append(&[code("a", "email.created")]).await.unwrap();
    backend.advance(DAY + HOUR);
    assert_eq!(prune(&*store, &["hook"]).await.payloads, 0, "the router has not come to it");
    let batch = empty_batch(&*store, &["hook"], Seq::ZERO).await;
    store.route(&batch).await.unwrap();
    store.append(&[code("b", "email.created")]).await.unwrap();
    assert_eq!(prune(&*store, &["hook"]).await.payloads, 1);
    assert_eq!(payloads(&*store, &["a", "b"]).await, [Some(false), Some(true)]);
}

pub async fn a_batch_has_an_end(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 5).await;
    deliver_all(&*store, "hook").await;
    backend.advance(101 * DAY);
    store.append(&events("b", 5)).await.unwrap();
    let end = empty_batch(&*store, &["hook"], Seq::new(5)).await;
    store.route(&end).await.unwrap();
    backend.advance(11 * DAY);
    let few = PruneOptions { rows_max: 2, ..pruning(&["hook"]) };
    let mut done = Vec::new();
    loop {
        let pruned = store.prune(&few).await.unwrap();
        done.push((pruned.events, pruned.payloads));
        if !pruned.more {
            break;
        }
        assert!(done.len() < 20, "{done:?}");
    }
    assert!(done.iter().all(|(events, payloads)| events + payloads <= 2), "{done:?}");
    let events: u64 = done.iter().map(|(events, _)| events).sum();
    let payloads: u64 = done.iter().map(|(_, payloads)| payloads).sum();
    assert_eq!((events, payloads), (5, 5));
}
