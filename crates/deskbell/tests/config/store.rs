//! `[store]`: how long what is in the log stays there.

use std::time::Duration;

use super::{assert_rendered, assert_shown_is_read_again, load, usual};

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[test]
fn every_key_is_read() {
    let text =
        "[store]\nretention = { payloads = \"10d\", events = \"200d\", attempts = \"5d\" }\n";
    let retention = load(text, &usual()).unwrap().config.store.retention;
    assert_eq!((retention.payloads.0, retention.events.0), (10 * DAY, 200 * DAY));
    assert_eq!(retention.attempts.0, 5 * DAY);
    assert_shown_is_read_again(text, "");
    let config = load("[store]\nerase_on_delete = true\n", &usual()).unwrap().config;
    assert!(config.store.erase_on_delete);
    let default = load("", &usual()).unwrap().config.store.retention;
    assert_eq!((default.payloads.0, default.events.0), (100 * DAY, 100 * DAY));
    assert_eq!(default.attempts.0, 30 * DAY);
}

#[test]
fn mistakes_say_what_where_and_how_to_mend_it() {
    for (name, keys) in [
        ("retention_unknown", "payload = \"10d\""),
        ("retention_too_short", "payloads = \"10d\", events = \"99d\""),
        ("retention_payloads_longer", "payloads = \"101d\""),
        ("retention_no_duration", "attempts = 30"),
    ] {
        let text = format!("[store]\nretention = {{ {keys} }}\n");
        assert_rendered(name, &load(&text, &usual()).expect_err(name));
    }
}
