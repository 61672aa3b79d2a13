//! What one silence says about the next one, and what is kept of them.

use super::Followed;
use super::traffic::{DAY_MS, HOUR_MS, MINUTE_MS, MONDAY_MS, Shape, Traffic, WEEK_MS};

/// One event every ten minutes, by day and night.
fn regular(from_ms: i64, to_ms: i64) -> Vec<i64> {
    (from_ms..to_ms).step_by(usize::try_from(10 * MINUTE_MS).unwrap()).collect()
}

#[test]
fn nothing_is_alarming_before_two_weeks_were_learned() {
    for (days, expected) in [(1, false), (7, false), (13, false), (15, true)] {
        let mut followed = Followed::new(MONDAY_MS);
        let stop_ms = MONDAY_MS + days * DAY_MS;
        followed.follow(&regular(MONDAY_MS, stop_ms), stop_ms);
        followed.follow(&[], stop_ms + 12 * HOUR_MS);
        assert_eq!(followed.rhythm.is_alarming(), expected, "after {days} days");
    }
}

#[test]
fn a_stop_that_was_noticed_hardly_delays_the_next_alarm() {
    let mut followed = Followed::new(MONDAY_MS);
    let stop_ms = MONDAY_MS + 4 * WEEK_MS;
    followed.follow(&regular(MONDAY_MS, stop_ms), stop_ms);
    let first = followed.hours_to_alarm(30).unwrap();
    // It lasts a week, and nobody learns from it that a week without events is usual.
    followed.follow(&[], stop_ms + WEEK_MS);
    let again_ms = stop_ms + 2 * WEEK_MS;
    followed.follow(&regular(stop_ms + WEEK_MS, again_ms), again_ms);
    assert!(!followed.rhythm.is_alarming(), "it is over");
    let second = followed.hours_to_alarm(30).unwrap();
    assert!(second <= 3.0 * first, "{second} hours, and {first} the first time");
}

#[test]
fn traffic_that_changes_for_good_is_followed() {
    // From every day to weekends only: a few alarms, and then no more.
    let mut followed = Followed::new(MONDAY_MS);
    let change_ms = MONDAY_MS + 5 * WEEK_MS;
    followed.follow(&regular(MONDAY_MS, change_ms), change_ms);
    let mut last_alarms = 0;
    for week in 0..20 {
        let monday_ms = change_ms + week * WEEK_MS;
        let before = followed.alarms.len();
        let events = regular(monday_ms + 5 * DAY_MS, monday_ms + WEEK_MS);
        followed.follow(&events, monday_ms + WEEK_MS);
        last_alarms = if week >= 12 { last_alarms + followed.alarms.len() - before } else { 0 };
    }
    println!("alarms: {:?}", followed.alarms);
    assert!(!followed.alarms.is_empty());
    assert_eq!(last_alarms, 0, "the new rhythm is known");
}

#[test]
fn a_restart_changes_nothing() {
    for seed in 0..3 {
        println!("seed {seed}");
        let traffic = Traffic::new(Shape::DayAndNight, seed);
        let start_ms = traffic.start_ms;
        let events = traffic.events(start_ms, start_ms + 4 * WEEK_MS);
        let mut without = Followed::new(start_ms);
        let mut with = Followed::new(start_ms);
        for (day, until_ms) in (1..=40).map(|day| (day, start_ms + day * DAY_MS)) {
            let of_day = events.iter().copied();
            let of_day: Vec<_> =
                of_day.filter(|at_ms| (until_ms - DAY_MS < *at_ms) && *at_ms <= until_ms).collect();
            without.follow(&of_day, until_ms);
            with.follow(&of_day, until_ms);
            with.restart();
            assert_eq!(with.alarms, without.alarms, "on day {day}");
        }
        assert_eq!(with.alarms.len(), 1, "of the stop after four weeks");
    }
}

#[test]
fn what_is_kept_does_not_grow() {
    let mut followed = Followed::new(MONDAY_MS);
    let mut bytes_max = 0;
    for week in 0..60 {
        let from_ms = MONDAY_MS + week * WEEK_MS;
        followed.follow(&regular(from_ms, from_ms + WEEK_MS), from_ms + WEEK_MS);
        bytes_max = bytes_max.max(serde_json::to_string(&followed.rhythm).unwrap().len());
    }
    assert!(bytes_max < 4_000, "{bytes_max} bytes");
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    let mut followed = Followed::new(MONDAY_MS);
    let stop_ms = MONDAY_MS + 3 * WEEK_MS;
    let mut events = regular(MONDAY_MS, stop_ms);
    for event in events.iter_mut().skip(100).step_by(50) {
        *event -= 2 * HOUR_MS;
    }
    followed.follow(&events, stop_ms);
    assert_eq!(followed.alarms, [0_i64; 0]);
    assert!(followed.hours_to_alarm(10).unwrap() < 6.0);
}
