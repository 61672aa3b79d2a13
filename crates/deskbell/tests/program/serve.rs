//! `deskbell serve` from its first word to its last.

use deskbell_sim::{Scenario, World};

use super::support::{Serving, deskbell, directory, finish, http_client, mirror_at, run, send};

#[tokio::test]
async fn without_a_secret_it_refuses_to_start_and_says_what_to_do() {
    let directory = directory();
    let ran = finish(deskbell(directory.path()).env_clear().arg("serve")).await;
    assert_eq!(ran.code, 64);
    for wanted in
        ["CLERK_WEBHOOK_SIGNING_SECRET", "Configure > Webhooks", "Signing Secret", "whsec_"]
    {
        assert!(ran.stderr.contains(wanted), "{wanted}: {}", ran.stderr);
    }
    assert!(!directory.path().join("deskbell.db").exists(), "nothing was touched");
}

#[tokio::test]
async fn a_wrong_config_ends_with_64_and_touches_nothing() {
    let directory = directory();
    std::fs::write(directory.path().join("deskbell.toml"), "[server]\nlisen = 1\n").unwrap();
    let ran = run(directory.path(), &["serve"]).await;
    assert_eq!(ran.code, 64);
    assert!(ran.stderr.contains("did you mean `listen`"), "{}", ran.stderr);
    assert!(!directory.path().join("deskbell.db").exists());
}

#[tokio::test]
async fn it_says_where_it_listens_and_writes_and_what_to_do_next() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let address = serving.address.to_string();
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0);
    let said = said.join("\n");
    for wanted in [
        &*address,
        "/api/webhooks",
        "sqlite://deskbell.db",
        "sqlite://clerk.db",
        "ngrok",
        "trigger",
    ] {
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
    assert!(!said.contains("MfKQ9r8"), "the secret does not show");
}

#[tokio::test]
async fn events_become_rows_and_stay_over_a_restart() {
    let directory = directory();
    let http = http_client();
    let mut world = World::new(&Scenario::new(7, 200));
    let serving = Serving::start(directory.path()).await;
    let messages: Vec<_> = world.by_ref().collect();
    for message in &messages {
        assert_eq!(send(&http, &serving.url(), message).await, Some(200));
    }
    mirror_at(directory.path(), 200).await;
    assert_eq!(serving.terminate().await.0, 0);
    let serving = Serving::start(directory.path()).await;
    for message in &messages {
        assert_eq!(send(&http, &serving.url(), message).await, Some(200), "acked as a duplicate");
    }
    let reader = mirror_at(directory.path(), 200).await;
    let users = reader.rows("clerk_users").await.unwrap();
    assert_eq!(users.len(), world.into_truth().count("users"));
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_second_one_on_the_same_store_is_refused() {
    let directory = directory();
    let _serving = Serving::start(directory.path()).await;
    let ran = run(directory.path(), &["serve"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("in use by another deskbell process"), "{}", ran.stderr);
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let other = super::support::directory();
    let config = format!("[server]\nlisten = \"{}\"\n", serving.address);
    std::fs::write(other.path().join("deskbell.toml"), config).unwrap();
    let ran = run(other.path(), &["serve"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains(&serving.address.to_string()), "{}", ran.stderr);
}

#[tokio::test]
async fn it_stops_at_once_while_idle() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let started = std::time::Instant::now();
    assert_eq!(serving.terminate().await.0, 0);
    assert!(started.elapsed().as_secs_f64() < 1.0, "{:?}", started.elapsed());
}
