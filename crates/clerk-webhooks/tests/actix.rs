//! The actix-web extractors, over whole requests.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::dev::{Payload, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::web::{self, Bytes};
use actix_web::{App, FromRequest as _};
use clerk_webhooks::actix::{ClerkEvent, ClerkMessage, WebhookRejection};
use clerk_webhooks::{EventData, HeaderFamily, Secret, Signer, Verifier};
use futures_util::{Stream, StreamExt as _, stream};

const BODY: &str = r#"{"type":"user.deleted","data":{"id":"user_1","deleted":true}}"#;
const LIMIT_BYTES: usize = 100;

fn secret() -> Secret {
    Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
}

fn verifier() -> Verifier {
    Verifier::builder().secret(secret()).body_bytes_max(LIMIT_BYTES).build().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the extractor reads the same clock")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn signed(body: &[u8], timestamp: u64) -> TestRequest {
    let signed = Signer::new(&secret()).unwrap().sign("msg_1", timestamp, body);
    signed.iter(HeaderFamily::Svix).fold(TestRequest::post().uri("/"), |request, (name, value)| {
        request.insert_header((name, value))
    })
}

async fn echo(message: ClerkMessage) -> String {
    let body = message.0.body();
    format!("{} {}", message.0.id(), str::from_utf8(body).unwrap_or("not text"))
}

async fn send(request: TestRequest) -> (StatusCode, String) {
    let app = App::new().app_data(verifier()).route("/", web::post().to(echo));
    read(call_service(&init_service(app).await, request.to_request()).await).await
}

async fn read(response: ServiceResponse) -> (StatusCode, String) {
    let status = response.status();
    let json = response.headers().get("content-type").map(|it| it == "application/json");
    assert!(status.is_success() || json == Some(true), "{:?}", response.headers());
    (status, String::from_utf8(read_body(response).await.to_vec()).unwrap())
}

#[actix_web::test]
async fn a_signed_request_comes_through() {
    let (status, text) = send(signed(BODY.as_bytes(), now()).set_payload(BODY)).await;
    assert_eq!((status, text), (StatusCode::OK, format!("msg_1 {BODY}")));
    let (status, text) = send(signed(b"\xff", now()).set_payload(b"\xff".as_slice())).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "msg_1 not text"));
}

#[actix_web::test]
async fn an_event_comes_typed() {
    async fn typed(ClerkEvent(event): ClerkEvent) -> String {
        let EventData::UserDeleted(user) = event.data else { panic!("{event:?}") };
        format!("{} {} {}", event.id, event.event_type, user.id)
    }
    let app = App::new().app_data(verifier()).route("/", web::post().to(typed));
    let app = init_service(app).await;
    let cases = [
        (BODY, BODY, StatusCode::OK, "msg_1 user.deleted user_1"),
        ("{}", BODY, StatusCode::BAD_REQUEST, r#"{"error":"verification_failed"}"#),
        ("", "", StatusCode::BAD_REQUEST, r#"{"error":"not_an_event"}"#),
        ("hello", "hello", StatusCode::BAD_REQUEST, r#"{"error":"not_an_event"}"#),
        ("{}", "{}", StatusCode::BAD_REQUEST, r#"{"error":"not_an_event"}"#),
    ];
    for (signed_body, body, status, text) in cases {
        let request = signed(signed_body.as_bytes(), now()).set_payload(body).to_request();
        let answer = read(call_service(&app, request).await).await;
        assert_eq!(answer, (status, text.to_owned()), "{signed_body} {body}");
    }
}

#[actix_web::test]
async fn a_forged_stale_or_bare_request_learns_only_that_it_failed() {
    let requests = [
        signed(b"{}", now()),
        signed(BODY.as_bytes(), now() - 400),
        signed(BODY.as_bytes(), now() + 400),
        signed(BODY.as_bytes(), now()).append_header(("svix-id", "msg_1")),
        TestRequest::post().uri("/"),
    ];
    for request in requests {
        let (status, text) = send(request.set_payload(BODY)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(text, r#"{"error":"verification_failed"}"#);
    }
}

#[actix_web::test]
async fn two_lines_of_signatures_are_one_list() {
    let request = signed(BODY.as_bytes(), now()).append_header(("svix-signature", "v1,AAAA"));
    assert_eq!(send(request.set_payload(BODY)).await.0, StatusCode::OK);
}

#[actix_web::test]
async fn the_limit_is_inclusive() {
    let (full, over) = ("x".repeat(LIMIT_BYTES), "x".repeat(LIMIT_BYTES + 1));
    let (status, _) = send(signed(full.as_bytes(), now()).set_payload(full)).await;
    assert_eq!(status, StatusCode::OK);
    let (status, text) = send(signed(over.as_bytes(), now()).set_payload(over)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(text, r#"{"error":"too_large"}"#);
}

type Chunk = Result<Bytes, PayloadError>;

/// Extracts from a body that is not in memory.
async fn extract(
    request: TestRequest,
    body: impl Stream<Item = Chunk> + 'static,
) -> Result<ClerkMessage, WebhookRejection> {
    let request = request.app_data(verifier()).to_http_request();
    let body: std::pin::Pin<Box<dyn Stream<Item = Chunk>>> = Box::pin(body);
    ClerkMessage::from_request(&request, &mut Payload::from(body)).await
}

#[actix_web::test]
async fn a_body_without_a_length_is_read_no_further_than_the_limit() {
    let read = Rc::new(Cell::new(0));
    let counter = Rc::clone(&read);
    let body = stream::repeat(()).map(move |()| {
        counter.set(counter.get() + 1);
        Ok(Bytes::from_static(b"0123456789"))
    });
    let result = extract(signed(b"", now()), body).await;
    assert!(matches!(result, Err(WebhookRejection::TooLarge(_))), "{result:?}");
    assert_eq!(read.get(), LIMIT_BYTES / 10 + 1);
}

#[actix_web::test]
async fn a_body_that_announces_too_much_is_not_read() {
    let request = signed(b"", now()).insert_header(("content-length", LIMIT_BYTES + 1));
    let body = stream::once(async { panic!("the body was read") });
    let result = extract(request, body).await;
    assert!(matches!(result, Err(WebhookRejection::TooLarge(_))), "{result:?}");
}

#[actix_web::test]
async fn a_body_that_breaks_off_is_told_apart() {
    let body = stream::iter([Ok(Bytes::from_static(b"{")), Err(PayloadError::Incomplete(None))]);
    let result = extract(signed(b"{", now()), body).await;
    assert!(matches!(result, Err(WebhookRejection::Unreadable(_))), "{result:?}");
}

#[actix_web::test]
async fn the_verifier_may_be_shared_data() {
    let app = App::new().app_data(web::Data::new(verifier())).route("/", web::post().to(echo));
    let request = signed(b"{}", now()).set_payload("{}").to_request();
    assert_eq!(call_service(&init_service(app).await, request).await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn without_a_verifier_nothing_comes_through() {
    let app = App::new().route("/", web::post().to(echo));
    let request = signed(b"{}", now()).set_payload("{}").to_request();
    let (status, text) = read(call_service(&init_service(app).await, request).await).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(text, r#"{"error":"internal"}"#);
}
