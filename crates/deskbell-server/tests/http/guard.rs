//! The guard in front of every route that is not public.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use deskbell_server::{AllowedClients, IngestOptions, openapi};
use deskbell_store::{AccessToken, TokenRole};
use http::{Method, Request, StatusCode};
use tower::ServiceExt;

use crate::support::{ADMIN_TOKEN, EVENT, TestServer, after, by, get, in_session, post, signed};

/// Every route that is not public, and the role that it needs: by hand, so that no table is compared
/// with itself.
const ROUTES: &[(&str, &str, TokenRole)] = {
    use TokenRole::{Admin, Reader, Viewer};
    &[
        ("GET", "/api/openapi.json", Viewer),
        ("GET", "/api/v1/alerts", Viewer),
        ("GET", "/api/v1/audit", Admin),
        ("GET", "/api/v1/catalog", Viewer),
        ("GET", "/api/v1/dead-letters", Viewer),
        ("GET", "/api/v1/dead-letters/causes", Viewer),
        ("POST", "/api/v1/dead-letters/retry", Admin),
        ("GET", "/api/v1/destinations", Viewer),
        ("GET", "/api/v1/destinations/{name}", Viewer),
        ("GET", "/api/v1/destinations/{name}/attempts", Viewer),
        ("POST", "/api/v1/destinations/{name}/pause", Admin),
        ("POST", "/api/v1/destinations/{name}/resume", Admin),
        ("POST", "/api/v1/destinations/{name}/send-example", Admin),
        ("GET", "/api/v1/destinations/{name}/stats", Viewer),
        ("GET", "/api/v1/events", Viewer),
        ("GET", "/api/v1/events/tail", Viewer),
        ("GET", "/api/v1/events/{id}", Viewer),
        ("GET", "/api/v1/explain/{id}", Viewer),
        ("GET", "/api/v1/mirrors", Viewer),
        ("GET", "/api/v1/mirrors/{name}", Viewer),
        ("GET", "/api/v1/organization_memberships", Reader),
        ("GET", "/api/v1/organizations/{id}", Reader),
        ("GET", "/api/v1/overview", Viewer),
        ("POST", "/api/v1/replay", Admin),
        ("GET", "/api/v1/replays/{id}", Viewer),
        ("GET", "/api/v1/settings", Viewer),
        ("GET", "/api/v1/subjects/{id}/events", Viewer),
        ("GET", "/api/v1/tokens", Admin),
        ("POST", "/api/v1/tokens", Admin),
        ("DELETE", "/api/v1/tokens/{name}", Admin),
        ("GET", "/api/v1/users/{id}", Reader),
        ("GET", "/metrics", Viewer),
    ]
};

/// Pages are refused in the same way, but for people.
const PAGES: &[(&str, &str, TokenRole)] = &[
    ("GET", "/dashboard", TokenRole::Viewer),
    ("GET", "/dashboard/events", TokenRole::Viewer),
    ("POST", "/dashboard/pause", TokenRole::Admin),
];

fn request(method: &str, path: &str) -> Request<Body> {
    let path = path.replace("{id}", "user_1").replace("{name}", "app");
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

/// The status alone: a body may have no end.
async fn status(server: &TestServer, request: Request<Body>) -> StatusCode {
    server.router.clone().oneshot(request).await.unwrap().status()
}

/// What the paths of Svix's API begin with.
const OF_SVIX: &[&str] = &[
    "/api/v1/app",
    "/api/v1/auth",
    "/api/v1/background-task",
    "/api/v1/connector",
    "/api/v1/environment",
    "/api/v1/event-type",
    "/api/v1/health",
    "/api/v1/message",
    "/api/v1/operational-webhook",
    "/api/v1/stats",
    "/api/v1/stream",
    "/ingest/",
];

#[test]
fn every_route_is_described_and_every_described_route_is_checked() {
    let document = serde_json::to_value(openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let described = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys().map(|method| method.to_uppercase());
        methods.map(|method| (method, path.clone()))
    });
    // Those of Svix's API are compared with their table beside it.
    let described = described.filter(|(_, path)| !OF_SVIX.iter().any(|one| path.starts_with(one)));
    let checked = ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()));
    assert_eq!(described.collect::<BTreeSet<_>>(), checked.collect());
    assert_eq!(document["openapi"], "3.1.0");
    let errors = &document["paths"]["/api/v1/tokens"]["post"]["responses"]["403"]["content"];
    let schema = &errors["application/problem+json"]["schema"]["$ref"];
    assert_eq!(schema, "#/components/schemas/ProblemDetails");
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
}

#[tokio::test]
async fn nobody_comes_in_without_credentials() {
    let server = TestServer::start().await;
    for (method, path, _) in ROUTES {
        let reply = server.send(request(method, path)).await;
        let said = (reply.status.as_u16(), reply.error());
        assert_eq!(said, (401, "unauthorized".to_owned()), "{method} {path}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
    assert_eq!(server.admin.take_asked(), [""; 0], "strangers reach nothing");
}

#[tokio::test]
async fn each_role_opens_its_routes_and_no_others() {
    let server = TestServer::start().await;
    for role in TokenRole::ALL {
        let (token, session) = (server.admin.token(role), server.admin.session_of(role));
        for (method, path, needs) in ROUTES.iter().chain(PAGES) {
            for request in [
                by(token.expose(), request(method, path)),
                in_session(&session, request(method, path)),
            ] {
                // Each `oneshot` may revoke the token `app`, which is none of these.
                let status = status(&server, request).await;
                let is_refused = matches!(status.as_u16(), 401 | 403 | 303);
                assert_eq!(is_refused, role < *needs, "{role}: {method} {path}: {status}");
                assert!(!is_refused || status == 403, "{role}: {method} {path}: {status}");
            }
        }
    }
}

#[tokio::test]
async fn a_person_without_a_session_is_led_to_the_page_for_signing_in() {
    let server = TestServer::start().await;
    let reply = server.send(get("/dashboard/events?type=user.*&limit=5")).await;
    assert_eq!(reply.status, 303);
    let next = "/sign-in?next=%2Fdashboard%2Fevents%3Ftype%3Duser.*%26limit%3D5";
    assert_eq!(reply.header("location"), next);
    let head = Request::head("/dashboard").body(Body::empty()).unwrap();
    assert_eq!(server.send(head).await.status, 303);
    assert_eq!(
        server.send(post("/dashboard/pause", "")).await.status,
        401,
        "nothing to come back to"
    );
    let reply = server.send(by("wrong", get("/dashboard"))).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (401, "unauthorized"), "a program");
    for mut part in [get("/dashboard/events"), post("/dashboard/pause", "")] {
        part.headers_mut().insert("hx-request", "true".parse().unwrap());
        let reply = server.send(part).await;
        let expected = (401, "/sign-in?next=%2Fdashboard");
        assert_eq!((reply.status.as_u16(), reply.header("hx-redirect")), expected);
    }
    let reply = server.send(get("/")).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/dashboard"));
}

#[tokio::test]
async fn a_link_of_another_site_leads_to_a_page_in_the_session_that_there_is() {
    let server = TestServer::start().await;
    let mut linked = get("/dashboard/events?a=b");
    linked.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    let reply = server.send(linked).await;
    let expected = (200, "0;url=/dashboard/events?a=b");
    assert_eq!((reply.status.as_u16(), reply.header("refresh")), expected);
    assert!(!reply.text.contains("a page for"), "{}", reply.text);
    // The browser asks again, and its cookies, if it has any, are with it.
    let session = server.admin.session_of(TokenRole::Viewer);
    let reply = server.send(in_session(&session, get("/dashboard/events?a=b"))).await;
    assert_eq!(reply.text, "a page for viewer");
    let mut again = get("/dashboard/events?a=b");
    again.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
    assert_eq!(server.send(again).await.status, 303);
}

#[tokio::test]
async fn what_another_site_has_a_browser_ask_for_is_refused() {
    let server = TestServer::start().await;
    let session = server.admin.session_of(TokenRole::Admin);
    let asking = |headers: &[(&str, &str)]| {
        let body = r#"{"name":"app","role":"viewer"}"#;
        let mut request = in_session(&session, post("/api/v1/tokens", body));
        request.headers_mut().remove("sec-fetch-site");
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    };
    let host = ("host", "box:3000");
    for headers in [
        &[host][..],
        &[host, ("origin", "https://evil.example")],
        &[host, ("origin", "null")],
        &[host, ("origin", "http://box:3001")],
        &[host, ("sec-fetch-site", "cross-site")],
        &[host, ("sec-fetch-site", "same-site"), ("origin", "http://box:3000")],
    ] {
        let reply = server.send(asking(headers)).await;
        let said = (reply.status.as_u16(), reply.error());
        assert_eq!(said, (403, "foreign_origin".to_owned()), "{headers:?}");
    }
    assert_eq!(server.admin.take_asked(), [""; 0]);
    let reply = server.send(asking(&[host, ("origin", "http://box:3000")])).await;
    assert_eq!(reply.status, 201);
    // Nothing is changed by reading, and a token is shown by no browser on its own.
    let mut reading = in_session(&session, get("/api/v1/tokens"));
    reading.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    assert_eq!(server.send(reading).await.status, 200);
    let mut posting = by(ADMIN_TOKEN, post("/api/v1/tokens", r#"{"name":"b","role":"viewer"}"#));
    posting.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    assert_eq!(server.send(posting).await.status, 201);
}

#[tokio::test]
async fn a_session_that_is_forged_or_has_ended_opens_nothing() {
    let server = TestServer::start().await;
    let session = server.admin.session_of(TokenRole::Admin);
    let ask = async |secret: &AccessToken, path| {
        server.send(in_session(secret, get(path))).await.status.as_u16()
    };
    assert_eq!(ask(&session, "/api/v1/overview").await, 200);
    let forged = AccessToken::random();
    assert_eq!(ask(&forged, "/api/v1/overview").await, 401);
    assert_eq!(ask(&forged, "/dashboard").await, 303);
    // A token is no session, and a session is no token.
    let token = server.admin.token(TokenRole::Admin);
    assert_eq!(ask(&token, "/api/v1/overview").await, 401);
    let reply = server.send(by(session.expose(), get("/api/v1/overview"))).await;
    assert_eq!(reply.status, 401);
    // Whoever shows a token is whoever has that token; what a proxy in front asks for is none.
    let mut basic = in_session(&session, get("/api/v1/overview"));
    basic.headers_mut().insert("authorization", "Basic YTpi".parse().unwrap());
    assert_eq!(server.send(basic).await.status, 200);
    let both = by("wrong", in_session(&session, get("/api/v1/overview")));
    assert_eq!(server.send(both).await.status, 401);
    after(Duration::from_secs(3_600)).await;
    assert_eq!(ask(&session, "/api/v1/overview").await, 401);
    let other = server.admin.session_of(TokenRole::Admin);
    assert!(server.admin.revoke(TokenRole::Admin.as_str()));
    assert_eq!(ask(&other, "/api/v1/overview").await, 401, "its token was revoked");
}

#[tokio::test]
async fn a_route_that_is_in_no_table_is_refused_whoever_asks() {
    let server = TestServer::start().await;
    for path in ["/dashboard/unlisted", "/unlisted"] {
        for request in [get(path), by(ADMIN_TOKEN, get(path))] {
            let reply = server.send(request).await;
            assert_eq!((reply.status.as_u16(), &*reply.error()), (404, "not_found"), "{path}");
        }
    }
    let reply = server.send(by(ADMIN_TOKEN, post("/unlisted", ""))).await;
    assert_eq!(reply.status, 404);
    let reply = server.send(by(ADMIN_TOKEN, get("/nowhere"))).await;
    assert_eq!(reply.status, 404, "the pages' own fallback is not used: {}", reply.text);
    for method in [Method::PUT, Method::OPTIONS, Method::TRACE] {
        let reply = server.send(by(ADMIN_TOKEN, request(method.as_str(), "/api/v1/tokens"))).await;
        let said = (reply.status.as_u16(), reply.header("allow"));
        assert_eq!(said, (405, "GET, HEAD, POST"), "{method}");
    }
}

#[tokio::test]
async fn every_reply_says_what_a_browser_may_do_with_it() {
    let server = TestServer::start().await;
    for (request, status) in [
        (get("/api/v1/overview"), 401),
        (by(ADMIN_TOKEN, get("/api/v1/overview")), 200),
        (by(ADMIN_TOKEN, get("/api/v1/events/tail?x=1")), 400),
        (by(ADMIN_TOKEN, post("/metrics", "")), 405),
        (get("/dashboard"), 303),
        (get("/sign-in"), 200),
        (get("/unlisted"), 404),
    ] {
        let path = request.uri().clone();
        let reply = server.send(request).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        let policy = reply.header("content-security-policy");
        for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        let headers =
            ["x-content-type-options", "referrer-policy", "x-frame-options", "cache-control"];
        let values = headers.map(|name| reply.header(name));
        assert_eq!(values, ["nosniff", "no-referrer", "DENY", "no-store"], "{path}");
    }
    let reply = server.send(get("/dashboard/assets/style.css")).await;
    assert_eq!(reply.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_store_that_is_away_is_no_wrong_token() {
    let server = TestServer::start().await;
    let token = server.admin.token(TokenRole::Viewer);
    server.admin.set_broken();
    for request in [
        by(token.expose(), get("/api/v1/overview")),
        in_session(&token, get("/dashboard")),
        by(ADMIN_TOKEN, get("/api/v1/events")),
    ] {
        let reply = server.send(request).await;
        assert_eq!((reply.status.as_u16(), &*reply.error()), (503, "unavailable"));
        assert_eq!(reply.header("retry-after"), "5");
        assert!(!reply.text.contains("hunter2"), "{}", reply.text);
    }
}

#[tokio::test]
async fn an_address_of_its_own_has_everything_but_webhooks() {
    let (clients, ingest) = (AllowedClients::default(), IngestOptions::default());
    let server = TestServer::changed(clients, ingest, |app| app.listens_apart = true).await;
    let admin = |path| by(ADMIN_TOKEN, get(path));
    for path in ["/api/v1/overview", "/dashboard", "/metrics", "/sign-in", "/"] {
        assert_eq!(server.send(admin(path)).await.status, 404, "{path}");
        let reply = server.send_apart(admin(path)).await;
        assert_eq!(reply.status.as_u16(), if path == "/" { 303 } else { 200 }, "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.send(get(path)).await.status, 200, "{path}");
        assert_eq!(server.send_apart(get(path)).await.status, 200, "{path}");
    }
    assert_eq!(server.send(signed("msg_1", EVENT)).await.status, 200);
    let reply = server.send_apart(signed("msg_2", EVENT)).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (404, "not_found"));
    assert_eq!(reply.header("x-frame-options"), "DENY");
}
