//! `deskbell config check` of the templates that destinations are made of.

use testkit::SqliteFile;

use super::support::{directory, run};

const SLACK: &str =
    "type = \"slack\"\nwebhook_url = \"https://hooks.slack.com/services/T0/hunter2\"";
const EMAIL: &str = "type = \"email\"\nprovider = \"resend\"\napi_key = \"re_hunter2\"\n\
    from = \"hello@acme.example\"\nto = \"{{ user.primary_email_address }}\"";

#[tokio::test]
async fn a_mistake_is_told_with_its_destination_its_template_and_its_line() {
    for (kind, keys, wanted) in [
        (SLACK, "text = \"{{ user.full_name \"", "template ops/text, line 1: unexpected end"),
        (
            SLACK,
            "text = \"\"\"a\n{{ usr.id }}\"\"\"",
            "ops/text, line 2: unknown name `usr`, did you",
        ),
        (SLACK, "text = \"{{ id | nofilter }}\"", "template ops/text, line 1: unknown filter"),
        (SLACK, "text = \"a\\n{% if id == none %}{% endif %}\"", "line 2: write `is none`"),
        (SLACK, "blocks = \"[{\"", "`blocks` is not valid JSON at line 1"),
        (SLACK, "text = \"file:text.txt\"", "template text.txt, line 3: unknown name `nothing`"),
        (SLACK, "text = \"{{ user.frist_name }}\"", "did you mean `first_name`?"),
        (EMAIL, "subject = \"{{ usr }}\"\ntext = \"a\"", "template ops/subject, line 1"),
        (EMAIL, "subject = \"a\"\nhtml = \"{% for x in y %}\"", "template ops/html, line 1"),
    ] {
        let directory = directory();
        let config = format!("[[destination]]\nname = \"ops\"\n{kind}\n{keys}\n");
        std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
        std::fs::write(directory.path().join("text.txt"), "a\nb\n{{ nothing }}\n").unwrap();
        let ran = run(directory.path(), &["config", "check"]).await;
        // Without the frame of the report, and its breaks.
        let said = ran.stderr.replace(['│', '\n'], " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ran.code, 64, "{keys}: {said}");
        assert!(said.contains(wanted), "{keys}: {said}");
        assert!(said.contains("invalid destination `ops`"), "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn what_deserves_a_word_is_no_error() {
    let directory = directory();
    let config = format!(
        "[[destination]]\nname = \"ops\"\n{SLACK}\nevents = [\"user.*\"]\n\
         when = \"data.frist_name != null\"\ntext = \"{{{{ data.ful_name }}}}{{{{ id }}}}\"\n"
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let ran = run(directory.path(), &["config", "check"]).await;
    assert_eq!((ran.code, &*ran.stdout), (0, "deskbell.toml is valid\n"), "{}", ran.stderr);
    for wanted in [
        "warning: deskbell.toml:6: the condition `when`: `data` has no field `frist_name`",
        "warning: template ops/text: `data` has no field `ful_name`",
    ] {
        assert!(ran.stderr.contains(wanted), "{}", ran.stderr);
    }
    let ran = run(directory.path(), &["config", "check", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["warnings"].as_array().map(Vec::len), Some(2), "{json}");
}

#[tokio::test]
async fn a_receiver_that_no_request_is_sent_to_is_named() {
    for (url, more, refused) in [
        ("http://localhost:4000/hook", "", true),
        ("http://10.0.0.7/hook", "", true),
        ("http://localhost:4000/hook", "allow_hosts = [\"localhost\"]", false),
        ("https://hooks.example.com/", "", false),
    ] {
        let directory = directory();
        let config = format!(
            "[[destination]]\nname = \"app\"\ntype = \"http\"\nurl = \"{url}\"\n\
             secret = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"\n{more}\n"
        );
        std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
        let ran = run(directory.path(), &["config", "check"]).await;
        assert_eq!(ran.code, if refused { 64 } else { 0 }, "{url} {more}: {}", ran.stderr);
        assert_eq!(ran.stderr.contains("allow_hosts"), refused, "{}", ran.stderr);
    }
}

#[tokio::test]
async fn another_name_for_a_type_is_understood_in_the_error() {
    for (other, meant) in [("postgres", "database"), ("webhook", "http"), ("smtp", "email")] {
        let directory = directory();
        let config = format!("[[destination]]\nname = \"app\"\ntype = \"{other}\"\n");
        std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
        let ran = run(directory.path(), &["config", "check"]).await;
        assert!(ran.stderr.contains(&format!("did you mean `{meant}`?")), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn the_databases_are_checked_where_that_is_asked_for() {
    let directory = directory();
    let database = SqliteFile::new("app.db");
    let url = database.url();
    let table = |into: &str, columns: &str| {
        format!(
            "[[destination.table]]\nentity = \"user\"\ninto = \"{into}\"\n\
             key = {{ clerk_id = \"user.id\" }}\ncolumns = {{ {columns} }}\n"
        )
    };
    let destination = |name: &str, tables: &str| {
        format!(
            "[[destination]]\nname = \"{name}\"\ntype = \"database\"\nurl = \"{url}\"\n\
             schema = \"{name}\"\nmirror = false\n{tables}"
        )
    };
    let check = async |destinations: &str| {
        std::fs::write(directory.path().join("deskbell.toml"), destinations).unwrap();
        run(directory.path(), &["config", "check", "--live"]).await
    };
    let good = destination("good", &table("accounts", "email = \"user.primary_email_address\""));
    let ran = check(&good).await;
    assert_eq!(ran.code, 1, "there is no such file: {}", ran.stderr);
    database.run("CREATE TABLE accounts (clerk_id text PRIMARY KEY, email text, name text)").await;
    let before = std::fs::read(database.path()).unwrap();
    let ran = check(&good).await;
    assert_eq!((ran.code, &*ran.stdout), (0, "deskbell.toml is valid\n"), "{}", ran.stderr);
    assert!(std::fs::read(database.path()).unwrap() == before, "nothing is made");
    let no_table = destination("one", &table("acounts", "email = \"user.full_name\""));
    let no_column = table("accounts", "mail = \"user.full_name\"");
    let two = no_column + &table("people", "name = \"user.full_name\"");
    let no_column = destination("two", &two);
    let ran = check(&format!("{good}{no_table}{no_column}")).await;
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    // Without the frame of the report, and its breaks.
    let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    let every = ["no table \"acounts\"", "no column \"mail\"", "no table \"people\""];
    for expected in every {
        assert!(said.contains(expected), "{said}");
    }
}
