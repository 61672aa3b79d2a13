//! `type = "slack"` and `type = "loops"`.

use deskbell::config::{DestinationKind, Ordering};

use super::{
    assert_rendered, assert_shown_is_read_again, destination_of, load, load_beside, usual,
};

/// A `slack` destination with these keys.
pub(crate) fn slack(keys: &str) -> String {
    format!(
        "[[destination]]\nname = \"ops\"\ntype = \"slack\"\n\
         webhook_url = \"https://hooks.slack.com/services/T0/B0/hunter2\"\n{keys}\n"
    )
}

pub(crate) fn loops(keys: &str) -> String {
    format!("[[destination]]\nname = \"mail\"\ntype = \"loops\"\napi_key = \"hunter2\"\n{keys}\n")
}

#[test]
fn every_key_of_slack_is_read() {
    let DestinationKind::Slack(config) = destination_of(&slack("text = \"{{ user.id }}\"")).kind
    else {
        panic!("slack")
    };
    assert!(config.webhook_url.expose_secrets().as_str().ends_with("/B0/hunter2"));
    assert_eq!((config.text.unwrap().text, config.blocks), ("{{ user.id }}".to_owned(), None));
    let both = slack("text = \"New user\"\nblocks = \"file:b.json\"");
    let loaded = load_beside(&[("b.json", "[]")], &both).unwrap();
    let DestinationKind::Slack(config) = &loaded.config.destinations[0].kind else {
        panic!("slack")
    };
    let texts = [&config.text, &config.blocks].map(|one| one.as_ref().unwrap().text.as_str());
    assert_eq!(texts, ["New user", "[]"], "the text is what notifications show");
}

#[test]
fn every_key_of_loops_is_read() {
    let text = loops("base_url = \"http://127.0.0.1:9\"\nevent_name = \"signed up\"");
    let DestinationKind::Loops(config) = destination_of(&text).kind else { panic!("loops") };
    assert_eq!(
        (config.api_key.expose(), config.event_name.as_deref()),
        ("hunter2", Some("signed up"))
    );
    assert_eq!(config.base_url.unwrap().to_string(), "http://127.0.0.1:9/");
    let bare = destination_of(&loops("")).delivery.unwrap();
    let rate = bare.rate_limit.map(|rate| rate.to_string());
    assert_eq!((bare.ordering, rate.as_deref()), (Some(Ordering::Subject), Some("5/s")));
    let own = destination_of(&loops("ordering = \"none\"\nrate_limit = \"1/s\""));
    let own = own.delivery.unwrap();
    assert_eq!((own.ordering, own.rate_limit.unwrap().count.get()), (Some(Ordering::None), 1));
}

#[test]
fn what_is_shown_is_read_again() {
    let url = "https://hooks.slack.com/services/T0/B0/other";
    assert_shown_is_read_again(&slack("text = \"{{ user.id }}\""), url);
    assert_shown_is_read_again(&slack("blocks = '''[\n{}]'''"), url);
    assert_shown_is_read_again(&slack("text = \"a\"\nblocks = \"[]\""), url);
    assert_shown_is_read_again(&loops("event_name = \"signed up\""), "other");
    assert_shown_is_read_again(&loops("ordering = \"none\""), "other");
}

#[test]
fn mistakes_say_what_where_and_how_to_mend_it() {
    for (name, text) in [
        ("slack_without_message", slack("")),
        ("slack_url", slack("text = \"a\"").replace("https://hooks.slack.com", "hooks.slack.com")),
        ("loops_without_key", loops("").replace("api_key = \"hunter2\"\n", "")),
        ("loops_empty_key", loops("").replace("hunter2", " ")),
    ] {
        let error = load(&text, &usual()).expect_err(name);
        assert!(!error.contains("hunter2"), "{error}");
        assert_rendered(name, &error);
    }
}
