//! How a browser's session begins and ends.

use std::time::Duration;

use axum::body::Body;
use deskbell_server::{AdminState, AllowedClients, IngestOptions, ServerOptions};
use deskbell_store::{AccessToken, TokenRole};
use http::Request;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::listening::{Listening, listen_to, reply_head, wire};
use crate::support::{ADMIN_TOKEN, Reply, TestServer, after, get, in_session, post};

/// A form that a page of ours has posted.
fn form(path: &str, fields: &str) -> Request<Body> {
    let mut request = post(path, fields.to_owned());
    request.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
    request
}

/// The secret of the session that the reply begins.
fn secret_of(reply: &Reply) -> AccessToken {
    let (_, rest) = reply.header("set-cookie").split_once('=').unwrap();
    rest.split(';').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_token_begins_a_session_and_signing_out_ends_it() {
    let server = TestServer::start().await;
    let viewer = server.admin.token(TokenRole::Viewer);
    for (token, name) in [(ADMIN_TOKEN, "admin token"), (viewer.expose(), "viewer")] {
        let fields = format!("token=+{token}%0A&next=%2Fdashboard%2Fevents%3Fa%3Db");
        let reply = server.send(form("/sign-in", &fields)).await;
        assert_eq!(reply.status, 303, "{}", reply.text);
        assert_eq!(reply.header("location"), "/dashboard/events?a=b");
        let cookie = reply.header("set-cookie");
        assert!(cookie.starts_with("deskbell_session=dbt_"), "{cookie}");
        assert!(
            cookie.contains("; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict")
                || cookie.contains("; Path=/; Max-Age=3599; HttpOnly; SameSite=Strict"),
            "{cookie}"
        );
        assert!(!cookie.contains("Secure") && !cookie.contains(token), "{cookie}");
        let secret = secret_of(&reply);
        let page = server.send(in_session(&secret, get("/dashboard"))).await;
        assert_eq!(page.text, format!("a page for {name}"));
        let reply = server.send(in_session(&secret, form("/sign-out", ""))).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/sign-in"));
        let cookie = reply.header("set-cookie");
        assert!(cookie.starts_with("deskbell_session=; Path=/; Max-Age=0"), "{cookie}");
        assert_eq!(server.send(in_session(&secret, get("/dashboard"))).await.status, 303);
    }
    assert_eq!(server.admin.sessions_open(), 0);
}

#[tokio::test]
async fn a_new_session_ends_the_one_before() {
    let server = TestServer::start().await;
    let fields = format!("token={ADMIN_TOKEN}");
    let first = secret_of(&server.send(form("/sign-in", &fields)).await);
    let again = server.send(in_session(&first, form("/sign-in", &fields))).await;
    assert_ne!(secret_of(&again), first);
    assert_eq!(server.send(in_session(&first, get("/dashboard"))).await.status, 303);
    assert_eq!(server.admin.sessions_open(), 1);
}

#[tokio::test]
async fn a_wrong_token_is_told_on_the_page() {
    let server = TestServer::start().await;
    let unknown = AccessToken::random();
    for token in ["", "wrong", unknown.expose(), "correct-horse"] {
        let fields = format!("token={token}&next=%2Fdashboard%2Fevents");
        let reply = server.send(form("/sign-in", &fields)).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(reply.header("set-cookie"), "");
        let page = "code=- error=this token is not valid next=/dashboard/events";
        assert_eq!(reply.text, page, "{token}");
    }
    server.admin.set_broken();
    let reply = server.send(form("/sign-in", &format!("token={}", unknown.expose()))).await;
    assert_eq!(reply.status, 503);
    assert!(reply.text.contains("unavailable") && !reply.text.contains("hunter2"));
}

#[tokio::test]
async fn another_site_signs_nobody_in_or_out() {
    let server = TestServer::start().await;
    let session = server.admin.session_of(TokenRole::Admin);
    for path in ["/sign-in", "/sign-out"] {
        for (name, value) in [
            ("x-nothing", "x"),
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ] {
            let mut request = in_session(&session, post(path, format!("token={ADMIN_TOKEN}")));
            request.headers_mut().remove("sec-fetch-site");
            request.headers_mut().insert(name, value.parse().unwrap());
            let reply = server.send(request).await;
            let said = (reply.status.as_u16(), reply.error());
            assert_eq!(said, (403, "foreign_origin".to_owned()), "{path} {name}: {value}");
        }
    }
    assert_eq!(server.admin.sessions_open(), 1);
}

#[tokio::test]
async fn a_links_code_is_used_up_by_its_button_alone() {
    let server = TestServer::start().await;
    let code = server.admin.code();
    let path = format!("/sign-in?code={}&next=/dashboard/events", code.expose());
    for _ in 0..3 {
        let reply = server.send(get(&path)).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.text, format!("code={} error=- next=/dashboard/events", code.expose()));
        assert_eq!(reply.header("set-cookie"), "");
    }
    let fields = format!("code={}", code.expose());
    let reply = server.send(form("/sign-in", &fields)).await;
    assert_eq!((reply.status.as_u16(), reply.header("location")), (303, "/dashboard"));
    let page = server.send(in_session(&secret_of(&reply), get("/dashboard"))).await;
    assert_eq!(page.text, "a page for sign-in link");
    let reply = server.send(form("/sign-in", &fields)).await;
    assert_eq!(reply.status, 401);
    assert!(reply.text.contains("this link was used already"), "{}", reply.text);
}

#[tokio::test]
async fn a_link_that_is_old_or_not_whole_begins_no_session() {
    let server = TestServer::start().await;
    let code = server.admin.code();
    after(Duration::from_secs(900)).await;
    let reply = server.send(form("/sign-in", &format!("code={}", code.expose()))).await;
    assert_eq!(reply.status, 401);
    assert_eq!(server.admin.sessions_open(), 0);
    let reply = server.send(get("/sign-in?code=dbt_12%3Cscript%3E")).await;
    let page = "code=- error=this link is not complete; copy the whole link next=/dashboard";
    assert_eq!(reply.text, page);
}

#[tokio::test]
async fn one_is_led_to_no_other_site() {
    let server = TestServer::start().await;
    for next in ["https://evil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "%2F%0D%0Aa"] {
        let reply =
            server.send(form("/sign-in", &format!("token={ADMIN_TOKEN}&next={next}"))).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("location")),
            (303, "/dashboard"),
            "{next}"
        );
        let reply = server.send(get(&format!("/sign-in?next={next}"))).await;
        assert!(reply.text.ends_with("next=/dashboard"), "{next}: {}", reply.text);
    }
}

#[tokio::test]
async fn attempts_to_sign_in_are_limited() {
    let server = TestServer::start().await;
    let attempt =
        async |token: &str| server.send(form("/sign-in", &format!("token={token}"))).await;
    for _ in 0..100 {
        assert_eq!(attempt(ADMIN_TOKEN).await.status, 303, "who succeeds is not counted");
    }
    for _ in 0..10 {
        assert_eq!(attempt("wrong").await.status, 401);
    }
    let reply = attempt(ADMIN_TOKEN).await;
    assert_eq!(reply.status, 429, "nobody learns whether it was right");
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((290..=301).contains(&wait), "{wait}");
    assert!(reply.text.contains("too many attempts; try again in"), "{}", reply.text);
    // Nobody guesses a token of the store or the code of a link, and nobody is kept from using one.
    let viewer = server.admin.token(TokenRole::Viewer);
    assert_eq!(attempt(viewer.expose()).await.status, 303);
    assert_eq!(attempt(AccessToken::random().expose()).await.status, 401);
    let code = format!("code={}", server.admin.code().expose());
    assert_eq!(server.send(form("/sign-in", &code)).await.status, 303);
    after(Duration::from_secs(wait)).await;
    assert_eq!(attempt(ADMIN_TOKEN).await.status, 303);
}

#[tokio::test]
async fn attempts_outlive_the_routes() {
    let state = AdminState::default();
    let start = async || {
        let (clients, ingest) = (AllowedClients::default(), IngestOptions::default());
        TestServer::changed(clients, ingest, |app| app.state = state.clone()).await
    };
    let server = start().await;
    for _ in 0..10 {
        assert_eq!(server.send(form("/sign-in", "token=wrong")).await.status, 401);
    }
    assert_eq!(start().await.send(form("/sign-in", "token=wrong")).await.status, 429);
}

/// Signs in behind a proxy that sends these headers.
async fn sign_in_behind(listening: &Listening, token: &str, headers: &[(&str, &str)]) -> String {
    let mut request = form("/sign-in", &format!("token={token}"));
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let (head, body) = wire(request).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&[head, body].concat()).await.unwrap();
    reply_head(&mut stream).await
}

async fn trusting(proxies: &[&str]) -> Listening {
    let trusted_proxies = proxies.iter().map(|text| text.parse().unwrap()).collect();
    let clients = AllowedClients { allowed_ips: Vec::new(), trusted_proxies };
    let server = TestServer::allowing(clients, IngestOptions::default()).await;
    listen_to(server, ServerOptions::default(), None).await
}

#[tokio::test]
async fn each_client_behind_a_trusted_proxy_has_attempts_of_its_own() {
    let listening = trusting(&["127.0.0.0/8"]).await;
    let attempt = async |address, token| {
        let said = sign_in_behind(&listening, token, &[("x-forwarded-for", address)]).await;
        said.split(' ').nth(1).unwrap().to_owned()
    };
    for _ in 0..10 {
        assert_eq!(attempt("203.0.113.5", "wrong").await, "401");
    }
    assert_eq!(attempt("203.0.113.5", ADMIN_TOKEN).await, "429");
    assert_eq!(attempt("203.0.113.6", ADMIN_TOKEN).await, "303");
    let listening = trusting(&[]).await;
    for number in 0..10 {
        let address = format!("203.0.113.{number}");
        let headers = [("x-forwarded-for", address.as_str())];
        let said = sign_in_behind(&listening, "wrong", &headers).await;
        assert!(said.starts_with("HTTP/1.1 401"), "{said}");
    }
    let headers = [("x-forwarded-for", "203.0.113.99")];
    let said = sign_in_behind(&listening, ADMIN_TOKEN, &headers).await;
    assert!(said.starts_with("HTTP/1.1 429"), "anybody can claim an address: {said}");
}

#[tokio::test]
async fn a_cookie_is_for_tls_where_the_browser_speaks_it() {
    let https = [("x-forwarded-proto", "https")];
    let listening = trusting(&["127.0.0.0/8"]).await;
    let said = sign_in_behind(&listening, ADMIN_TOKEN, &https).await;
    assert!(
        said.contains("set-cookie: __Host-deskbell_session=") && said.contains("; Secure"),
        "{said}"
    );
    let said = sign_in_behind(&listening, ADMIN_TOKEN, &[("x-forwarded-proto", "http")]).await;
    assert!(said.contains("set-cookie: deskbell_session=") && !said.contains("; Secure"), "{said}");
    let listening = trusting(&[]).await;
    let said = sign_in_behind(&listening, ADMIN_TOKEN, &https).await;
    assert!(said.contains("set-cookie: deskbell_session="), "no proxy said so: {said}");
    let (clients, ingest) = (AllowedClients::default(), IngestOptions::default());
    let server = TestServer::changed(clients, ingest, |app| {
        app.public_url = Some("https://hooks.example.com".parse().unwrap());
    });
    let server = server.await;
    let mut request = form("/sign-in", &format!("token={ADMIN_TOKEN}"));
    request.headers_mut().insert("host", "hooks.example.com".parse().unwrap());
    let reply = server.send(request).await;
    assert!(reply.header("set-cookie").starts_with("__Host-"), "{}", reply.header("set-cookie"));
    let mut page = get("/dashboard");
    page.headers_mut().insert("host", "hooks.example.com".parse().unwrap());
    let cookie = format!("deskbell_session={}", secret_of(&reply).expose());
    page.headers_mut().insert("cookie", cookie.parse().unwrap());
    assert_eq!(server.send(page).await.status, 303, "a cookie of plain HTTP is not taken over TLS");
}

#[tokio::test]
async fn without_pages_nobody_signs_in() {
    let (clients, ingest) = (AllowedClients::default(), IngestOptions::default());
    let server = TestServer::changed(clients, ingest, |app| app.pages = None).await;
    for request in [get("/sign-in"), form("/sign-in", ""), get("/dashboard"), get("/")] {
        assert_eq!(server.send(request).await.status, 404);
    }
}
