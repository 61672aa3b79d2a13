//! Alerts about mirrors that differed from Clerk: events were lost.

use std::collections::BTreeMap;

use deskbell_delivery::shown_time;
use deskbell_trust::{MirrorReconciled, ReconcileState};

use super::condition::{AlertTarget, Condition, ConditionKind, Observation, plural};

/// The step of a condition that has no further one.
const ONLY_STEP: u32 = 1;

pub(super) fn observe(name: &str, state: &ReconcileState) -> (String, Observation) {
    let last = state.mirrors.get(name);
    let condition = last.and_then(|last| condition(name, last));
    (format!("reconcile/{name}"), Observation::State(condition))
}

fn condition(name: &str, last: &MirrorReconciled) -> Option<Condition> {
    let left = last.left();
    if last.repaired == 0 && left == 0 {
        return None;
    }
    let held_back = last.entities.iter().find_map(|entity| {
        let why = entity.held_back.as_ref()?;
        Some(format!(
            " {}: {why}; to allow it, run: deskbell reconcile {} --repair --delete-at-most N.",
            entity.entity, entity.entity
        ))
    });
    let differed = plural(last.repaired, "difference", "differences");
    Some(Condition {
        kind: ConditionKind::MirrorRepaired,
        target: AlertTarget::Destination(name.to_owned()),
        since_ms: last.started_at_ms,
        step: ONLY_STEP,
        subject: format!("{name}: the mirror differed from Clerk"),
        text: format!(
            "Since {} Deskbell has found and repaired {differed} between the mirror {name} and \
             Clerk; {} left. Either events were lost: look at the endpoint in the Clerk dashboard \
             (Configure > Webhooks) for failed messages. Or the database rejects the rows: run \
             deskbell dead-letters list {name}.{}",
            shown_time(last.started_at_ms),
            plural(left, "is", "are"),
            held_back.unwrap_or_default(),
        ),
        counts: BTreeMap::from([
            ("repaired".to_owned(), last.repaired),
            ("differences_left".to_owned(), left),
        ]),
    })
}

#[cfg(test)]
mod tests {
    use deskbell_trust::{Found, Reconciled};

    use super::*;

    fn compared(missing: u64, repaired: u64) -> MirrorReconciled {
        let missing = Found { count: missing, examples: Vec::new() };
        let user = Reconciled { missing, repaired, ..Reconciled::default() };
        MirrorReconciled {
            started_at_ms: 5,
            entities: vec![user],
            repaired,
            ..MirrorReconciled::default()
        }
    }

    #[test]
    fn what_was_repaired_or_is_left_is_alerted_about() {
        for (missing, repaired, expected) in
            [(0, 0, None), (3, 3, Some((3, 0))), (3, 1, Some((1, 2))), (2, 0, Some((0, 2)))]
        {
            let condition = condition("app", &compared(missing, repaired));
            let counts = condition.map(|condition| {
                (condition.counts["repaired"], condition.counts["differences_left"])
            });
            assert_eq!(counts, expected);
        }
    }
}
