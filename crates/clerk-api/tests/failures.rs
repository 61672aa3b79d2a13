//! What goes wrong on the way: retried if it may pass, an error that says what happened if not.

use std::time::{Duration, Instant};

use clerk_api::{Client, ClientError, ClientOptions, PageError, RequestError, SecretKey, lists};
use deskbell_sim::backend_api::Fault;

use super::raw_server::RawServer;
use super::support::{
    KEY, assert_all, client, client_with, filled, ids, options, serve, wide_share,
};

async fn first_error(client: &Client) -> PageError {
    client.pages(lists::USERS.walk()).next().await.unwrap_err()
}

#[tokio::test]
async fn a_walk_goes_on_through_failures() {
    for list in [&lists::USERS, &lists::ORGANIZATIONS] {
        let directory = filled(list.name, 1_000);
        let api = serve(&directory, |request| match request.number % 10 {
            2 => Fault::Status(500),
            4 => Fault::Close,
            5 => Fault::Status(503),
            7 => Fault::RateLimited(Duration::ZERO),
            8 => Fault::Slow(Duration::from_millis(5)),
            _ => Fault::None,
        });
        let api = api.await;
        let found = ids(&mut client(&api.url()).pages(list.walk().page_size(50))).await;
        assert_all(&directory.lock().ids(list.name), &found, list.name);
        assert_eq!(found.len(), 1_000);
    }
}

#[tokio::test]
async fn a_server_that_always_fails_is_an_error_after_four_attempts() {
    for (fault, expected) in [
        (Fault::Status(500), "Clerk answered 500: an injected fault (code internal_clerk_error"),
        (Fault::Status(503), "Clerk answered 503: an injected fault (code internal_clerk_error"),
        (Fault::Close, "the connection to Clerk failed"),
    ] {
        let fault_of_all = fault.clone();
        let api = serve(&filled("users", 3), move |_| fault_of_all.clone()).await;
        let error = first_error(&client(&api.url())).await;
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(error.is_transient(), "{error}");
        assert_eq!(api.requests(), 4, "{fault:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_an_error_in_time() {
    let api = serve(&filled("users", 3), |_| Fault::Hang).await;
    let timeout = Duration::from_millis(50);
    let client = client_with(ClientOptions { timeout, attempts_max: 2, ..options(&api.url()) });
    let start = Instant::now();
    let error = first_error(&client).await;
    assert_eq!(error.to_string(), "Clerk did not answer within 0.05 s");
    assert!(error.is_transient());
    assert_eq!(api.requests(), 2);
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn nobody_listening_is_an_error() {
    let server = RawServer::start("").await;
    let url = server.url.clone();
    drop(server);
    let error = first_error(&client(&url)).await;
    assert!(matches!(error, PageError::Request(RequestError::Connection(_))), "{error:?}");
}

#[tokio::test]
async fn what_is_not_clerks_json_is_an_error_and_the_page_can_be_asked_for_again() {
    let bodies = ["", "null", "<html>", "{}", "[7]", r#"[{"id":null}]"#, r#"{"data":[{"#];
    let directory = filled("users", 3);
    let api = serve(&directory, move |request| match bodies.get(request.number - 1) {
        Some(body) => Fault::Body((*body).into()),
        None => Fault::None,
    });
    let api = api.await;
    let client = client(&api.url());
    let mut pages = client.pages(lists::USERS.walk());
    for body in bodies {
        let error = pages.next().await.unwrap_err();
        assert!(matches!(error, PageError::Answer(_)), "{body}: {error:?}");
        assert!(!error.is_transient());
    }
    assert_eq!(pages.next().await.unwrap().unwrap().items.len(), 3);
    assert!(pages.next().await.unwrap().is_none());
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_an_error_however_it_comes() {
    let bytes_max = 64 << 10;
    let spaces = vec![b' '; bytes_max + 1];
    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", spaces.len());
    let unannounced = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_owned();
    for head in [announced, unannounced] {
        let server = RawServer::start([head.as_bytes(), &spaces].concat()).await;
        let limited = ClientOptions { answer_bytes_max: bytes_max, ..options(&server.url) };
        let error = first_error(&client_with(limited)).await;
        assert_eq!(error.to_string(), "the answer of Clerk has more than 65536 bytes");
        assert!(!error.is_transient());
        assert_eq!(server.heads().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let server = RawServer::start("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[").await;
    let error = first_error(&client(&server.url)).await;
    assert_eq!(error.to_string(), "the connection to Clerk failed");
    assert!(error.is_transient());
    assert_eq!(server.heads().len(), 4);
}

#[tokio::test]
async fn an_error_that_is_not_of_clerks_form_has_the_status_and_the_ray() {
    let body = "<html>".repeat(30_000);
    let server = RawServer::start(format!(
        "HTTP/1.1 403 Forbidden\r\ncf-ray: 9a0c-FRA\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    ));
    let error = first_error(&client(&server.await.url)).await;
    assert_eq!(error.to_string(), "Clerk answered 403: Forbidden (trace id 9a0c-FRA)");
    let error = error.api_error().unwrap();
    assert_eq!((error.status, &error.code), (403, &None));
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let other = RawServer::start("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]").await;
    let server = RawServer::start(format!(
        "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        other.url
    ));
    let server = server.await;
    let error = first_error(&client(&server.url)).await;
    assert_eq!(error.to_string(), "Clerk answered 302: Found");
    assert_eq!((server.heads().len(), other.heads().len()), (1, 0));
}

#[test]
fn a_key_is_sent_to_no_address_without_tls() {
    let key = SecretKey::parse(KEY).unwrap();
    let refused = Client::new(key, wide_share(), options("http://api.clerk.com/v1")).unwrap_err();
    assert!(matches!(refused, ClientError::NotHttps));
}
