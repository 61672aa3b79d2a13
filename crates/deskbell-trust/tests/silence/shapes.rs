//! Traffic of ten shapes: no alarm in eight weeks after two weeks of learning, and a stop after that is
//! noticed in the time that docs/alerts.md states, or sooner: the document has the worst of many more
//! seeds.

use super::Followed;
use super::traffic::{Shape, Traffic, WEEK_MS};

const SEEDS: u64 = 20;
const LEARNING_WEEKS: i64 = 2;
const QUIET_WEEKS: i64 = 8;
const DAY: f64 = 24.0;

/// A stop at some time of the eleventh week must be noticed within so many hours.
fn assert_shape(shape: Shape, hours_max: f64) {
    for seed in 0..SEEDS {
        println!("{shape:?}, seed {seed}");
        let traffic = Traffic::new(shape, seed);
        let start_ms = traffic.start_ms;
        let part_of_week = i64::try_from(seed).unwrap() * WEEK_MS / i64::try_from(SEEDS).unwrap();
        let stop_ms = start_ms + (LEARNING_WEEKS + QUIET_WEEKS) * WEEK_MS + part_of_week;
        let events = traffic.events(start_ms, stop_ms);
        let mut followed = Followed::new(start_ms);
        followed.follow(&events, stop_ms);
        assert_eq!(followed.alarms, [0_i64; 0], "a false alarm; it began at {start_ms}");
        let hours = followed.hours_to_alarm(200).expect("an alarm");
        println!("noticed after {hours:.1} of {hours_max} hours");
        assert!(hours <= hours_max, "{hours} hours");
    }
}

#[test]
fn steady() {
    assert_shape(Shape::Steady, 4.0);
}

#[test]
fn day_and_night() {
    assert_shape(Shape::DayAndNight, DAY);
}

#[test]
fn business_hours() {
    assert_shape(Shape::BusinessHours, 4.0 * DAY);
}

#[test]
fn weekend_only() {
    assert_shape(Shape::WeekendOnly, 9.0 * DAY);
}

#[test]
fn very_sparse() {
    assert_shape(Shape::VerySparse, 12.0 * 7.0 * DAY);
}

#[test]
fn bursty_campaigns() {
    assert_shape(Shape::BurstyCampaigns, 10.0 * DAY);
}

#[test]
fn growing() {
    assert_shape(Shape::Growing, DAY);
}

#[test]
fn shrinking() {
    assert_shape(Shape::Shrinking, DAY);
}

#[test]
fn holiday_dip() {
    assert_shape(Shape::HolidayDip, 3.0 * DAY);
}

#[test]
fn daylight_saving() {
    assert_shape(Shape::DaylightSaving, DAY);
}
