//! The config as a person writes it, and as it is wrong.

mod alerts;
mod database;
mod delivery;
mod documents;
mod email;
mod expressions;
mod http;
mod reference;
mod secrets;
mod server;
mod services;
mod source;
mod store;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use deskbell::config::{
    Config, DatabaseConfig, DatabaseUrl, DestinationConfig, DestinationKind, Environment, Loaded,
};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use tempfile::TempDir;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn environment(variables: &[(&str, &str)]) -> Environment {
    let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Environment::Fixed(BTreeMap::from_iter(owned))
}

fn usual() -> Environment {
    environment(&[("CLERK_WEBHOOK_SIGNING_SECRET", SECRET), ("PORT_ADDRESS", "0.0.0.0:80")])
}

fn load(text: &str, environment: &Environment) -> Result<Loaded, String> {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("deskbell.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file), environment).map_err(|error| {
        let shown = render(&error);
        shown.replace(&file.display().to_string(), "deskbell.toml")
    })
}

/// As [`load`], with files beside the config.
fn load_beside(files: &[(&str, &str)], text: &str) -> Result<Loaded, String> {
    let directory = TempDir::new().unwrap();
    for (name, content) in files {
        std::fs::write(directory.path().join(name), content).unwrap();
    }
    let file = directory.path().join("deskbell.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file), &usual())
        .map_err(|error| render(&error).replace(&format!("{}/", directory.path().display()), ""))
}

/// The one destination of a config.
fn destination_of(text: &str) -> DestinationConfig {
    let loaded = load(text, &usual()).unwrap_or_else(|error| panic!("{error}"));
    let [destination] = &loaded.config.destinations[..] else { panic!("one destination") };
    destination.clone()
}

/// Reads what is shown of a config, with this in the place of every secret; it must be the same.
fn assert_shown_is_read_again(text: &str, secret: &str) {
    let config = load(text, &usual()).unwrap_or_else(|error| panic!("{error}")).config;
    let shown = toml::to_string_pretty(&config).unwrap();
    let filled = shown
        .replace(
            "signing_secrets = [\"<redacted>\"]",
            "signing_secrets = [\"env:CLERK_WEBHOOK_SIGNING_SECRET\"]",
        )
        .replace("<redacted>", secret);
    let again = load(&filled, &usual()).unwrap_or_else(|error| panic!("{error}\n{filled}")).config;
    assert_eq!(toml::to_string_pretty(&again).unwrap(), shown);
}

fn render(error: &dyn Diagnostic) -> String {
    let mut text = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut text, error)
        .unwrap();
    text
}

/// The text with a secret that was made for it replaced by always the same one.
fn without_fresh_secret(error: &str) -> String {
    const PREFIX: &str = "secret = \"whsec_";
    match error.split_once(PREFIX) {
        Some((before, rest)) => format!("{before}{PREFIX}FRESH{}", &rest[32..]),
        None => error.to_owned(),
    }
}

/// Compares a rendered error with what was reviewed.
fn assert_rendered(name: &str, error: &str) {
    insta::with_settings!({
        snapshot_path => "config/snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, without_fresh_secret(error));
    });
}

/// The first destination, which is a database.
fn database_of(config: &Config) -> &DatabaseConfig {
    match &config.destinations[0].kind {
        DestinationKind::Database(database) => database,
        other => panic!("{other:?}"),
    }
}

fn database(keys: &str) -> String {
    let url = "postgres://app:hunter2@db/app";
    format!("[[destination]]\nname = \"app\"\ntype = \"database\"\nurl = \"{url}\"\n{keys}\n")
}

#[test]
fn an_empty_file_means_the_defaults() {
    let config = load("", &usual()).unwrap().config;
    assert_eq!(config.server.listen().to_string(), "127.0.0.1:3000");
    assert_eq!(config.store.url.to_string(), "sqlite://deskbell.db");
    assert_eq!(config.sources.len(), 1);
    assert_eq!(config.sources[0].path, ["/api/webhooks", "/api/webhooks/clerk"]);
    assert_eq!(config.sources[0].signing_secrets.len(), 1);
    assert_eq!(database_of(&config).url.to_string(), "sqlite://clerk.db");
}

#[test]
fn every_key_is_read() {
    let text = r#"
        [server]
        listen = "0.0.0.0:8080"
        admin_token = "env:TOKEN"
        body_bytes_max = 2048

        [store]
        url = "sqlite:///var/lib/deskbell/log.db"

        [[source]]
        name = "production"
        path = "/hooks/production"
        signing_secrets = ["env:PRODUCTION", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"]
        tolerance = "10m"
        instance_id = "ins_1"

        [[source]]
        name = "staging"
        path = ["/hooks/staging"]
        signing_secrets = "env:STAGING"

        [[destination]]
        name = "app"
        type = "database"
        url = "env:MIRROR"
    "#;
    let environment = environment(&[
        ("TOKEN", "t0ken"),
        ("PRODUCTION", SECRET),
        (
            "STAGING",
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ),
        ("MIRROR", "sqlite://app.db"),
    ]);
    let config = load(text, &environment).unwrap().config;
    assert_eq!(config.server.listen().to_string(), "0.0.0.0:8080");
    assert_eq!(config.server.admin_token.as_ref().unwrap().expose(), "t0ken");
    assert_eq!(config.server.body_bytes_max, 2048);
    assert_eq!(config.store.url, DatabaseUrl::sqlite(Path::new("/var/lib/deskbell/log.db")));
    let [production, staging] = &config.sources[..] else { panic!("two sources") };
    assert_eq!(production.path, ["/hooks/production"]);
    assert_eq!(production.signing_secrets.len(), 2);
    assert_eq!(production.tolerance.0, Duration::from_secs(600));
    assert_eq!(production.instance_id.as_deref(), Some("ins_1"));
    assert_eq!(staging.signing_secrets.len(), 2, "a variable may hold several");
    assert_eq!(database_of(&config).url.to_string(), "sqlite://app.db");
}

#[test]
fn numbers_and_addresses_may_come_from_the_environment() {
    let text = "[server]\nlisten = \"env:PORT_ADDRESS\"\nbody_bytes_max = \"env:BYTES\"\n";
    let environment = environment(&[
        ("CLERK_WEBHOOK_SIGNING_SECRET", SECRET),
        ("PORT_ADDRESS", "0.0.0.0:80"),
        ("BYTES", "512"),
    ]);
    let config = load(text, &environment).unwrap().config;
    assert_eq!(config.server.listen().to_string(), "0.0.0.0:80");
    assert_eq!(config.server.body_bytes_max, 512);
}

#[test]
fn mistakes_say_what_where_and_how_to_mend_it() {
    let cases = [
        ("unknown_key", "[server]\nlisten = \"127.0.0.1:3000\"\nlisen_address = \"x\"\n"),
        ("unknown_section", "[serverr]\nlisten = \"127.0.0.1:3000\"\n"),
        ("wrong_type", "[server]\nbody_bytes_max = \"a lot\"\n"),
        ("bad_address", "[server]\nlisten = \"localhost\"\n"),
        ("unset_variable", "[server]\nlisten = \"env:NOT_SET\"\n"),
        ("not_toml", "[server\nlisten = 3\n"),
        ("bad_duration", "[[source]]\ntolerance = \"5 parsecs\"\n"),
        ("unknown_database", "[store]\nurl = \"mongodb://user:hunter2@host/db\"\n"),
        ("missing_key", "[[destination]]\nname = \"app\"\ntype = \"database\"\n"),
        (
            "unknown_destination",
            "[[destination]]\nname = \"a\"\ntype = \"databse\"\nurl = \"sqlite://a.db\"\n",
        ),
        (
            "same_path_twice",
            "[[source]]\nname = \"a\"\npath = [\"/x\"]\n\n[[source]]\nname = \"b\"\npath = [\"/y\", \"/x\"]\n",
        ),
        ("same_name_twice", "[[source]]\npath = [\"/x\"]\n\n[[source]]\npath = [\"/y\"]\n"),
        ("path_with_wildcard", "[[source]]\npath = [\"/hooks/{id}\"]\n"),
        (
            "mirror_in_the_log",
            "[store]\nurl = \"sqlite://a.db\"\n\n[[destination]]\nname = \"a\"\ntype = \"database\"\nurl = \"sqlite://a.db\"\n",
        ),
        ("unknown_key_of_the_mirror", "[mirror]\nenabeld = true\n"),
        (
            "name_of_the_default_mirror",
            "[mirror]\nenabled = true\n\n[[destination]]\nname = \"mirror\"\ntype = \"slack\"\n\
             webhook_url = \"https://hooks.slack.com/services/T0/B0/x\"\ntext = \"{{ id }}\"\n",
        ),
        ("path_of_ours", "[[source]]\npath = \"/healthz\"\n"),
    ];
    for (name, text) in cases {
        let error = load(text, &usual()).expect_err(name);
        assert_rendered(name, &error);
    }
}

#[test]
fn no_secret_says_what_to_set_and_where_to_find_it() {
    let error = load("", &environment(&[])).unwrap_err();
    assert_rendered("no_secret", &error);
}

#[test]
fn a_secret_never_shows_in_an_error() {
    let leaks = [
        format!("[[source]]\nsigning_secrets = [\"{SECRET}\"]\ntolernce = \"5m\"\n"),
        "[[source]]\nsigning_secrets = [\"sk_test_hunter2hunter2\"]\n".to_owned(),
        format!("[[source]]\nsigning_secrets = [\n  '{SECRET}',\n  7,\n]\n"),
        "[server]\nadmin_token = \"hunter2\"\nlisten = 7\n".to_owned(),
        "[store]\nurl = \"postgres://app:hunter2@db:x/app\"\n".to_owned(),
        "[store]\nurl = \"mysql://db/app?password=hunter2\"\n".to_owned(),
        database("url = 3"),
        database("schema = 3"),
        format!("[[source]]\nsigning_secrets = [\"{SECRET}\"\n"),
    ];
    for text in leaks {
        let error = load(&text, &usual()).unwrap_err();
        assert!(!error.contains("hunter2") && !error.contains("MfKQ9r8"), "{error}");
    }
}

#[test]
fn the_older_variable_is_read_and_a_conflict_is_mentioned() {
    let older = environment(&[("CLERK_WEBHOOK_SECRET", SECRET)]);
    assert_eq!(load("", &older).unwrap().warnings, [] as [&str; 0]);
    let both = environment(&[
        ("CLERK_WEBHOOK_SIGNING_SECRET", SECRET),
        ("CLERK_WEBHOOK_SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
    ]);
    let warnings = load("", &both).unwrap().warnings;
    assert!(warnings[0].contains("CLERK_WEBHOOK_SECRET is set too"), "{warnings:?}");
}

#[test]
fn a_missing_file_that_was_named_is_an_error() {
    let error = Config::load(Some("no-such.toml".as_ref()), &usual()).unwrap_err();
    assert!(error.to_string().contains("no-such.toml cannot be read"), "{error}");
}
