//! Alerts about mirrors that wait for their database, are blocked, or have dead letters.

use std::collections::BTreeMap;

use deskbell_delivery::{in_words, shown_time};
use deskbell_sync::status::{BlockedPart, Failure, MirrorState, MirrorStatus};

use super::condition::{
    AlertTarget, Condition, ConditionKind, Counter, Observation, Persisting, plural,
};

/// The step of a condition that has no further one.
const ONLY_STEP: u32 = 1;
/// How many of the blocked tables and statements are named.
const PARTS_MAX: usize = 5;

/// `status` is `None` for a mirror that no process runs: nothing is known of it then.
pub(super) fn observe(
    name: &str,
    status: Option<&MirrorStatus>,
    after_ms: i64,
    now_ms: i64,
) -> [(String, Observation); 3] {
    let [state, rows, dead_letters] = match status {
        None => [Observation::Unknown, Observation::Unknown, Observation::Unknown],
        Some(status) => [
            Observation::State(condition(name, status, after_ms, now_ms)),
            Observation::Persisting(waiting_rows(name, status.waiting_rows, after_ms)),
            Observation::Counter(count_dead_letters(name, status.dead_letters)),
        ],
    };
    [
        (format!("mirror/{name}"), state),
        (format!("mirror_rows/{name}"), rows),
        (format!("mirror_dead_letters/{name}"), dead_letters),
    ]
}

fn condition(name: &str, status: &MirrorStatus, after_ms: i64, now_ms: i64) -> Option<Condition> {
    let is_long = |since_ms: &i64| now_ms.saturating_sub(*since_ms) >= after_ms;
    match &status.state {
        MirrorState::Following | MirrorState::Behind => None,
        MirrorState::Waiting(failure) => {
            is_long(&failure.since_ms).then(|| away(name, status, failure, now_ms))
        }
        MirrorState::Blocked(parts) => {
            // A part without a time was blocked by a release that did not record it: long ago.
            let since_ms = parts.iter().map(|part| part.since_ms.unwrap_or(0)).min()?;
            is_long(&since_ms).then(|| blocked(name, status, parts, since_ms))
        }
    }
}

fn away(name: &str, status: &MirrorStatus, failure: &Failure, now_ms: i64) -> Condition {
    let (its, the) = match failure.is_of_clerk {
        true => ("Clerk's Backend API", "Clerk's Backend API can be read"),
        false => ("its database", "the database is available"),
    };
    Condition {
        kind: ConditionKind::MirrorAway,
        target: AlertTarget::Destination(name.to_owned()),
        since_ms: failure.since_ms,
        step: ONLY_STEP,
        subject: format!(
            "{name}: the mirror has been waiting for {its} for {}",
            in_words(now_ms - failure.since_ms)
        ),
        text: format!(
            "The mirror {name} has not been able to continue since {}: {failure}. {} waiting. \
             Events are kept in the event log and applied when {the} again.",
            shown_time(failure.since_ms),
            plural(status.lag_events, "event is", "events are"),
        ),
        counts: lag(status),
    }
}

fn blocked(name: &str, status: &MirrorStatus, parts: &[BlockedPart], since_ms: i64) -> Condition {
    let named = parts.iter().take(PARTS_MAX).map(|part| format!("{}: {}", part.name, part.reason));
    let mut named = named.collect::<Vec<_>>().join("; ");
    if let Some(more) = parts.len().checked_sub(PARTS_MAX).filter(|more| *more > 0) {
        named = format!("{named}; and {more} more");
    }
    let number = u64::try_from(parts.len()).unwrap_or(u64::MAX);
    let mut counts = lag(status);
    counts.insert("blocked".to_owned(), number);
    Condition {
        kind: ConditionKind::MirrorBlocked,
        target: AlertTarget::Destination(name.to_owned()),
        since_ms,
        step: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        subject: format!(
            "{name}: the database rejects {}",
            plural(number, "table or statement", "tables or statements")
        ),
        text: format!(
            "The database of the mirror {name} rejects every row of these; everything else is \
             applied. {named}. Events are kept and applied when the database accepts them."
        ),
        counts,
    }
}

fn lag(status: &MirrorStatus) -> BTreeMap<String, u64> {
    BTreeMap::from([("lag_events".to_owned(), status.lag_events)])
}

/// Rows and deletes that the database refuses for now and that are retried.
fn waiting_rows(name: &str, rows: u64, after_ms: i64) -> Option<Persisting> {
    let name = name.to_owned();
    let condition = move |since_ms| Condition {
        kind: ConditionKind::MirrorStuck,
        target: AlertTarget::Destination(name.clone()),
        since_ms,
        step: ONLY_STEP,
        subject: format!("{name}: {} rejected for now", plural(rows, "row is", "rows are")),
        text: format!(
            "The database of the mirror {name} has rejected rows or deletes since {}; Deskbell \
             retries them: {} now. To see which and why, run: deskbell dead-letters list {name}",
            shown_time(since_ms),
            plural(rows, "waits", "wait"),
        ),
        counts: BTreeMap::from([("waiting_rows".to_owned(), rows)]),
    };
    (rows > 0).then(|| Persisting { after_ms, condition: Box::new(condition) })
}

fn count_dead_letters(name: &str, count: u64) -> Counter {
    let name = name.to_owned();
    let condition = move |new, is_first, since_ms| {
        let (one, many) = match is_first {
            true => ("row or event was", "rows or events were"),
            false => ("more row or event was", "more rows or events were"),
        };
        Condition {
            kind: ConditionKind::MirrorDeadLetters,
            target: AlertTarget::Destination(name.clone()),
            since_ms,
            step: 0,
            subject: format!("{name}: {} rejected", plural(new, one, many)),
            text: format!(
                "The database of the mirror {name} rejected {}. Everything else is applied. To \
                 see why, run: deskbell dead-letters list {name}. To retry, run: deskbell \
                 dead-letters retry --all --destination {name}",
                plural(new, "row or event", "rows or events"),
            ),
            counts: BTreeMap::from([
                ("dead_letters".to_owned(), new),
                ("dead_letters_left".to_owned(), count),
            ]),
        }
    };
    Counter { count, is_left: count > 0, condition: Box::new(condition) }
}

#[cfg(test)]
mod tests {
    use deskbell_store::Seq;

    use super::*;

    const AFTER_MS: i64 = 300_000;

    fn status(state: MirrorState) -> MirrorStatus {
        MirrorStatus {
            state,
            seq: Seq::new(1),
            lag_events: 7,
            lag_seconds: 0,
            dead_letters: 0,
            waiting_rows: 0,
        }
    }

    fn waiting(since_ms: i64) -> MirrorStatus {
        let error = "the database is away".to_owned();
        status(MirrorState::Waiting(Failure { since_ms, error, cause: None, is_of_clerk: false }))
    }

    fn blocked(since_ms: &[Option<i64>]) -> MirrorStatus {
        let part = |(number, since_ms): (usize, &Option<i64>)| BlockedPart {
            name: format!("table_{number}"),
            seq: 0,
            since_ms: *since_ms,
            reason: "permission denied".to_owned(),
        };
        status(MirrorState::Blocked(since_ms.iter().enumerate().map(part).collect()))
    }

    fn observed(status: &MirrorStatus, now_ms: i64) -> Option<(ConditionKind, i64, u32)> {
        let condition = condition("app", status, AFTER_MS, now_ms)?;
        Some((condition.kind, condition.since_ms, condition.step))
    }

    #[test]
    fn what_lasts_is_alerted_about_with_its_beginning() {
        for (status, early, late) in [
            (status(MirrorState::Following), None, None),
            (status(MirrorState::Behind), None, None),
            (waiting(10), None, Some((ConditionKind::MirrorAway, 10, 1))),
            (blocked(&[Some(10)]), None, Some((ConditionKind::MirrorBlocked, 10, 1))),
            (blocked(&[Some(99), Some(10)]), None, Some((ConditionKind::MirrorBlocked, 10, 2))),
            (
                blocked(&[None]),
                Some((ConditionKind::MirrorBlocked, 0, 1)),
                Some((ConditionKind::MirrorBlocked, 0, 1)),
            ),
        ] {
            assert_eq!(observed(&status, AFTER_MS + 9), early, "{status:?}");
            assert_eq!(observed(&status, AFTER_MS + 10), late, "{status:?}");
        }
    }

    #[test]
    fn what_is_waited_for_is_named() {
        let text = |is_of_clerk| {
            let error = "it is away".to_owned();
            let failure = Failure { since_ms: 10, error, cause: None, is_of_clerk };
            let status = status(MirrorState::Waiting(failure));
            let condition = condition("app", &status, AFTER_MS, AFTER_MS + 10).unwrap();
            format!("{}. {}", condition.subject, condition.text)
        };
        for (is_of_clerk, its, the) in [
            (false, "waiting for its database for", "when the database is available again."),
            (
                true,
                "waiting for Clerk's Backend API for",
                "when Clerk's Backend API can be read again.",
            ),
        ] {
            let text = text(is_of_clerk);
            assert!(text.contains(its) && text.ends_with(the), "{text}");
        }
    }

    #[test]
    fn a_few_of_many_blocked_parts_are_named() {
        let condition = condition("app", &blocked(&[Some(0); 9]), AFTER_MS, AFTER_MS).unwrap();
        assert_eq!(condition.subject, "app: the database rejects 9 tables or statements");
        let text = condition.text;
        assert!(text.contains("table_4: permission denied; and 4 more"), "{text}");
        assert!(!text.contains("table_5"), "{text}");
    }

    #[test]
    fn nothing_is_known_of_a_mirror_that_nobody_runs() {
        let all = observe("app", None, AFTER_MS, AFTER_MS);
        assert!(all.iter().all(|(_, one)| matches!(one, Observation::Unknown)));
    }
}
