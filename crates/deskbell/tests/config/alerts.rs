//! `[alerts]`, and the source of notices.

use super::delivery::http;
use super::services::{loops, slack};
use super::{assert_rendered, load, usual};

const ALERTS_ALONE: &str = "events = [\"deskbell.alert\"]";

fn alerts(keys: &str) -> String {
    format!("[alerts]\n{keys}\n{}", slack("events = []"))
}

#[test]
fn every_key_is_read() {
    let config = load(&alerts("to = \"ops\"\ndisable_after = \"2d\""), &usual()).unwrap().config;
    assert_eq!(config.alerts.to, ["ops"]);
    assert_eq!(config.alerts.disable_after.unwrap().0.as_secs(), 2 * 86_400);
    let recipients = format!("[alerts]\nto = [\"app\"]\n{}", http(""));
    assert_eq!(load(&recipients, &usual()).unwrap().config.alerts.to, ["app"]);
    let soon = "to = \"ops\"\nfailing_after = \"1m\"\nmirror_after = \"2m\"\ndigest_every = \"2h\"";
    let soon = load(&alerts(soon), &usual()).unwrap().config.alerts;
    let seconds = [soon.failing_after, soon.mirror_after, soon.digest_every];
    assert_eq!(seconds.map(|time| time.0.as_secs()), [60, 120, 7_200]);
    for (written, expected) in [("auto", "auto"), ("never", "never"), ("36h", "36h")] {
        let keys = alerts(&format!("to = \"ops\"\nsilence_after = \"{written}\""));
        let silence_after = load(&keys, &usual()).unwrap().config.alerts.silence_after;
        assert_eq!(serde_json::to_value(silence_after).unwrap(), expected);
    }
    let never = load("[alerts]\ndisable_after = \"never\"", &usual()).unwrap().config;
    assert_eq!(never.alerts.disable_after, None);
    let default = load("", &usual()).unwrap().config.alerts;
    assert_eq!(default.disable_after.unwrap().0.as_secs(), 5 * 86_400);
    assert_eq!(serde_json::to_value(default.silence_after).unwrap(), "auto");
    assert!(default.to.is_empty());
}

#[test]
fn the_type_of_alerts_is_named_among_the_events() {
    for keys in [http("events = [\"user.*\", \"deskbell.alert\"]"), slack(ALERTS_ALONE)] {
        let loaded = load(&keys, &usual()).unwrap();
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    }
}

#[test]
fn mistakes_say_what_where_and_how_to_mend_it() {
    for (name, text) in [
        ("alerts_unknown", alerts("to = [\"opps\"]")),
        ("alerts_disabled", alerts("to = \"ops\"").replace("type =", "enabled = false\ntype =")),
        ("alerts_to_loops", format!("[alerts]\nto = [\"mail\"]\n{}", loops(""))),
        ("alerts_named_by_loops", loops("events = [\"user.*\", \"deskbell.alert\"]")),
        ("alerts_by_a_pattern", http("events = [\"deskbell.*\"]")),
        ("alerts_misspelled", alerts("to = \"ops\"\nsilent_after = \"2d\"")),
        ("alerts_without_time", alerts("to = \"ops\"\ndigest_every = \"0s\"")),
        ("alerts_silent_soon", alerts("to = \"ops\"\nsilence_after = \"soon\"")),
        ("alerts_silent_at_once", alerts("to = \"ops\"\nsilence_after = \"1ms\"")),
        ("alerts_never", alerts("to = \"ops\"\ndisable_after = \"no\"")),
        ("source_of_notices", "[[source]]\nname = \"deskbell\"\n".to_owned()),
    ] {
        let error = load(&text, &usual()).expect_err(name);
        assert!(!error.contains("hunter2"), "{error}");
        assert_rendered(name, &error);
    }
}
