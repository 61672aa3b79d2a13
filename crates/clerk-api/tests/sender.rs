//! The way into Clerk's sender: every step, what goes wrong at it, and that no secret shows.

use std::time::Duration;

use clerk_api::sender::{LinkError, SessionError};
use clerk_api::{Client, ClientOptions};
use deskbell_sim::sender_api::{Fault, SenderApi, SenderApiOptions, SenderRequest};

use super::support::{client_of, client_with, messages, options, shown};

const SVIX_URL: &str = "/v1/webhooks/svix_url";
const SVIX: &str = "/v1/webhooks/svix";
const EXCHANGE: &str = "/api/v1/auth/one-time-token";

async fn start(
    has_app: bool,
    plan: impl Fn(&SenderRequest) -> Fault + Send + Sync + 'static,
) -> SenderApi {
    let options = SenderApiOptions { has_app, ..SenderApiOptions::default() };
    SenderApi::start(options, plan).await.unwrap()
}

fn paths(api: &SenderApi) -> Vec<String> {
    api.requests().into_iter().map(|request| request.path).collect()
}

#[tokio::test]
async fn the_key_leads_to_a_session() {
    let api = start(true, |_| Fault::None).await;
    let session = client_of(&api).sender_session().await.unwrap();
    assert_eq!(session.app_id(), "app_SimulatedByDeskbell");
    assert_eq!(session.endpoints().await.unwrap(), []);
    let endpoints = "/api/v1/app/app_SimulatedByDeskbell/endpoint";
    assert_eq!(paths(&api), [SVIX_URL, EXCHANGE, endpoints]);
}

#[tokio::test]
async fn webhooks_are_turned_on_where_they_are_not_and_only_if_asked_for() {
    let api = start(false, |_| Fault::None).await;
    let client = client_of(&api);
    assert!(client.find_sender_session().await.unwrap().is_none());
    assert_eq!(paths(&api), [SVIX_URL]);
    client.sender_session().await.unwrap();
    assert!(client.find_sender_session().await.unwrap().is_some());
    assert_eq!(paths(&api)[1..], [SVIX_URL, SVIX, EXCHANGE, SVIX_URL, EXCHANGE]);
}

#[tokio::test]
async fn an_application_that_was_made_meanwhile_is_used() {
    // The instance has it after the first attempt, of which the answer is lost.
    let lost =
        |request: &SenderRequest| if request.number == 2 { Fault::Lost } else { Fault::None };
    let api = start(false, lost).await;
    client_of(&api).sender_session().await.unwrap();
    assert_eq!(paths(&api), [SVIX_URL, SVIX, SVIX, SVIX_URL, EXCHANGE]);
}

#[tokio::test]
async fn a_one_time_token_is_used_once() {
    // The first exchange succeeds, but its answer is lost; the second one fails.
    let plan = |request: &SenderRequest| match request.number {
        2 => Fault::Lost,
        4 => Fault::Status(503),
        _ => Fault::None,
    };
    let api = start(true, plan).await;
    client_of(&api).sender_session().await.unwrap();
    assert_eq!(paths(&api), [SVIX_URL, EXCHANGE].repeat(3));
}

#[tokio::test]
async fn every_failure_says_which_step_it_was() {
    let login = "failed to get a login of Clerk's sender (POST /webhooks/svix_url)";
    let turn_on = "failed to turn on webhooks for the instance (POST /webhooks/svix)";
    let exchange = "failed to exchange the one-time token for a session";
    for (path, fault, expected, requests) in [
        (
            SVIX_URL,
            Fault::Status(500),
            format!("{login}: Clerk answered 500: an injected fault"),
            4,
        ),
        (
            SVIX_URL,
            Fault::Status(404),
            format!("{login}: Clerk answered 404: an injected fault"),
            1,
        ),
        (SVIX, Fault::Status(402), format!("{turn_on}: Clerk answered 402: an injected fault"), 2),
        (EXCHANGE, Fault::Close, format!("{exchange}: the connection to Clerk's sender failed"), 6),
        (
            EXCHANGE,
            Fault::Status(403),
            format!(
                "{exchange}: Clerk's sender answered 403: an injected fault (code server_error"
            ),
            2,
        ),
    ] {
        let plan_fault = fault.clone();
        let plan = move |request: &SenderRequest| {
            if request.path == path { plan_fault.clone() } else { Fault::None }
        };
        let api = start(path != SVIX, plan).await;
        let error = client_of(&api).sender_session().await.unwrap_err();
        assert!(messages(&error).starts_with(&expected), "{path}: {}", messages(&error));
        assert_eq!(api.requests().len(), requests, "{path}: {fault:?}");
        let passes = matches!(fault, Fault::Close | Fault::Status(500));
        assert_eq!(error.is_transient(), passes, "{path}: {fault:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_and_a_silent_sender_are_errors() {
    let other = SenderApiOptions { secret_key: "sk_test_Other".into(), ..Default::default() };
    let api = SenderApi::start(other, |_| Fault::None).await.unwrap();
    let error = client_of(&api).sender_session().await.unwrap_err();
    assert!(matches!(error, SessionError::Login(_)), "{error:?}");
    assert_eq!(error.api_error().unwrap().code.as_deref(), Some("clerk_key_invalid"));
    assert_eq!(paths(&api), [SVIX_URL]);

    let api =
        start(true, |request| if request.path == EXCHANGE { Fault::Hang } else { Fault::None });
    let api = api.await;
    let error = impatient(&api).sender_session().await.unwrap_err();
    let expected = "Clerk's sender did not answer within 0.05 s";
    assert!(messages(&error).ends_with(expected), "{}", messages(&error));
}

fn impatient(api: &SenderApi) -> Client {
    client_with(ClientOptions {
        sender_url: Some(api.sender_url().parse().unwrap()),
        timeout: Duration::from_millis(50),
        ..options(&api.clerk_url())
    })
}

#[tokio::test]
async fn answers_of_another_form_are_errors_that_do_not_repeat_them() {
    for (path, body) in [
        (SVIX_URL, r#""Ab3Cd4""#),
        (SVIX_URL, r#"{"svix_url": "https://app.svix.com/login#key=Ab3Cd4"}"#),
        (EXCHANGE, r#""Ab3Cd4""#),
        (EXCHANGE, r#"{"token": "Ab3Cd4 and more"}"#),
        (EXCHANGE, r#"{"token": {"Ab3Cd4": 1}}"#),
    ] {
        let plan = move |request: &SenderRequest| {
            if request.path == path { Fault::Body(body.into()) } else { Fault::None }
        };
        let api = start(true, plan).await;
        let error = client_of(&api).sender_session().await.unwrap_err();
        let is_expected = match path {
            SVIX_URL => matches!(error, SessionError::Link(LinkError::NoUrl | LinkError::Key)),
            _ => matches!(error, SessionError::Token(_)),
        };
        assert!(is_expected, "{body}: {error:?}");
        assert!(!shown(&error).contains("Ab3Cd4"), "{}", shown(&error));
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn no_token_is_in_an_error_or_in_debug_output() {
    // The sender repeats what it was sent: its plan sees the one-time token.
    let echo = |request: &SenderRequest| match request.path.as_str() {
        EXCHANGE if request.number == 2 => Fault::Body(request.body.clone().into()),
        _ => Fault::None,
    };
    let api = start(true, echo).await;
    let client = client_of(&api);
    let error = client.sender_session().await.unwrap_err();
    let body = api.requests()[1].body.clone();
    let token = body.split('"').find(|text| text.starts_with("onetime_")).unwrap();
    assert!(!shown(&error).contains(token), "{}", shown(&error));

    let session = client.sender_session().await.unwrap();
    let shown = format!("{session:?} {client:?}");
    assert!(!shown.contains("appsk_") && !shown.contains("Simulated\""), "{shown}");
}

#[tokio::test]
async fn a_session_that_has_ended_is_an_error_of_401() {
    let api = start(true, |request| match request.number {
        1 | 2 => Fault::None,
        _ => Fault::Status(401),
    });
    let api = api.await;
    let session = client_of(&api).sender_session().await;
    let error = session.unwrap().endpoints().await.unwrap_err();
    assert_eq!(error.api_error().unwrap().status, 401);
    assert!(!error.is_transient());
}

#[test]
fn tokens_are_sent_to_no_address_without_tls() {
    let sender_url = Some("http://app.svix.example".parse().unwrap());
    let options = ClientOptions { sender_url, ..ClientOptions::default() };
    let key = clerk_api::SecretKey::parse(super::support::KEY).unwrap();
    let refused = Client::new(key, super::support::wide_share(), options).unwrap_err();
    assert!(matches!(refused, clerk_api::ClientError::NotHttps));
}
