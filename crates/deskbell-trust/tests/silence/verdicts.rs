//! What the config and Clerk's API add to the rhythm.

use deskbell_store::{Arrival, ArrivalPage, Seq};
use deskbell_trust::silence::{Learned, Rhythm, Silence, SilenceAfter, SilenceCause, judge};
use serde_json::json;

use super::traffic::{DAY_MS, HOUR_MS, MINUTE_MS, MONDAY_MS};

const NOW_MS: i64 = MONDAY_MS;

fn after(text: &str) -> SilenceAfter {
    serde_json::from_value(json!(text)).unwrap()
}

/// Looked at every ten minutes, from its first event or, without one, from the start on.
fn silent_for(hours: i64, has_event: bool) -> (Rhythm, i64) {
    let mut rhythm = Rhythm::new(NOW_MS);
    if has_event {
        rhythm.arrived(NOW_MS);
    }
    let until_ms = NOW_MS + hours * HOUR_MS;
    for at_ms in (NOW_MS..=until_ms).step_by(600_000) {
        rhythm.observe(at_ms);
    }
    (rhythm, until_ms)
}

#[test]
fn a_configured_time_is_kept_to() {
    for has_event in [true, false] {
        for (hours, setting, expected) in [
            (5, "6h", false),
            (6, "6h", true),
            (6, "7h", false),
            (500, "never", false),
            (500, "auto", false),
        ] {
            let (rhythm, now_ms) = silent_for(hours, has_event);
            let found = judge(&rhythm, after(setting), None, now_ms);
            let silence = Silence { since_ms: NOW_MS, cause: SilenceCause::Configured };
            assert_eq!(found, expected.then_some(silence), "{hours} {setting} {has_event}");
        }
    }
}

#[test]
fn a_change_without_its_event_is_an_alarm() {
    let (rhythm, now_ms) = silent_for(2, true);
    for (changed_ms, setting, expected) in [
        (NOW_MS - HOUR_MS, "auto", false),
        (NOW_MS + 4 * MINUTE_MS, "auto", false),
        (NOW_MS + HOUR_MS, "auto", true),
        (NOW_MS + HOUR_MS, "3h", true),
        (NOW_MS + HOUR_MS, "never", false),
        (now_ms - 4 * MINUTE_MS, "auto", false),
    ] {
        let found = judge(&rhythm, after(setting), Some(changed_ms), now_ms);
        let cause = SilenceCause::ChangeMissed { changed_ms };
        let silence = Silence { since_ms: NOW_MS, cause };
        assert_eq!(found, expected.then_some(silence), "{} {setting}", changed_ms - NOW_MS);
    }
}

#[test]
fn a_change_while_nothing_could_be_received_comes_later() {
    let (mut rhythm, now_ms) = silent_for(2, true);
    let back_ms = now_ms + DAY_MS;
    rhythm.observe(back_ms);
    let judged = |changed_ms| judge(&rhythm, after("auto"), Some(changed_ms), back_ms + HOUR_MS);
    assert_eq!(judged(now_ms + HOUR_MS), None, "the sender retries");
    assert_eq!(judged(now_ms - MINUTE_MS), None, "the sender may have been too late");
    assert!(judged(NOW_MS + HOUR_MS).is_some(), "it was missed before");
    assert!(judged(back_ms + 10 * MINUTE_MS).is_some());
}

#[test]
fn each_source_has_its_own_rhythm() {
    let arrival = |source: &str, at_ms| Arrival { source: source.into(), is_sent: true, at_ms };
    let mut learned = Learned::default();
    learned.learn(&ArrivalPage {
        arrivals: vec![arrival("clerk", NOW_MS), arrival("other", NOW_MS + HOUR_MS)],
        last: Seq::new(7),
    });
    let kept = serde_json::to_string(&learned).unwrap();
    let mut learned: Learned = serde_json::from_str(&kept).unwrap();
    assert_eq!(learned.read(), Seq::new(7));
    learned.observe(["clerk", "new"], NOW_MS + 2 * HOUR_MS);
    let newest = |learned: &Learned, source| learned.rhythm(source).map(Rhythm::newest_ms);
    assert_eq!(newest(&learned, "clerk"), Some(Some(NOW_MS)));
    assert_eq!(newest(&learned, "other"), Some(Some(NOW_MS + HOUR_MS)));
    assert_eq!(newest(&learned, "new"), Some(None), "no event yet");
    learned.observe(["clerk"], NOW_MS + 60 * DAY_MS);
    assert_eq!(newest(&learned, "clerk"), Some(Some(NOW_MS)));
    assert_eq!(newest(&learned, "other"), None, "it left the config, and had no event for long");
}

#[test]
fn the_setting_is_shown_as_it_was_written() {
    for text in ["auto", "never", "6h", "2d"] {
        assert_eq!(serde_json::to_value(after(text)).unwrap(), json!(text));
    }
    let error = serde_json::from_value::<SilenceAfter>(json!("soon")).unwrap_err().to_string();
    assert_eq!(error, "expected `auto`, `never` or a duration such as 6h or 2d, found `soon`");
}
