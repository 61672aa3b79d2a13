//! The application's own statements: in the order of the log, each event once in effect.

use deskbell_sync::statements::{From, resume};
use deskbell_sync::{DatabaseConfig, Expressions, Line, MirrorOptions, Stale, StatementConfig};
use serde_json::{Value, json};

use super::application::Application;
use super::consumer::World;
use super::mapped::{TEAM, pairs};
use super::support::{event, membership};

const ROWS: &str = "SELECT org_id, user_id, role FROM team_members";

pub(crate) fn joining() -> StatementConfig {
    StatementConfig {
        name: None,
        on: vec!["organizationMembership.created".to_owned()],
        sql: "insert into team_members (org_id, user_id, role) values (:org, :user, :role)
              on conflict (org_id, user_id) do update set role = excluded.role"
            .to_owned(),
        params: pairs(&[
            ("org", "data.organization.id"),
            ("user", "data.public_user_data.user_id"),
            ("role", "data.role"),
        ]),
        when: None,
        stale: Stale::Skip,
        expect_rows: None,
        line: Line(Some(9)),
    }
}

fn leaving() -> StatementConfig {
    StatementConfig {
        on: vec!["organizationMembership.deleted".to_owned()],
        sql: "delete from team_members where org_id = :org and user_id = :user".to_owned(),
        params: pairs(&[
            ("org", "data.organization.id"),
            ("user", "data.public_user_data.user_id"),
        ]),
        ..joining()
    }
}

fn options(statements: Vec<StatementConfig>) -> MirrorOptions {
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, statements, ..DatabaseConfig::default() },
    )
}

fn member(updated_at: i64) -> Value {
    membership("orgmem_1", "org_1", "user_1", updated_at)
}

#[tokio::test]
async fn a_created_that_comes_after_its_deleted_brings_nobody_back() {
    let created = event("msg_1", "organizationMembership.created", 1, &member(1));
    let gone = event("msg_2", "organizationMembership.deleted", 2, &member(2));
    for at_once in [false, true] {
        let mut app = Application::new(&[TEAM], options(vec![joining(), leaving()])).await;
        app.apply_in_order(&[created.clone(), gone.clone()], at_once).await;
        assert!(app.rows(ROWS).await.is_empty());
        let mut app = Application::new(&[TEAM], options(vec![joining(), leaving()])).await;
        app.apply_in_order(&[gone.clone(), created.clone()], at_once).await;
        assert!(app.rows(ROWS).await.is_empty(), "at once: {at_once}");
    }
}

#[tokio::test]
async fn an_event_that_is_older_than_one_that_has_run_is_left_out_unless_asked_for() {
    let on = vec!["organizationMembership.*".to_owned()];
    for (stale, role) in [(Stale::Skip, "org:5"), (Stale::Run, "org:3")] {
        let statement = StatementConfig { on: on.clone(), stale, ..joining() };
        let mut app = Application::new(&[TEAM], options(vec![statement])).await;
        let newer = event("msg_1", "organizationMembership.updated", 5, &member(5));
        let older = event("msg_2", "organizationMembership.updated", 3, &member(3));
        app.apply_in_order(&[newer, older], false).await;
        assert_eq!(app.rows(ROWS).await, [["org_1", "user_1", role]]);
    }
}

#[tokio::test]
async fn reading_the_log_again_runs_nothing_twice() {
    let counting = StatementConfig {
        sql: "insert into team_members (org_id, user_id, role) values (:org, :id, :role)"
            .to_owned(),
        params: pairs(&[("org", "data.organization.id"), ("id", "id"), ("role", "data.role")]),
        ..joining()
    };
    let mut app = Application::new(&[TEAM], options(vec![counting])).await;
    let created = event("msg_1", "organizationMembership.created", 1, &member(1));
    app.apply(std::slice::from_ref(&created)).await;
    app.rewind().await;
    app.apply(&[created]).await;
    assert_eq!(app.rows(ROWS).await, [["org_1", "msg_1", "org:1"]]);
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_condition_decides_and_types_are_those_of_the_columns() {
    let table = "CREATE TABLE visits (id text PRIMARY KEY, seen timestamp, days integer,
        vip boolean, meta text)";
    let statement = StatementConfig {
        on: vec!["user.*".to_owned()],
        sql: "insert into visits (id, seen, days, vip, meta)
              values (:id, :seen, :days, :vip, :meta)"
            .to_owned(),
        params: pairs(&[
            ("id", "subject"),
            ("seen", "occurred_at"),
            ("days", "data.public_metadata.days"),
            ("vip", "data.banned == false"),
            ("meta", "data.public_metadata"),
        ]),
        when: Some("data.public_metadata.plan == 'pro'".to_owned()),
        ..joining()
    };
    let mut app = Application::new(&[table], options(vec![statement])).await;
    let data = |id: &str, plan: &str| json!({ "id": id, "banned": false, "public_metadata": { "plan": plan, "days": 3 } });
    app.apply(&[
        event("msg_1", "user.created", 1_654_012_591_835, &data("user_1", "pro")),
        event("msg_2", "user.created", 1, &data("user_2", "free")),
        event("msg_3", "user.created", 1, &json!({ "id": "user_3" })),
    ])
    .await;
    let rows = app.rows("SELECT id, days, vip, meta FROM visits").await;
    assert_eq!(rows, [["user_1", "3", "true", "{\"days\":3,\"plan\":\"pro\"}"]]);
}

#[tokio::test]
async fn what_the_database_refuses_of_one_event_is_a_dead_letter_after_a_few_tries() {
    let table = "CREATE TABLE team_members (org_id text, user_id text, role text,
        UNIQUE (org_id, user_id), CHECK (role <> 'org:2'))";
    let both = vec![leaving(), StatementConfig { on: leaving().on, ..joining() }];
    let mut app = Application::new(&[table], options([vec![joining()], both].concat())).await;
    app.run("INSERT INTO team_members VALUES ('org_1', 'user_1', 'kept')").await;
    // Both statements of the event are undone.
    app.apply_isolated(&[event("msg_1", "organizationMembership.deleted", 2, &member(2))]).await;
    assert_eq!(app.rows(ROWS).await, [["org_1", "user_1", "kept"]]);
    let letters = app.dead_letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["message_id"], "msg_1");
}

#[tokio::test]
async fn what_makes_no_sense_is_said_before_the_first_event() {
    let with = |change: &dyn Fn(&mut StatementConfig)| {
        let mut statement = joining();
        change(&mut statement);
        statement
    };
    let few = pairs(&[("org", "data.organization.id")]);
    let mut more = joining().params;
    more.0.extend(pairs::<Expressions>(&[("x", "id")]).0);
    for (statement, message) in [
        (with(&|s| s.params.clone_from(&few)), "parameter :user is not in params"),
        (with(&|s| s.params.clone_from(&more)), "params has \"x\""),
        (with(&|s| s.sql = s.sql.replace("team_members", "teams")), "teams"),
        (with(&|s| s.sql = s.sql.replace("insert", "insret")), "syntax error"),
        (with(&|s| s.when = Some("usr == 1".to_owned())), "unknown name `usr`"),
    ] {
        let error = Application::refused(&[TEAM], options(vec![statement])).await;
        assert!(error.contains(message), "{error}");
        assert!(error.contains("line 9 of the config"), "{error}");
    }
}

#[tokio::test]
async fn where_one_statement_of_an_event_makes_no_sense_none_of_them_runs() {
    let mut wrong = StatementConfig { name: Some("wrong".to_owned()), ..joining() };
    wrong.params.0[2].1 = "1 / data.public_user_data.zero".to_owned();
    let mut app = Application::new(&[TEAM], options(vec![joining(), wrong])).await;
    let mut data = member(1);
    data["public_user_data"]["zero"] = 0.into();
    app.apply(&[event("msg_1", "organizationMembership.created", 1, &data)]).await;
    assert!(app.rows(ROWS).await.is_empty());
    let letters = app.dead_letters().await;
    assert_eq!((letters.len(), &letters[0]["part"]), (1, &json!("wrong")));
}

/// A destination whose statement has run for one event of one log, and a second log with another.
async fn with_another_log() -> (World, MirrorOptions) {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run(TEAM).await;
    let statement = StatementConfig {
        sql: "insert into team_members (org_id, user_id, role) values (:org, :id, :role)"
            .to_owned(),
        params: pairs(&[("org", "data.organization.id"), ("id", "id"), ("role", "data.role")]),
        ..joining()
    };
    world.options = MirrorOptions {
        database: DatabaseConfig { statements: vec![statement], ..world.options.database },
        ..world.options
    };
    world.append("msg_1", "organizationMembership.created", &member(1)).await;
    drain(&world).await;
    world.replace_the_log().await;
    world.append("msg_2", "organizationMembership.created", &member(2)).await;
    drain(&world).await;
    let options = world.options.clone();
    (world, options)
}

async fn drain(world: &World) {
    let mut consumer = world.consumer().await;
    while consumer.run_once().await.unwrap().more {}
}

#[tokio::test]
async fn another_log_holds_statements_back_until_somebody_says_where_they_go_on() {
    let ids = "SELECT user_id FROM team_members ORDER BY 1";
    for (from, then) in [
        (From::Now, vec![["msg_1"], ["msg_3"]]),
        (From::Beginning, vec![["msg_1"], ["msg_2"], ["msg_3"]]),
    ] {
        let (world, options) = with_another_log().await;
        assert_eq!(world.place.rows(ids).await, [["msg_1"]]);
        assert_eq!(world.reader().await.rows("organization_memberships").await.unwrap().len(), 1);
        assert!(resume(&options, from).await.unwrap());
        assert!(!resume(&options, from).await.unwrap(), "they are held no more");
        world.append("msg_3", "organizationMembership.created", &member(3)).await;
        drain(&world).await;
        assert_eq!(world.place.rows(ids).await, then, "{from:?}");
    }
}

/// A statement that runs for paying users, with what it is given of one.
fn paying() -> StatementConfig {
    StatementConfig {
        on: vec!["user.*".to_owned()],
        sql: "insert into team_members (org_id, user_id, role) values (:id, :type, :name)"
            .to_owned(),
        params: pairs(&[("id", "user.id"), ("type", "type"), ("name", "user.full_name")]),
        when: Some("data.public_metadata.plan == 'pro'".to_owned()),
        ..joining()
    }
}

fn user_with(odd: &str) -> String {
    format!(
        r#"{{"type":"user.created","data":{{"id":"user_1","first_name":"Mira","last_name":"\u0000",
        "unsafe_metadata":{{"x":{odd}}},"public_metadata":{{"plan":"pro"}}}}}}"#
    )
}

#[tokio::test]
async fn what_no_value_holds_hides_nothing_from_a_statement() {
    let deep = format!("{}1{}", "[".repeat(130), "]".repeat(130));
    let deepest = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for odd in [&*deep, &*deepest, r#""\ud800""#, "1e400", r#""\u0000""#] {
        let mut app = Application::new(&[TEAM], options(vec![paying()])).await;
        let mut created = event("msg_1", "user.created", 1, &json!({}));
        created.payload = user_with(odd).into();
        app.apply(&[created]).await;
        assert_eq!(app.rows(ROWS).await, [["user_1", "user.created", "Mira \u{fffd}"]], "{odd:.9}");
        assert!(app.dead_letters().await.is_empty(), "{odd:.9}");
    }
}

#[tokio::test]
async fn a_nul_in_the_type_of_an_event_stops_nothing() {
    let of_data = StatementConfig {
        params: pairs(&[("id", "data.id"), ("type", "type"), ("name", "data.first_name")]),
        ..paying()
    };
    let mut app = Application::new(&[TEAM], options(vec![of_data])).await;
    let mut odd = event("msg_1", "user.created\0", 1, &json!({}));
    odd.payload = user_with("1").into();
    let mut next = event("msg_2", "user.updated", 2, &json!({}));
    next.payload = user_with("1").replace("user_1", "user_2").into();
    app.apply(&[odd, next]).await;
    let rows = app.rows("SELECT org_id, user_id FROM team_members ORDER BY 1").await;
    assert_eq!(rows, [["user_1", "user.created\u{fffd}"], ["user_2", "user.updated"]]);
    assert!(app.dead_letters().await.is_empty());
}

#[test]
fn a_text_that_is_no_statement_is_refused_before_the_first_event() {
    let check = |statements| {
        let url = "postgres://db/app".parse().unwrap();
        let config = DatabaseConfig { url, ..options(statements).database };
        deskbell_sync::check(&config).unwrap_err().to_string()
    };
    let saying = |sql: &str| StatementConfig { sql: sql.to_owned(), ..joining() };
    for (sql, said) in [
        ("commit", "controls the transaction"),
        ("insert into t values (:org); rollback", "expected one statement"),
        ("insert into t values ($2)", "`$2` has no value"),
        ("set role postgres", "the session"),
        ("-- nothing", "no statement"),
    ] {
        let error = check(vec![saying(sql)]);
        assert!(error.contains(said) && error.contains("line 9 of the config"), "{sql}: {error}");
    }
    let again = StatementConfig { line: Line(Some(20)), ..joining() };
    let error = check(vec![joining(), again.clone()]);
    let said = "[[destination.statement]] in line 20 of the config: same statement as \
                [[destination.statement]] in line 9 of the config: insert into team_members";
    assert!(error.starts_with(said), "{error}");
    let named = |one: StatementConfig| StatementConfig { name: Some("a".into()), ..one };
    let error = check(vec![named(joining()), named(leaving())]);
    assert!(error.contains("same statement as a"), "{error}");
    let titles = deskbell_sync::statements::titles(&[joining(), named(leaving())]);
    let titles: Vec<_> = titles.values().map(String::as_str).collect();
    assert_eq!(
        titles,
        [
            "a",
            "[[destination.statement]] in line 9 of the config: insert into team_members (org_id, user_i…"
        ]
    );
}
