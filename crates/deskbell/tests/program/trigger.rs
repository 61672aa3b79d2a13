//! `deskbell trigger` against a running server, and its mistakes.

use std::collections::HashSet;

use deskbell_sim::receiver::{Receiver, Reply};
use serde_json::Value;

use super::support::{Ran, SECRET, Serving, directory, mirror_at, run};

#[tokio::test]
async fn a_triggered_event_becomes_a_row() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let url = serving.url();
    let ran = run(
        directory.path(),
        &[
            "trigger",
            "user.created",
            "--url",
            &url,
            "--set",
            "data.first_name=Ada",
            "--set",
            "data.id=user_ada",
        ],
    )
    .await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.starts_with("200 user.created msg_"), "{}", ran.stdout);
    let reader = mirror_at(directory.path(), 1).await;
    let [row] = &reader.rows("clerk_users").await.unwrap()[..] else { panic!("one row") };
    assert_eq!((&row["id"], &row["first_name"]), (&"user_ada".into(), &"Ada".into()));
}

#[tokio::test]
async fn every_type_of_the_catalog_is_taken() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let listed = run(directory.path(), &["types", "--json"]).await;
    let types: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    assert!(types.len() >= 51, "{}", types.len());
    for entry in &types {
        let name = entry["type"].as_str().unwrap();
        let ran =
            run(directory.path(), &["trigger", name, "--url", &serving.url(), "--json"]).await;
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
        let sent: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(sent["status"], 200, "{name}");
    }
    mirror_at(directory.path(), i64::try_from(types.len()).unwrap()).await;
}

#[tokio::test]
async fn the_same_id_is_one_event() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let url = serving.url();
    let ran = run(
        directory.path(),
        &["trigger", "user.created", "--url", &url, "--id", "msg_again", "--count", "3"],
    )
    .await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), 3);
    let ran = run(directory.path(), &["trigger", "user.updated", "--url", &url]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    mirror_at(directory.path(), 2).await;
}

#[tokio::test]
async fn mistakes_are_named() {
    let directory = directory();
    let url = "http://127.0.0.1:9/api/webhooks";
    std::fs::write(directory.path().join("own.toml"), "[[step]]\ntype = \"user.craeted\"").unwrap();
    let cases: [(&[&str], i32, &str); 15] = [
        (&["user.craeted"], 2, "did you mean user.created"),
        (&["sing-up"], 2, "did you mean sign-up"),
        (&["./none.toml"], 2, "./none.toml: the file cannot be read"),
        (&["./own.toml"], 2, "./own.toml: step 1 (user.craeted): unknown event type"),
        (&["sign-up", "--set", "data.id=x"], 2, "--set is for one event"),
        (&["sign-up", "--id", "msg_x"], 2, "use --seed"),
        (&["user.created", "--edit"], 2, "--edit needs a terminal"),
        (&["user.created", "--rate", "0"], 2, "a number above 0"),
        (&["--body", "{"], 2, "--body is not valid JSON"),
        (&["--body", "@none.json"], 2, "failed to read the body from none.json"),
        (&["user.created", "--set", "data.frist_name=Ada"], 2, "did you mean `data.first_name`"),
        (&["user.created", "--set", "nonsense"], 2, "PATH=VALUE"),
        (&["user.created", "--count", "0"], 2, "--count"),
        (&["user.created", "--secret", "sk_test_1234"], 2, "whsec_"),
        (&["user.created"], 1, "127.0.0.1:9"),
    ];
    for (arguments, code, wanted) in cases {
        let ran = run(directory.path(), &[&["trigger", "--url", url], arguments].concat()).await;
        let said = ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(ran.code, code, "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
        assert!(!said.contains("sk_test_1234"), "{said}");
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_the_server() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let other = SECRET.replace("MfKQ", "MfKR");
    let arguments = ["trigger", "user.created", "--url", &serving.url(), "--secret", &other];
    let ran = run(directory.path(), &arguments).await;
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("400") && ran.stdout.contains("verification_failed"),
        "{}",
        ran.stdout
    );
}

fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn everybody_is_new_and_a_seed_is_always_the_same_person() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let url = serving.url();
    for (arguments, seq, users) in [
        (&["user.created", "--count", "3"][..], 3, 3),
        (&["user.created", "--seed", "7"], 4, 4),
        (&["user.updated", "--seed", "7", "--set", "data.first_name=Ada"], 5, 4),
        (&["user.deleted", "--seed", "7"], 6, 3),
    ] {
        let ran = run(directory.path(), &[&["trigger", "--url", &url], arguments].concat()).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        let rows = mirror_at(directory.path(), seq).await.rows("clerk_users").await.unwrap();
        assert_eq!(rows.len(), users, "{arguments:?}: {rows:?}");
        let addresses: HashSet<_> =
            rows.iter().map(|row| row["primary_email_address"].to_string()).collect();
        assert_eq!(addresses.len(), users, "{addresses:?}");
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn scenarios_are_linked_whatever_the_order() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let url = serving.url();
    let mut seq = 0;
    for (name, events, copies) in [
        ("sign-up", 2, 1),
        ("organization", 4, 1),
        ("membership", 8, 2),
        ("subscription", 7, 1),
        ("delete-user", 5, 2),
    ] {
        let mut arguments = vec!["trigger", name, "--url", &url, "--json", "--shuffle"];
        if copies == 2 {
            arguments.push("--duplicate");
        }
        let ran = run(directory.path(), &arguments).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        let sent = lines(&ran);
        assert_eq!(sent.len(), events * copies, "{ran:?}");
        let ids: HashSet<_> = sent.iter().map(|line| line["message_id"].to_string()).collect();
        assert_eq!(ids.len(), events, "{ran:?}");
        seq += i64::try_from(events).unwrap();
    }
    let mirror = mirror_at(directory.path(), seq).await;
    let rows = |table: &'static str| async { mirror.rows(table).await.unwrap() };
    let users: HashSet<_> =
        rows("clerk_users").await.iter().map(|row| row["id"].to_string()).collect();
    // One each, and the member of the organization; the deleted one is gone.
    assert_eq!(users.len(), 5, "{users:?}");
    let members = rows("clerk_organization_memberships").await;
    assert_eq!(members.len(), 3, "{members:?}");
    assert!(members.iter().all(|row| users.contains(&row["user_id"].to_string())), "{members:?}");
    let [payment] = &rows("clerk_payment_attempts").await[..] else { panic!("one payment") };
    assert_eq!(payment["status"], "paid");
    assert!(users.contains(&payment["payer_user_id"].to_string()), "{payment:?}");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_scenario_file_and_a_body_of_ones_own_are_sent() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let url = serving.url();
    let scenario = "[[step]]\ntype = \"user.created\"\nname = \"ada\"\n\
                    set = { \"data.first_name\" = \"Ada\" }\n\
                    [[step]]\ntype = \"organization.created\"\n\
                    set = { \"data.name\" = \"Team of {{ada.first_name}}\" }\n\
                    [[step]]\ntype = \"team.made\"\ndata = { id = \"team_1\" }\n";
    std::fs::write(directory.path().join("own.toml"), scenario).unwrap();
    let body = r#"{"data":{"id":"user_own","object":"user"},"object":"event","timestamp":1800000000000,"type":"user.created","instance_id":"ins_2wLvlsOPrvbwfeGLc0Ti1kGvfrN"}"#;
    std::fs::write(directory.path().join("own.json"), body).unwrap();
    let arguments = ["trigger", "./own.toml", "--url", &url, "--count", "2", "--rate", "100"];
    let ran = run(directory.path(), &arguments).await;
    assert_eq!((ran.code, ran.stdout.lines().count()), (0, 6), "{ran:?}");
    let ran = run(directory.path(), &["trigger", "--body", "@own.json", "--url", &url]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.starts_with("200 user.created msg_"), "{ran:?}");
    let mirror = mirror_at(directory.path(), 7).await;
    let organizations = mirror.rows("clerk_organizations").await.unwrap();
    assert!(organizations.iter().all(|row| row["name"] == "Team of Ada"), "{organizations:?}");
    let users = mirror.rows("clerk_users").await.unwrap();
    assert!(users.iter().any(|row| row["id"] == "user_own"), "{users:?}");
    assert_eq!((organizations.len(), users.len()), (2, 3));
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn an_answer_that_is_no_acknowledgement_is_explained_at_once() {
    let directory = directory();
    let receiver = Receiver::start(|_| Reply::Status(401)).await.unwrap();
    let url = receiver.url();
    let arguments = ["trigger", "user.created", "--url", &url, "--count", "2"];
    let ran = run(directory.path(), &arguments).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.stderr.matches("the route asks for a signed-in user").count(), 1, "{ran:?}");
    assert!(ran.stderr.contains("createRouteMatcher"), "{ran:?}");
    assert!(ran.stderr.contains("2 of 2 events were not acknowledged"), "{ran:?}");
    let ran = run(directory.path(), &[&arguments[..], &["--json"]].concat()).await;
    let sent = lines(&ran);
    assert_eq!((&sent[0]["status"], &sent[0]["hint"]["code"]), (&401.into(), &"protected".into()));
}
