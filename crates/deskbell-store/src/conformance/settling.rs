//! What became of a delivery is written down once, by the one that has it.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::Backend;
use super::work::{
    LEASE, attempt, claim_all, dead_letter_all, dead_lettered, delivered, destination_with, key,
    retry, settle, state,
};
use crate::Seq;
use crate::deliveries::{AttemptRecord, DeliveryState, REPLY_BYTES_MAX, Settlement, Verdict};

const NONE: [i64; 0] = [];

pub async fn delivered_is_done(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[delivered(&claimed[0])]).await;
    let at_ms = store.now_ms().await.unwrap();
    backend.advance(LEASE);
    assert_eq!(claim_all(&*store, "hook").await.0, [2]);
    assert_eq!(state(&*store, "hook", 1).await, DeliveryState::Delivered { at_ms });
}

pub async fn a_retry_waits_its_time(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    let start_ms = store.now_ms().await.unwrap();
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[retry(&claimed[0], Duration::from_secs(5))]).await;
    backend.advance(Duration::from_millis(4_999));
    assert_eq!(claim_all(&*store, "hook").await.0, NONE);
    let due_at_ms = Some(start_ms + 5_000);
    assert_eq!(state(&*store, "hook", 1).await, DeliveryState::Pending { due_at_ms });
    backend.advance(Duration::from_millis(1));
    let (_, again) = claim_all(&*store, "hook").await;
    assert_eq!(again[0].attempts, 1);
    assert_eq!(again[0].first_attempt_ago, Some(Duration::from_secs(6)), "it took a second");
    settle(&*store, "hook", &[retry(&again[0], Duration::from_secs(5))]).await;
    backend.advance(Duration::from_secs(5));
    let (_, third) = claim_all(&*store, "hook").await;
    assert_eq!(third[0].attempts, 2);
    assert_eq!(third[0].first_attempt_ago, Some(Duration::from_secs(11)), "of the first one");
}

pub async fn a_late_settlement_is_left_alone(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    let (_, late) = claim_all(&*store, "hook").await;
    backend.advance(LEASE);
    let (_, claimed) = claim_all(&*store, "hook").await;
    let lost = [delivered(&late[0]), dead_lettered(&late[1], "too late")];
    assert_eq!(store.settle("hook", &lost).await.unwrap(), 2);
    assert!(matches!(state(&*store, "hook", 1).await, DeliveryState::Pending { .. }));
    assert_eq!(store.deliveries_of(Seq::new(1)).await.unwrap()[0].attempts, []);
    settle(&*store, "hook", &[delivered(&claimed[0]), delivered(&claimed[1])]).await;
}

pub async fn a_late_settlement_counts_where_nobody_asked(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    backend.advance(LEASE);
    settle(&*store, "hook", &[delivered(&claimed[0])]).await;
    assert_eq!(claim_all(&*store, "hook").await.0, NONE);
}

pub async fn a_claim_is_settled_once(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    let twice = [retry(&claimed[0], Duration::ZERO), delivered(&claimed[0])];
    assert_eq!(store.settle("hook", &twice).await.unwrap(), 1, "the first one counts");
    assert_eq!(store.settle("hook", &twice).await.unwrap(), 2);
    assert_eq!(claim_all(&*store, "hook").await.0, [1]);
}

pub async fn attempts_are_kept(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    let made = AttemptRecord {
        ago: Duration::from_millis(1_500),
        duration: Duration::from_millis(1_234),
        status: Some(503),
        error: Some("status 503".to_owned()),
        reply: [0, 255, b'x'].as_slice().into(),
    };
    let (_, claimed) = claim_all(&*store, "hook").await;
    let verdict = Verdict::Retry(Duration::ZERO);
    let first = Settlement { claim: claimed[0].claim, attempt: Some(made.clone()), verdict };
    settle(&*store, "hook", &[first]).await;
    dead_letter_all(&*store, "hook", "it has gone on for too long").await;
    assert_eq!(store.revive(&[key("hook", 1)]).await.unwrap(), 1);
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[delivered(&claimed[0])]).await;

    let summary = store.deliveries_of(Seq::new(1)).await.unwrap().remove(0);
    assert_eq!(summary.key, key("hook", 1));
    let numbers: Vec<_> = summary.attempts.iter().map(|made| (made.number, made.status)).collect();
    assert_eq!(numbers, [(1, Some(503)), (2, None), (3, Some(200))]);
    let kept = &summary.attempts[0];
    assert_eq!(kept.started_at_ms, store.now_ms().await.unwrap() - 1_500);
    assert_eq!((kept.duration_ms, &kept.error, &kept.reply), (1_234, &made.error, &made.reply));
    assert_eq!((&summary.attempts[2].error, summary.attempts[2].reply.len()), (&None, 0));
}

pub async fn long_replies_are_cut(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    let settlements: Vec<_> = claimed
        .iter()
        .zip([b'a', b'b'])
        .map(|(claimed, letter)| {
            let reply = vec![letter; REPLY_BYTES_MAX + 1].into();
            let attempt = Some(AttemptRecord { reply, ..attempt(Some(200), None) });
            Settlement { attempt, ..delivered(claimed) }
        })
        .collect();
    settle(&*store, "hook", &settlements).await;
    for (seq, letter) in [(1, b'a'), (2, b'b')] {
        let summary = store.deliveries_of(Seq::new(seq)).await.unwrap().remove(0);
        assert!(summary.attempts[0].reply == vec![letter; REPLY_BYTES_MAX]);
    }
}

pub async fn given_back_without_an_attempt(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    let waits = Settlement { attempt: None, ..retry(&claimed[0], Duration::from_secs(5)) };
    let expired = Settlement { attempt: None, ..dead_lettered(&claimed[1], "it has expired") };
    settle(&*store, "hook", &[waits, expired]).await;
    backend.advance(Duration::from_secs(5));
    let (seqs, again) = claim_all(&*store, "hook").await;
    assert_eq!((seqs, again[0].attempts, again[0].first_attempt_ago), (vec![1], 0, None));
    let expired = store.deliveries_of(Seq::new(2)).await.unwrap().remove(0);
    assert_eq!(expired.attempts, []);
    assert!(
        matches!(expired.state, DeliveryState::DeadLettered { reason, .. } if reason == "it has expired")
    );
}

pub async fn a_large_batch_of_every_kind(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 999).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    let settlements: Vec<_> = claimed
        .iter()
        .map(|claimed| match claimed.claim.seq.get() % 3 {
            0 => delivered(claimed),
            1 => retry(claimed, Duration::ZERO),
            _ => dead_lettered(claimed, "no use"),
        })
        .collect();
    settle(&*store, "hook", &settlements).await;
    let backlog = store.backlogs().await.unwrap().remove(0);
    assert_eq!((backlog.pending, backlog.dead_lettered), (333, 333));
    assert!(claim_all(&*store, "hook").await.0.iter().all(|seq| seq % 3 == 1));
    assert!(matches!(state(&*store, "hook", 3).await, DeliveryState::Delivered { .. }));
}
