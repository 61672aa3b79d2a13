//! `deskbell trigger` against a running server, and its mistakes.

use super::support::{SECRET, Serving, directory, mirror_at, run};

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
    let types: Vec<serde_json::Value> = serde_json::from_str(&listed.stdout).unwrap();
    assert!(types.len() >= 51, "{}", types.len());
    for entry in &types {
        let name = entry["type"].as_str().unwrap();
        let ran =
            run(directory.path(), &["trigger", name, "--url", &serving.url(), "--json"]).await;
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
        let sent: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
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
    let cases: [(&[&str], i32, &str); 6] = [
        (&["user.craeted"], 2, "did you mean user.created"),
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
