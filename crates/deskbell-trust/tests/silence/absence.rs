//! Time in which Deskbell could not receive is no silence.

use super::Followed;
use super::traffic::{DAY_MS, HOUR_MS, MINUTE_MS, MONDAY_MS, WEEK_MS};

fn every_half_hour(from_ms: i64, to_ms: i64) -> Vec<i64> {
    (from_ms..to_ms).step_by(usize::try_from(30 * MINUTE_MS).unwrap()).collect()
}

/// Followed for three weeks, until this time.
fn learned() -> Followed {
    let mut followed = Followed::new(MONDAY_MS);
    let until_ms = MONDAY_MS + 3 * WEEK_MS;
    followed.follow(&every_half_hour(MONDAY_MS, until_ms), until_ms);
    followed
}

#[test]
fn after_a_restart_the_time_before_it_does_not_count() {
    let mut followed = learned();
    followed.restart();
    followed.now_ms += 5 * DAY_MS;
    followed.look();
    assert!(!followed.rhythm.is_alarming(), "the sender has had no time to come back");
    assert!(followed.rhythm.silent_ms() < HOUR_MS);
    // Its longest silence was not the five days.
    let hours = followed.hours_to_alarm(10).unwrap() - 5.0 * 24.0;
    assert!(hours < 12.0, "{hours} hours after the restart");
}

#[test]
fn a_quick_restart_is_no_absence() {
    let mut followed = learned();
    for _ in 0..100 {
        followed.restart();
        followed.now_ms += 12 * MINUTE_MS;
        followed.look();
    }
    assert_eq!(followed.alarms.len(), 1, "a program that restarts again and again notices too");
}

#[test]
fn an_absence_teaches_nothing() {
    let mut followed = learned();
    let back_ms = followed.now_ms + 3 * DAY_MS;
    followed.restart();
    followed.now_ms = back_ms;
    let until_ms = back_ms + WEEK_MS;
    followed.follow(&every_half_hour(back_ms + MINUTE_MS, until_ms), until_ms);
    assert_eq!(followed.alarms, [0_i64; 0]);
    assert!(followed.rhythm.longest_ms() < 2 * HOUR_MS, "{}", followed.rhythm.longest_ms());
}

#[test]
fn what_was_in_the_log_before_it_was_followed_counts_in_full() {
    // Read from a log at once, without a look in between.
    let mut followed = Followed::new(MONDAY_MS);
    let until_ms = MONDAY_MS + 4 * WEEK_MS;
    for at_ms in every_half_hour(MONDAY_MS, until_ms) {
        followed.rhythm.arrived(at_ms);
    }
    followed.now_ms = until_ms + 2 * DAY_MS;
    followed.look();
    assert!(!followed.rhythm.is_alarming(), "whether it could receive since then is not known");
    assert!(followed.hours_to_alarm(10).is_some(), "and the rhythm is");
}
