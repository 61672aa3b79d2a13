//! The keys of every destination that deliveries are made to.

use std::time::Duration;

use deskbell::config::{
    DeliveryConfig, DestinationConfig, Ordering, RateUnit, RetryPolicy, StartFrom,
};

use super::{assert_rendered, assert_shown_is_read_again, database, destination_of, load, usual};

/// An `http` destination with these keys.
pub(crate) fn http(keys: &str) -> String {
    format!(
        "[[destination]]\nname = \"app\"\ntype = \"http\"\nurl = \"https://app.example/hook\"\n\
         secret = \"env:CLERK_WEBHOOK_SIGNING_SECRET\"\n{keys}\n"
    )
}

const EVERY_KEY: &str = r#"
enabled = false
sources = "clerk"
events = ["user.*", "email.created"]
when = 'type == "user.created"'
from = "beginning"
max_in_flight = 1024
rate_limit = "10/m"
retry = { schedule = ["1s", "2m"], then_every = "never", until = "1h" }
timeout = "5m"
ordering = "subject"
"#;

fn delivery_of(destination: &DestinationConfig) -> &DeliveryConfig {
    destination.delivery.as_ref().unwrap()
}

#[test]
fn every_key_is_read() {
    let destination = destination_of(&http(EVERY_KEY));
    assert!(!destination.enabled);
    assert_eq!(destination.sources.as_deref(), Some(&["clerk".to_owned()][..]));
    assert_eq!(destination.kind.channel_config().unwrap().start(), StartFrom::Beginning);
    let app = delivery_of(&destination).clone();
    assert_eq!(app.events.unwrap(), ["user.*", "email.created"]);
    assert_eq!(app.when.as_deref(), Some("type == \"user.created\""));
    assert_eq!(app.ordering, Some(Ordering::Subject));
    assert_eq!(app.max_in_flight, 1024);
    let rate = app.rate_limit.unwrap();
    assert_eq!((rate.count.get(), rate.per), (10, RateUnit::Minute));
    let seconds: Vec<_> = app.retry.schedule.iter().map(|wait| wait.0.as_secs()).collect();
    assert_eq!((seconds, app.retry.then_every), (vec![1, 120], None));
    assert_eq!(app.retry.until.0, Duration::from_secs(3600));
    assert_eq!(app.timeout.0, Duration::from_secs(300));
}

#[test]
fn the_defaults_are_the_documented_ones() {
    let destination = destination_of(&http(""));
    assert!(destination.enabled && destination.sources.is_none());
    assert_eq!(destination.kind.channel_config().unwrap().start(), StartFrom::Now);
    let app = delivery_of(&destination);
    assert!(app.events.is_none() && app.when.is_none());
    assert_eq!(app.ordering, Some(Ordering::None));
    assert_eq!((app.max_in_flight, app.rate_limit), (16, None));
    assert_eq!(app.timeout.0, Duration::from_secs(15));
    let retry = toml::to_string(&app.retry).unwrap();
    let wanted = "schedule = [\"5s\", \"5m\", \"30m\", \"2h\", \"5h\", \"10h\", \"10h\"]\n\
                  then_every = \"14h\"\nuntil = \"72h\"\n";
    assert_eq!(retry, wanted);
    let destination = destination_of(&http("retry = { until = \"1h\" }"));
    let one_key = delivery_of(&destination).retry.clone();
    let rest = RetryPolicy { until: one_key.until, ..RetryPolicy::default() };
    assert_eq!((one_key.until.0, &one_key), (Duration::from_secs(3600), &rest));
}

#[test]
fn what_is_shown_is_read_again() {
    assert_shown_is_read_again(&http(EVERY_KEY), "env:CLERK_WEBHOOK_SIGNING_SECRET");
    assert_shown_is_read_again(&http(""), "env:CLERK_WEBHOOK_SIGNING_SECRET");
}

#[test]
fn mistakes_say_what_where_and_how_to_mend_it() {
    for (name, text) in [
        ("delivery_without_type", "[[destination]]\nname = \"app\"\n".to_owned()),
        ("delivery_unknown_key", http("max_inflight = 3")),
        ("delivery_key_of_another_type", http("schema = \"clerk\"")),
        ("delivery_key_of_two_types", http("api_key = \"hunter2\"")),
        ("delivery_key_on_a_database", database("retry = { until = \"1h\" }")),
        ("delivery_start_is_from", http("start = \"beginning\"")),
        ("delivery_unknown_event", http("events = [\"user.*\", \"user.create\"]")),
        ("delivery_pattern_of_codes", http("events = [\"email.*\"]")),
        ("delivery_no_events", http("events = []")),
        ("delivery_in_flight", http("max_in_flight = 0")),
        ("delivery_timeout", http("timeout = \"6m\"")),
        ("delivery_rate", http("rate_limit = \"50 per second\"")),
        ("delivery_wait", http("retry = { schedule = [\"5s\", \"1ms\"] }")),
        ("delivery_retry_key", http("retry = { untill = \"1h\" }")),
        ("delivery_ordering", http("ordering = \"subjects\"")),
        ("delivery_from", http("from = \"start\"")),
        ("when_unknown_name", http("when = 'data.banned == true && usr.banned'")),
        ("when_syntax", http("when = \"data.banned ==\"")),
        ("when_no_condition", http("events = [\"user.*\"]\nwhen = \"user.id\"")),
        ("when_escaped", http("when = \"data.plan == \\\"pro\\\" && usr.banned\"")),
        ("not_a_list", "[destination]\nname = \"app\"\n".to_owned()),
        ("same_destination_twice", format!("{}{}", http(""), http(""))),
    ] {
        let error = load(&text, &usual()).expect_err(name);
        assert!(!error.contains("hunter2"), "{error}");
        assert_rendered(name, &error);
    }
}
