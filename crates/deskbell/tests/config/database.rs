//! `type = "database"`.

use std::time::Duration;

use deskbell::config::{Config, Expressions, OnDelete, OnRowDelete, Stale};

use super::{SECRET, assert_rendered, database, database_of, environment, load, usual};

const ACCOUNT: &str = "entity = \"user\"\ninto = \"accounts\"\nkey = { clerk_id = \"user.id\" }";

#[test]
fn every_key_of_a_database_is_read() {
    let config = load(DATABASE, &usual()).unwrap().config;
    let [destination] = &config.destinations[..] else { panic!("one destination") };
    let app = database_of(&config);
    assert_eq!(app.url.with_password(), "postgres://app:hunter2@db/app");
    assert_eq!(app.url.to_string(), "postgres://app:***@db/app");
    assert!(!format!("{config:?}").contains("hunter2"));
    assert_eq!((destination.enabled, app.mirror, app.auto_migrate), (false, false, false));
    assert_eq!(destination.sources.as_deref(), Some(&["clerk".to_owned()][..]));
    assert_eq!((&*app.schema, app.on_delete), ("app_clerk", OnDelete::Mark));
    assert_eq!((app.conflict_patience.0, app.refetch), (Duration::from_secs(7200), true));
    let [customers, members] = &app.tables[..] else { panic!("two tables") };
    assert_eq!((&*customers.entity, &*customers.into), ("user", "public.customers"));
    assert_eq!(customers.key, [("clerk_id", "user.id")].into_iter().collect());
    let as_written = [("name", "user.full_name"), ("email", "user.primary_email_address")];
    assert_eq!(customers.columns, as_written.into_iter().collect());
    let gone = expressions(&[("gone_at", "occurred_at")]);
    assert_eq!(customers.on_delete, OnRowDelete::Set(gone));
    assert_eq!((customers.line.0, members.line.0), (Some(14), Some(21)));
    assert_eq!(members.on_delete, OnRowDelete::Keep);
    let [statement] = &app.statements[..] else { panic!("one statement") };
    assert_eq!(statement.name.as_deref(), Some("welcome"));
    assert_eq!(statement.on, ["user.created", "session.*"]);
    assert_eq!(statement.params, expressions(&[("id", "user.id"), ("at", "occurred_at")]));
    assert_eq!(statement.when.as_deref(), Some("user.banned == false"));
    assert_eq!((statement.stale, statement.line.0), (Stale::Run, Some(27)));
}

const DATABASE: &str = r#"
[[destination]]
name = "app"
type = "database"
url = "postgres://app:hunter2@db/app"
enabled = false
sources = "clerk"
mirror = false
schema = "app_clerk"
auto_migrate = false
on_delete = "mark"
conflict_patience = "2h"
refetch = true
[[destination.table]]
entity = "user"
into = "public.customers"
key = { clerk_id = "user.id" }
columns = { name = "user.full_name", email = "user.primary_email_address" }
on_delete = { set = { gone_at = "occurred_at" } }

[[destination.table]]
entity = "organization_membership"
into = "members"
key = { organization = "membership.organization_id", "user" = "membership.user_id" }
on_delete = "keep"

[[destination.statement]]
name = "welcome"
on = ["user.created", "session.*"]
sql = "INSERT INTO welcomes VALUES (:id, :at)"
params = { id = "user.id", at = "occurred_at" }
when = "user.banned == false"
stale = "run"
"#;

fn expressions(pairs: &[(&str, &str)]) -> Expressions {
    pairs.iter().copied().collect()
}

#[test]
fn what_is_shown_of_a_database_can_be_read_again() {
    let config = load(DATABASE, &usual()).unwrap().config;
    let shown = toml::to_string_pretty(&config).unwrap();
    assert!(!shown.contains("hunter2"), "{shown}");
    let shown = shown.replace("<redacted>", "env:CLERK_WEBHOOK_SIGNING_SECRET");
    let again = load(&shown, &usual()).unwrap().config;
    assert_eq!(toml::to_string_pretty(&again).unwrap(), toml::to_string_pretty(&config).unwrap());
}

#[test]
fn mistakes_in_destinations_say_the_same() {
    let cases = [
        ("log_in_mysql", "[store]\nurl = \"mysql://user:hunter2@host/db\"\n".to_owned()),
        (
            "log_in_the_mirrors_schema",
            format!(
                "[store]\nurl = \"postgres://user:hunter2@db/app\"\n{}",
                database("schema = \"deskbell\"")
            ),
        ),
        ("too_few_connections", "[store]\nconnections_max = 3\n".to_owned()),
        ("unknown_source", database("sources = [\"clark\"]")),
        ("no_source", database("sources = []")),
        ("bad_schema", database("schema = \"My Tables\"")),
        ("unknown_on_delete", database("on_delete = \"marked\"")),
        ("nothing_to_do", database("mirror = false")),
        ("unknown_entity", database("entities = [\"user\", \"organisation\"]")),
        ("unknown_column", database("exclude_columns = [\"user.shoe_size\"]")),
        ("included_without_need", database("include_columns = [\"user.locale\"]")),
        (
            "table_of_unknown_entity",
            table("entity = \"users\"\ninto = \"t\"\nkey = { id = \"user.id\" }"),
        ),
        ("table_without_key", table("entity = \"user\"\ninto = \"t\"\nkey = {}")),
        (
            "table_with_bad_name",
            table("entity = \"user\"\ninto = \"a.b.c\"\nkey = { id = \"user.id\" }"),
        ),
        (
            "table_with_bad_on_delete",
            table(
                "entity = \"user\"\ninto = \"t\"\nkey = { id = \"user.id\" }\non_delete = { sett = {} }",
            ),
        ),
        ("same_table_twice", {
            let one = "entity = \"user\"\ninto = \"t\"\nkey = { id = \"user.id\" }";
            table(&format!("{one}\n[[destination.table]]\n{one}"))
        }),
        (
            "column_twice",
            table(
                "entity = \"user\"\ninto = \"t\"\nkey = { id = \"user.id\" }\ncolumns = { id = \"user.id\" }",
            ),
        ),
        ("statement_on_unknown_type", statement("on = [\"user.create\"]\nsql = \"SELECT 1\"")),
        ("statement_on_nothing", statement("on = []\nsql = \"SELECT 1\"")),
        ("statement_without_sql", statement("on = [\"user.*\"]\nsql = \" \"")),
        (
            "mirrors_that_fight",
            format!(
                "{}{}",
                database(""),
                database("on_delete = \"mark\"").replace("\"app\"", "\"b\"")
            ),
        ),
    ];
    for (name, text) in cases {
        assert_mistake(name, &text);
    }
}

#[test]
fn mistakes_in_values_of_columns_say_where_they_are() {
    let cases = [
        (
            "column_of_new_rows_twice",
            table(
                "entity = \"user\"\ninto = \"t\"\nkey = { id = \"user.id\" }\non_insert = { id = \"uuid()\" }",
            ),
        ),
        (
            "generated_id_of_every_row",
            table(
                "entity = \"user\"\ninto = \"t\"\nkey = { clerk_id = \"user.id\" }\ncolumns = { id = \"uuid()\" }",
            ),
        ),
        (
            "generated_id_in_an_expression",
            table(
                "entity = \"user\"\ninto = \"t\"\nkey = { clerk_id = \"user.id\" }\non_insert = { id = \"'u-' + uuid()\" }",
            ),
        ),
        (
            "lookup_without_its_column",
            table(&format!(
                "{ACCOUNT}\ncolumns = {{ org_id = {{ lookup = \"orgs\", where = {{ clerk_id = \"data.id\" }} }} }}"
            )),
        ),
        (
            "lookup_by_nothing",
            table(&format!(
                "{ACCOUNT}\ncolumns = {{ org_id = {{ lookup = \"orgs\", where = {{}}, column = \"id\" }} }}"
            )),
        ),
        (
            "lookup_by_an_unknown_field",
            table(&format!(
                "{ACCOUNT}\ncolumns = {{ org_id = {{ lookup = \"orgs\", where = {{ clerk_id = \"user.orgid\" }}, column = \"id\" }} }}"
            )),
        ),
        (
            "lookup_with_an_unknown_key",
            table(&format!(
                "{ACCOUNT}\ncolumns = {{ org_id = {{ lookup = \"orgs\", when = {{ clerk_id = \"user.id\" }}, column = \"id\" }} }}"
            )),
        ),
        ("value_that_is_a_number", table(&format!("{ACCOUNT}\ncolumns = {{ org_id = 7 }}"))),
    ];
    for (name, text) in cases {
        assert_mistake(name, &text);
    }
}

fn assert_mistake(name: &str, text: &str) {
    let error = load(text, &usual()).expect_err(name);
    assert!(!error.contains("hunter2"), "{error}");
    assert_rendered(name, &error);
}

fn table(keys: &str) -> String {
    database(&format!("[[destination.table]]\n{keys}"))
}

fn statement(keys: &str) -> String {
    database(&format!("[[destination.statement]]\n{keys}"))
}

const REFETCHING: &str = "[[destination]]\nname = \"app\"\ntype = \"database\"\nurl = \"sqlite://app.db\"\nrefetch = true\n";

#[test]
fn what_is_fetched_needs_the_key_of_each_source() {
    let key = "sk_test_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    assert_rendered("refetch_without_key", &load(REFETCHING, &usual()).unwrap_err());
    let with_key =
        environment(&[("CLERK_WEBHOOK_SIGNING_SECRET", SECRET), ("CLERK_SECRET_KEY", key)]);
    assert!(database_of(&load(REFETCHING, &with_key).unwrap().config).refetch);
    let sources = format!(
        "[[source]]\nname = \"one\"\npath = \"/one\"\nsigning_secrets = \"{SECRET}\"\nsecret_key = \"{key}\"\n\
         [[source]]\nname = \"two\"\npath = \"/two\"\nsigning_secrets = \"{SECRET}\"\n"
    );
    let error = load(&format!("{sources}{REFETCHING}"), &usual()).unwrap_err();
    assert_rendered("refetch_without_key_of_one_source", &error);
    for more in ["sources = \"one\"", "enabled = false"] {
        load(&format!("{sources}{REFETCHING}{more}"), &usual()).unwrap();
    }
}

#[test]
fn commands_that_only_read_need_no_key_to_fetch_with() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("deskbell.toml");
    std::fs::write(&file, REFETCHING).unwrap();
    assert!(Config::load_to_read(Some(&file), &environment(&[])).is_ok());
    let error = Config::load_to_check(Some(&file), &usual()).unwrap_err();
    assert!(super::render(&error).contains("has no secret key"));
}
