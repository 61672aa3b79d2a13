//! Which notices follow from what is observed, over time and restarts.

use super::*;

const DIGEST_MS: i64 = 3_600_000;

/// Observes at each time, with what there is then, and the notices by their time.
fn notices<T>(
    looks: impl IntoIterator<Item = (i64, T)>,
    observe: impl Fn(T) -> Vec<(String, Observation)>,
) -> Vec<String> {
    let mut state = AlertState::default();
    let mut said = Vec::new();
    for (now_ms, what) in looks {
        // As a process that starts anew would.
        let kept = serde_json::to_string(&state).unwrap();
        state = serde_json::from_str(&kept).unwrap();
        state.observe(observe(what), DIGEST_MS, now_ms);
        said.extend(state.pending.drain(..).map(|pending| {
            let event = pending.event();
            format!("{now_ms} {} {}", event.message_id, pending.notice.subject)
        }));
    }
    said
}

fn mirror(observation: Observation) -> Vec<(String, Observation)> {
    vec![("mirror/app".to_owned(), observation)]
}

fn holds(kind: ConditionKind, since_ms: i64, step: u32) -> Observation {
    Observation::State(Some(Condition {
        kind,
        target: AlertTarget::Destination("app".to_owned()),
        since_ms,
        step,
        subject: kind.as_str().to_owned(),
        text: String::new(),
        counts: BTreeMap::new(),
    }))
}

const WELL: Observation = Observation::State(None);

#[test]
fn what_holds_is_alerted_about_once_and_its_end_is_told() {
    let away = || holds(ConditionKind::MirrorAway, 3, 1);
    let looks = [(1, WELL), (10, away()), (11, away()), (12, Observation::Unknown), (13, WELL)];
    assert_eq!(
        notices(looks, mirror),
        [
            "10 alert_mirror/app/3_mirror.away_1 mirror.away",
            "13 alert_mirror/app/3_resolved app: the mirror has resumed",
        ]
    );
}

#[test]
fn a_further_step_is_alerted_about_and_an_earlier_one_is_not() {
    let steps = [(10, 1), (11, 50), (12, 50), (13, 1), (14, 90)];
    let said = notices(steps, |step| mirror(holds(ConditionKind::DestinationFailing, 3, step)));
    let ids: Vec<_> = said.iter().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(
        ids,
        [
            "alert_mirror/app/3_destination.failing_1",
            "alert_mirror/app/3_destination.failing_50",
            "alert_mirror/app/3_destination.failing_90",
        ]
    );
}

#[test]
fn a_condition_may_become_another_kind_and_ends_as_that() {
    let looks = [
        (10, holds(ConditionKind::DestinationFailing, 3, 90)),
        (11, holds(ConditionKind::DestinationDisabled, 3, 100)),
        (12, WELL),
    ];
    let said = notices(looks, mirror);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[2].contains("app is enabled again"), "{said:?}");
}

#[test]
fn what_began_anew_between_two_looks_is_two() {
    let looks = [
        (10, holds(ConditionKind::MirrorAway, 3, 1)),
        (20, holds(ConditionKind::MirrorBlocked, 15, 1)),
    ];
    assert_eq!(
        notices(looks, mirror),
        [
            "10 alert_mirror/app/3_mirror.away_1 mirror.away",
            "20 alert_mirror/app/3_resolved app: the mirror has resumed",
            "20 alert_mirror/app/15_mirror.blocked_1 mirror.blocked",
        ]
    );
}

#[test]
fn what_leaves_the_config_is_over() {
    let looks = [(10, Some(holds(ConditionKind::MirrorAway, 3, 1))), (20, None)];
    let said = notices(looks, |one| one.map(mirror).unwrap_or_default());
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].contains("_resolved"), "{said:?}");
}

#[test]
fn what_is_seen_at_every_look_for_a_while_is_alerted_about() {
    let persisting = |is_seen: bool| {
        let condition = |since_ms| match holds(ConditionKind::MirrorStuck, since_ms, 1) {
            Observation::State(Some(condition)) => condition,
            _ => unreachable!("it holds"),
        };
        let persisting =
            is_seen.then(|| Persisting { after_ms: 5, condition: Box::new(condition) });
        vec![("mirror_rows/app".to_owned(), Observation::Persisting(persisting))]
    };
    let looks = [
        (1, true),
        (4, true),
        (5, false),
        (6, true),
        (10, true),
        (11, true),
        (20, true),
        (21, false),
    ];
    assert_eq!(
        notices(looks, persisting),
        [
            "11 alert_mirror_rows/app/6_mirror.stuck_1 mirror.stuck",
            "21 alert_mirror_rows/app/6_resolved app: no rows are waiting",
        ]
    );
}

fn dead_letters((count, is_left): (u64, bool)) -> Vec<(String, Observation)> {
    let condition = |new, is_first, since_ms| Condition {
        kind: ConditionKind::DeliveryDeadLetters,
        target: AlertTarget::Destination("crm".to_owned()),
        since_ms,
        step: 1,
        subject: format!("{new}{}", if is_first { "" } else { " more" }),
        text: String::new(),
        counts: BTreeMap::new(),
    };
    let counter = Counter { count, is_left, condition: Box::new(condition) };
    vec![("dead_letters/crm".to_owned(), Observation::Counter(counter))]
}

#[test]
fn the_first_is_alerted_about_at_once_and_a_storm_is_a_digest_an_hour() {
    let hour = DIGEST_MS;
    let mut looks = vec![(0, (0, false)), (1, (1, true))];
    looks.extend((2..10_000).map(|n: i64| (n, (n.unsigned_abs(), true))));
    looks.extend([(hour, (10_000, true)), (hour + 1, (10_000, true))]);
    looks.extend([(2 * hour + 1, (10_000, true)), (3 * hour, (10_001, true))]);
    looks.extend([(3 * hour + 5, (10_001, false)), (3 * hour + 6, (10_002, true))]);
    let said = notices(looks, dead_letters);
    let expected = [
        "1 alert_dead_letters/crm/1_1 1".to_owned(),
        format!("{} alert_dead_letters/crm/1_10000 9999 more", hour + 1),
        format!("{} alert_dead_letters/crm/1_10001 1 more", 3 * hour),
        format!("{} alert_dead_letters/crm/1_resolved crm: no dead letters are left", 3 * hour + 5),
    ];
    assert_eq!(said, expected);
}

#[test]
fn what_was_seen_to_before_its_digest_is_not_told() {
    let hour = DIGEST_MS;
    let looks = [(1, (1, true)), (2, (2, true)), (3, (2, false)), (hour + 5, (2, false))];
    let said = notices(looks, dead_letters);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].contains("resolved"), "{said:?}");
}

fn refused(count: u64) -> Vec<(String, Observation)> {
    let condition = |new, is_first, since_ms| Condition {
        kind: ConditionKind::SourceRefused,
        target: AlertTarget::Source {
            name: "clerk".to_owned(),
            cause: Some("no_match".to_owned()),
        },
        since_ms,
        step: 0,
        subject: format!("{new}{}", if is_first { "" } else { " more" }),
        text: String::new(),
        counts: BTreeMap::new(),
    };
    let rate = Rate { count, count_min: 10, condition: Box::new(condition) };
    vec![("refused/clerk/no_match".to_owned(), Observation::Rate(rate))]
}

#[test]
fn a_few_are_nothing_however_long_they_come() {
    let looks = (0..1_000).map(|n: i64| (n * DIGEST_MS / 9, n.unsigned_abs()));
    let said = notices(looks, refused);
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn many_are_alerted_about_then_once_a_digest_until_they_are_few() {
    let minute = 60_000;
    // One a minute for three hours, then none.
    let looks = (1..400).map(|n: i64| (n * minute, n.min(180).unsigned_abs()));
    let said = notices(looks, refused);
    let id = "alert_refused/clerk/no_match/60000";
    let at = |minutes: i64, rest: &str| format!("{} {id}_{rest}", minutes * minute);
    assert_eq!(
        said,
        [
            at(10, "10 10"),
            at(71, "71 61 more"),
            at(131, "131 60 more"),
            at(241, "resolved clerk (no_match): few requests are rejected now"),
        ]
    );
}

#[test]
fn one_that_is_counted_and_not_there_yet_is_alerted_about_when_it_is() {
    let said = notices([(1, (1, false)), (2, (1, true))], dead_letters);
    assert_eq!(said, ["2 alert_dead_letters/crm/2_1 1"]);
}

#[test]
fn a_count_that_shrinks_and_grows_again_counts_what_is_added() {
    let hour = DIGEST_MS;
    let looks = [(1, (5, true)), (hour, (2, true)), (2 * hour, (4, true))];
    let said = notices(looks, dead_letters);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[1].ends_with("_7 2 more"), "{said:?}");
}
