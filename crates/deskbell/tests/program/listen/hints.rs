//! Handlers that are down, slow, protected or wrong: each is told what to do.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::support::finish;
use super::{Deployed, command};

/// Handlers with a fault each, by their path.
async fn faulty() -> (String, JoinSet<std::io::Result<()>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/good", post(|| async { "ok" }))
        .route("/protected", post(|| async { Redirect::temporary("/sign-in?redirect_url=%2F") }))
        .route("/unauthorized", post(|| async { StatusCode::UNAUTHORIZED }))
        .route("/parsed", post(|| async { (StatusCode::BAD_REQUEST, "Error verifying webhook") }))
        .route("/get", get(|| async { "no POST here" }))
        .route(
            "/crashing",
            post(|| async {
                (StatusCode::INTERNAL_SERVER_ERROR, "<pre>TypeError: null is not an object</pre>")
            }),
        )
        .route("/moved", post(|| async { Redirect::permanent("/moved/") }))
        .route("/slow", post(std::future::pending::<()>));
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), server)
}

#[tokio::test]
async fn every_fault_has_the_hint_that_fits() {
    let deployed = Deployed::start().await;
    deployed.send(1, "user.created").await;
    let (base, _server) = faulty().await;
    let faults = [
        ("/good", None),
        ("/protected", Some("protected")),
        ("/unauthorized", Some("protected")),
        ("/parsed", Some("verification_failed")),
        ("/get", Some("method_not_allowed")),
        ("/crashing", Some("crashed")),
        ("/moved", Some("redirect")),
        ("/missing", Some("not_found")),
        ("/slow", Some("timed_out")),
    ];
    let mut urls: Vec<_> = faults.iter().map(|(path, _)| format!("{base}{path}")).collect();
    // Nothing listens there.
    let nobody = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap();
    urls.push(format!("http://{nobody}/"));
    let mut arguments = vec!["--replay", "msg_1", "--count", "1", "--timeout", "1s", "--json"];
    arguments.extend(urls.iter().flat_map(|url| ["--forward-to", url]));
    let ran = finish(&mut command(deployed.path(), &arguments)).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let lines: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), urls.len());
    let code_of = |url: &str| {
        let line = lines.iter().find(|line| line["target"] == url).unwrap();
        line["hint"]["code"].as_str().map(str::to_owned)
    };
    for (path, code) in faults {
        assert_eq!(code_of(&format!("{base}{path}")).as_deref(), code, "{path}");
    }
    assert_eq!(code_of(&urls[faults.len()]).as_deref(), Some("refused"));
}

#[tokio::test]
async fn lines_say_what_came_and_what_became_of_it() {
    let deployed = Deployed::start().await;
    deployed.send(1, "user.created").await;
    let (base, _server) = faulty().await;
    for (path, expected) in [
        ("/good", "← 200 "),
        ("/protected", "createRouteMatcher(['/protected(.*)'])"),
        ("/crashing", "500: TypeError: null is not an object"),
        ("/slow", "store the event, answer 200"),
    ] {
        let url = format!("{base}{path}");
        let arguments =
            ["--forward-to", &url, "--replay", "msg_1", "--count", "1", "--timeout", "1s"];
        let ran = finish(&mut command(deployed.path(), &arguments)).await;
        assert!(ran.stdout.contains("→ user.created user_1"), "{ran:?}");
        assert!(ran.stdout.contains(expected), "{path}: {}", ran.stdout);
    }
}
