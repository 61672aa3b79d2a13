//! `[[source]]`: how events come, and what is done about the endpoint in Clerk's sender.

use deskbell::config::{Config, Environment, SourceMode};

use super::{SECRET, assert_rendered, environment, load, usual};

fn with_key() -> Environment {
    environment(&[
        ("CLERK_WEBHOOK_SIGNING_SECRET", SECRET),
        ("CLERK_SECRET_KEY", "sk_test_x1234567890"),
    ])
}

#[test]
fn a_source_that_fetches_needs_no_signing_secret() {
    let keys = environment(&[("CLERK_SECRET_KEY", "sk_test_x1234567890")]);
    let loaded = load("[[source]]\nmode = \"pull\"\n", &keys).unwrap();
    assert_eq!(loaded.config.sources[0].mode, SourceMode::Pull);
    assert!(load("[[source]]\nmode = \"push\"\n", &keys).is_err());
}

#[test]
fn the_endpoint_is_looked_at_where_that_is_wanted() {
    let sender = |text: &str| {
        let loaded = load(&format!("[[source]]\nsender = {text}\n"), &with_key()).unwrap();
        let sender = loaded.config.sources[0].sender;
        (sender.watch, sender.re_enable)
    };
    assert_eq!(sender("{}"), (false, false));
    assert_eq!(sender("{ watch = true, re_enable = false }"), (true, false));
    assert_eq!(sender("{ watch = true, re_enable = true }"), (true, true));
    let config: Config =
        load("[server]\npublic_url = \"https://hooks.example.com\"", &usual()).unwrap().config;
    assert_eq!(config.server.public_url.unwrap().to_string(), "https://hooks.example.com/");
}

#[test]
fn mistakes_say_what_where_and_how_to_mend_it() {
    for (name, text) in [
        ("source_pull_without_key", "[[source]]\nmode = \"pull\"\n"),
        ("source_watch_without_key", "[[source]]\nsender = { watch = true }\n"),
        ("source_enables_unwatched", "[[source]]\nsender = { re_enable = true }\n"),
        ("source_watch_of_pull", "[[source]]\nmode = \"pull\"\nsender = { watch = true }\n"),
        ("source_mode", "[[source]]\nmode = \"poll\"\n"),
        ("source_sender_key", "[[source]]\nsender = { wach = true }\n"),
    ] {
        let error = load(text, &usual()).expect_err(name);
        assert_rendered(name, &error);
    }
}
