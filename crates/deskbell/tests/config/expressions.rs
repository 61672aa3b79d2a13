//! Expressions, patterns and statements of the config: what is an error, and what is a warning.

use super::{assert_rendered, database, load, usual};

fn http(keys: &str) -> String {
    let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    format!(
        "[[destination]]\nname = \"app\"\ntype = \"http\"\nurl = \"https://app.example/hook\"\n\
         secret = \"{secret}\"\n{keys}\n"
    )
}

fn table(keys: &str) -> String {
    database(&format!("[[destination.table]]\ninto = \"people\"\n{keys}"))
}

fn statement(keys: &str) -> String {
    database(&format!("[[destination.statement]]\n{keys}"))
}

#[test]
fn what_can_only_be_a_mistake_is_an_error() {
    for (name, text) in [
        (
            "column_of_unknown_field",
            table(
                "entity = \"user\"\nkey = { id = \"user.id\" }\n\
                 columns = { email = \"user.primary_email_address\", name = \"user.full_nam\" }",
            ),
        ),
        (
            "column_of_another_entity",
            table(
                "entity = \"organization_membership\"\nkey = { id = \"membership.id\" }\n\
                 columns = { email = \"user.primary_email_address\" }",
            ),
        ),
        (
            "set_of_unknown_field",
            table(
                "entity = \"user\"\nkey = { id = \"user.id\" }\n\
                 on_delete = { set = { gone = \"user.delted\" } }",
            ),
        ),
        ("when_unknown_field", http("when = 'user.banned || user.frist_name == \"a\"'")),
        ("pattern_plural", http("events = [\"users.*\"]")),
        (
            "param_of_unknown_field",
            statement(
                "on = [\"user.*\"]\nsql = \"select :id\"\nparams = { id = \"user.external_idd\" }",
            ),
        ),
        ("statement_commit", statement("on = [\"user.*\"]\nsql = \"commit\"")),
        (
            "statement_twice",
            statement("on = [\"user.*\"]\nsql = '''\nselect 1;\n  rollback to savepoint x\n'''"),
        ),
        (
            "statement_placeholder",
            statement("on = [\"user.*\"]\nsql = \"insert into t values ($2)\""),
        ),
        (
            "statement_same_name",
            statement(
                "name = \"a\"\non = [\"user.*\"]\nsql = \"select 1\"\n[[destination.statement]]\n\
                 name = \"a\"\non = [\"user.*\"]\nsql = \"select 2\"",
            ),
        ),
    ] {
        let error = load(&text, &usual()).expect_err(name);
        assert_rendered(name, &error);
    }
}

#[test]
fn what_no_delete_has_is_an_error_in_what_a_delete_sets() {
    for (name, text) in [
        (
            "set_of_field_that_no_delete_has",
            table(
                "entity = \"user\"\nkey = { id = \"user.id\" }\n\
                 on_delete = { set = { gone = \"true\", name = \"'gone ' + user.first_name\" } }",
            ),
        ),
        (
            "set_of_data_that_no_delete_has",
            table(
                "entity = \"organization\"\nkey = { id = \"organization.id\" }\n\
                 on_delete = { set = { slug = \"data.slug\" } }",
            ),
        ),
        (
            "set_of_source",
            table(
                "entity = \"user\"\nkey = { id = \"user.id\" }\n\
                 on_delete = { set = { origin = \"source\" } }",
            ),
        ),
    ] {
        let error = load(&text, &usual()).expect_err(name);
        assert_rendered(name, &error);
    }
}

#[test]
fn what_may_be_new_is_a_warning() {
    let text = format!(
        "{}\n{}",
        http("events = [\"user.*\"]\nwhen = 'data.frist_name == \"a\" && organization.id != \"\"'"),
        statement(
            "on = [\"machine.created\"]\nsql = \"insert into t values (:id)\"\n\
             params = { id = \"data.whatever\" }"
        )
        .replace("name = \"app\"", "name = \"db\""),
    );
    let warnings = load(&text, &usual()).unwrap().warnings;
    let shown: Vec<_> =
        warnings.iter().map(|warning| warning.split_once("deskbell.toml:").unwrap().1).collect();
    assert_eq!(
        shown,
        [
            "7: the condition `when`: `data` has no field `frist_name` at column 1, did you mean \
             `first_name`? It is null where it is missing",
            "7: the condition `when` uses `organization`, which none of its events has: it is always \
             null; every event has `data`, `subject`, `type` and others",
            "14: no event type that this version knows matches `machine.created`; `deskbell types` \
             lists them",
        ]
    );
}

#[test]
fn what_no_delete_has_is_a_warning_where_only_deletes_come() {
    let warnings = |on: &str, param: &str| {
        let text = statement(&format!(
            "on = [{on}]\nsql = \"insert into t values (:x)\"\nparams = {{ x = \"{param}\" }}"
        ));
        let warnings = load(&text, &usual()).unwrap().warnings;
        let shown = warnings.iter().map(|warning| warning.split_once("deskbell.toml:").unwrap().1);
        shown.map(str::to_owned).collect::<Vec<_>>()
    };
    let deleted = "\"user.deleted\", \"organization.deleted\"";
    assert_eq!(
        warnings("\"user.deleted\"", "user.full_name"),
        ["8: the parameter `x` uses `user.full_name`, which no delete has: it is always null; an \
             event of a delete has `data.id`, `subject`, `occurred_at` and others"]
    );
    assert_eq!(warnings(deleted, "data.name").len(), 1);
    for (on, param) in [
        (deleted, "data.id"),
        (deleted, "data.slug"),
        ("\"user.deleted\"", "user.external_id"),
        ("\"user.deleted\"", "event_attributes.http_request.client_ip"),
        ("\"user.deleted\", \"user.created\"", "user.full_name"),
        ("\"organizationMembership.deleted\"", "membership.user_id"),
    ] {
        assert_eq!(warnings(on, param), [""; 0], "{on} {param}");
    }
}

#[test]
fn what_is_right_is_no_warning() {
    let text = format!(
        "{}\n{}",
        http("events = [\"user.*\"]\nwhen = 'data.public_metadata.plan.of.any == \"a\"'"),
        table(
            "entity = \"user\"\nkey = { id = \"user.id\" }\n\
             columns = { ip = \"event_attributes.http_request.client_ip\", plan = \"data.public_metadata.plan\" }\n\
             on_delete = { set = { ip = \"null\", gone = \"user.deleted\", at = \"occurred_at\", \
             by = \"id + type + subject\", email = \"'gone+' + data.id + user.id\" } }"
        )
        .replace("name = \"app\"", "name = \"db\""),
    );
    assert_eq!(load(&text, &usual()).unwrap().warnings, [""; 0]);
}

#[test]
fn one_mirror_in_a_schema_and_others_beside_it() {
    let mirror = |name: &str, url: &str, keys: &str| {
        format!(
            "[[destination]]\nname = \"{name}\"\ntype = \"database\"\nurl = \"{url}\"\n{keys}\n"
        )
    };
    let statement =
        "mirror = false\n[[destination.statement]]\non = [\"user.*\"]\nsql = \"select 1\"";
    for (one, other) in [
        ("postgres://a@db/app", "postgresql://b:x@DB:5432/app?sslmode=require"),
        ("postgres://a@db/my_app", "postgres://a@%64b/my%5Fapp?sslmode=require&port=5432"),
        ("sqlite://clerk.db", "sqlite:./clerk.db"),
    ] {
        let two = |keys: &str| mirror("a", one, "") + &mirror("b", other, keys);
        let error = load(&two(""), &usual()).unwrap_err();
        assert!(error.contains("`a` mirrors into the same tables"), "{error}");
        for keys in [statement, "schema = \"other\"", "enabled = false"] {
            assert!(load(&two(keys), &usual()).is_ok(), "{other} {keys}");
        }
    }
}

#[test]
fn no_mirror_in_the_file_of_the_log_however_it_is_written() {
    for url in ["sqlite://deskbell.db", "sqlite:./deskbell.db", "sqlite:src/../deskbell.db"] {
        let mirror = "[[destination]]\nname = \"a\"\ntype = \"database\"\nurl = ";
        let error = load(&format!("{mirror}\"{url}\"\n"), &usual()).unwrap_err();
        assert!(error.contains("the mirror cannot be in the event log's file"), "{url}: {error}");
    }
}

#[test]
fn sources_of_different_instances_share_no_mirror() {
    let source = |name: &str, instance: &str| {
        format!(
            "[[source]]\nname = \"{name}\"\npath = \"/{name}\"\ninstance_id = \"{instance}\"\n\
             signing_secrets = [\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]\n"
        )
    };
    let mirror = |keys: &str| {
        format!(
            "[[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"\n\
             {keys}\n"
        )
    };
    let two =
        |instance: &str, keys: &str| source("a", "ins_1") + &source("b", instance) + &mirror(keys);
    let error = load(&two("ins_2", ""), &usual()).unwrap_err();
    assert!(error.contains("`a` and `b` are of different Clerk instances"), "{error}");
    assert!(error.contains("sources = [\"a\"]"), "{error}");
    for (instance, keys) in
        [("ins_1", ""), ("ins_2", "sources = [\"a\"]"), ("ins_2", "enabled = false")]
    {
        load(&two(instance, keys), &usual()).unwrap();
    }
}
