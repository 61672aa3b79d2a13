//! `deskbell doctor`: what it says of handlers, and of its own server.

#[cfg(feature = "interop")]
mod handlers;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::support::{Ran, SECRET, Serving, deskbell, directory, finish, run};

fn assert_output(name: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The checks that failed or warn, in their order.
fn faults(ran: &Ran) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let checks = report["checks"].as_array().unwrap().iter();
    checks
        .map(|check| (text(&check["code"]), text(&check["status"])))
        .filter(|(_, status)| status == "fail" || status == "warn")
        .collect()
}

/// A handler that answers this to whatever is sent, and its port.
async fn answering(status: StatusCode, serving: &mut JoinSet<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let routes = Router::new().route("/api/webhooks", post(move || async move { status }));
    serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    port
}

#[tokio::test]
async fn nothing_listens() {
    let directory = directory();
    let url = "http://127.0.0.1:9/api/webhooks";
    let ran = run(directory.path(), &["doctor", url]).await;
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_output("doctor_nothing_listens", &ran.stdout);
}

#[tokio::test]
async fn a_handler_that_verifies_nothing_has_one_fault() {
    let directory = directory();
    let mut serving = JoinSet::new();
    let port = answering(StatusCode::OK, &mut serving).await;
    let url = format!("http://127.0.0.1:{port}/api/webhooks");
    let ran = run(directory.path(), &["doctor", &url, "--json", "--slow-after", "10s"]).await;
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let mut report: Value = serde_json::from_str(&ran.stdout).unwrap();
    for check in report["checks"].as_array_mut().unwrap() {
        if check["code"] == "answer_time" {
            check["found"] = json!("the slowest answer took TIME");
        }
    }
    let shown = format!("{report:#}").replace(&port.to_string(), "PORT");
    assert!(!shown.contains(&SECRET[6..]), "no secret shows");
    assert_output("doctor_no_verification_json", &shown);
}

#[tokio::test]
async fn variables_are_looked_at_and_nothing_is_sent_without_probes() {
    let directory = directory();
    let mut serving = JoinSet::new();
    let port = answering(StatusCode::INTERNAL_SERVER_ERROR, &mut serving).await;
    let env = format!("NEXT_PUBLIC_CLERK_WEBHOOK_SECRET={SECRET}\n");
    std::fs::write(directory.path().join(".env"), env).unwrap();
    let url = format!("http://127.0.0.1:{port}/api/webhooks");
    let mut command = deskbell(directory.path());
    command.env_remove("CLERK_WEBHOOK_SIGNING_SECRET");
    let ran = finish(command.args(["doctor", &url, "--no-probes", "--json"])).await;
    assert_eq!(ran.code, 1);
    let fault = |code: &str, status: &str| (code.to_owned(), status.to_owned());
    assert_eq!(faults(&ran), [fault("exposed", "fail")]);
    assert!(ran.stdout.contains("no events are sent with --no-probes"), "{}", ran.stdout);
}

#[tokio::test]
async fn the_own_server_is_well_and_an_event_that_comes_twice_is_one_row() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let config = format!("[server]\nlisten = \"{}\"\n", serving.address);
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let database = format!("sqlite://{}", directory.path().join("clerk.db").display());
    let doctor = async |table, column| {
        let own = ["doctor", "--json", "--slow-after", "10s", "--database", &database];
        let rows = ["--table", table, "--column", column];
        run(directory.path(), &[&own[..], &rows].concat()).await
    };
    let ran = doctor("clerk_users", "id").await;
    assert_eq!(faults(&ran), [], "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("acknowledged both times, and there is one row"), "{}", ran.stdout);
    assert!(ran.stdout.contains("/readyz: 200"), "{}", ran.stdout);
    for (table, column) in [("clerk_users", "clerk_id"), ("users", "id")] {
        let ran = doctor(table, column).await;
        assert_eq!(faults(&ran), [("duplicate".to_owned(), "warn".to_owned())], "{}", ran.stdout);
    }
}

#[tokio::test]
async fn mistakes_in_the_arguments_are_named() {
    let directory = directory();
    let url = "http://127.0.0.1:9/api/webhooks";
    for (arguments, wanted) in [
        (&["doctor", url, "--secret", "sk_test_1234"][..], "whsec_"),
        (&["doctor", "ftp://127.0.0.1/"], "http://"),
        (&["doctor", url, "--database", "sqlite://x.db"], "--table"),
    ] {
        let ran = run(directory.path(), arguments).await;
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(wanted), "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("sk_test_1234"), "{}", ran.stderr);
    }
}
