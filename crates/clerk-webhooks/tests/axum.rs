//! The axum extractors and the tower layer, over whole requests.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Extension, FromRef};
use axum::routing::post;
use clerk_webhooks::axum::{ClerkEvent, ClerkMessage, VerifyLayer, WebhookRejection};
use clerk_webhooks::{EventData, HeaderFamily, Secret, Signer, VerifiedMessage, Verifier};
use futures_util::{StreamExt as _, stream};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

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

fn signed(signed_body: &[u8], timestamp: u64, body: impl Into<Body>) -> Request<Body> {
    let headers = Signer::new(&secret()).unwrap().sign("msg_1", timestamp, signed_body);
    let mut request = Request::post("/").body(body.into()).unwrap();
    *request.headers_mut() = headers.to_map(HeaderFamily::Svix).unwrap();
    request
}

async fn answer(router: Router, request: Request<Body>) -> (StatusCode, String) {
    let response = router.oneshot(request).await.unwrap();
    let json = response.headers().get("content-type").map(|it| it == "application/json");
    let status = response.status();
    assert!(status.is_success() || json == Some(true), "{:?}", response.headers());
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn echo(ClerkMessage(message): ClerkMessage) -> String {
    format!("{} {}", message.id(), str::from_utf8(message.body()).unwrap_or("not text"))
}

fn extracting() -> Router {
    Router::new().route("/", post(echo)).with_state(verifier())
}

fn layered() -> Router {
    async fn echo(Extension(message): Extension<VerifiedMessage>, body: Bytes) -> String {
        assert_eq!(message.body(), &body);
        format!("{} {}", message.id(), str::from_utf8(&body).unwrap_or("not text"))
    }
    Router::new().route("/", post(echo)).layer(VerifyLayer::new(verifier()))
}

#[tokio::test]
async fn a_signed_request_comes_through() {
    for router in [extracting(), layered()] {
        let (status, text) = answer(router, signed(BODY.as_bytes(), now(), BODY)).await;
        assert_eq!((status, text), (StatusCode::OK, format!("msg_1 {BODY}")));
    }
}

#[tokio::test]
async fn an_event_comes_typed() {
    async fn typed(ClerkEvent(event): ClerkEvent) -> String {
        let EventData::UserDeleted(user) = event.data else { panic!("{event:?}") };
        format!("{} {} {}", event.id, event.event_type, user.id)
    }
    let router = Router::new().route("/", post(typed)).with_state(verifier());
    let (status, text) = answer(router.clone(), signed(BODY.as_bytes(), now(), BODY)).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "msg_1 user.deleted user_1"));

    let (status, text) = answer(router.clone(), signed(b"{}", now(), BODY)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(text, r#"{"error":"verification_failed"}"#);

    for body in ["", "hello", "[]", "{}", r#"{"type":1}"#] {
        let (status, text) = answer(router.clone(), signed(body.as_bytes(), now(), body)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(text, r#"{"error":"not_an_event"}"#, "{body}");
    }
}

#[tokio::test]
async fn an_event_of_an_unknown_type_is_an_event() {
    async fn echo(ClerkEvent(event): ClerkEvent) -> String {
        event.event_type.to_string()
    }
    let router = Router::new().route("/", post(echo)).with_state(verifier());
    for body in [r#"{"type":"comet.landed","data":[1]}"#, r#"{"type":"user.created"}"#] {
        let (status, _) = answer(router.clone(), signed(body.as_bytes(), now(), body)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
}

#[tokio::test]
async fn any_authentic_bytes_come_through_as_a_message() {
    for router in [extracting(), layered()] {
        let (status, text) = answer(router, signed(b"\xff", now(), b"\xff".as_slice())).await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, "msg_1 not text"));
    }
}

#[tokio::test]
async fn a_forged_stale_or_bare_request_learns_only_that_it_failed() {
    for router in [extracting(), layered()] {
        let requests = [
            signed(b"{}", now(), BODY),
            signed(BODY.as_bytes(), now() - 400, BODY),
            signed(BODY.as_bytes(), now() + 400, BODY),
            Request::post("/").body(Body::from(BODY)).unwrap(),
        ];
        for request in requests {
            let (status, text) = answer(router.clone(), request).await;
            assert_eq!(status, StatusCode::BAD_REQUEST);
            assert_eq!(text, r#"{"error":"verification_failed"}"#);
        }
    }
}

#[tokio::test]
async fn the_limit_is_inclusive() {
    for router in [extracting(), layered()] {
        let (full, over) = ("x".repeat(LIMIT_BYTES), "x".repeat(LIMIT_BYTES + 1));
        let (status, _) =
            answer(router.clone(), signed(full.as_bytes(), now(), full.clone())).await;
        assert_eq!(status, StatusCode::OK);
        let (status, text) = answer(router, signed(over.as_bytes(), now(), over.clone())).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(text, r#"{"error":"too_large"}"#);
    }
}

/// A body of `chunks` of ten bytes, and how many of them were read.
fn counted(chunks: usize) -> (Body, Arc<AtomicUsize>) {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let stream = stream::iter(0..chunks).map(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(Bytes::from_static(b"0123456789"))
    });
    (Body::from_stream(stream), read)
}

#[tokio::test]
async fn a_body_without_a_length_is_read_no_further_than_the_limit() {
    for router in [extracting(), layered()] {
        let (body, read) = counted(1_000_000);
        let (status, _) = answer(router, signed(b"", now(), body)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(read.load(Ordering::Relaxed), LIMIT_BYTES / 10 + 1);
    }
}

#[tokio::test]
async fn a_body_in_chunks_is_verified_whole() {
    for router in [extracting(), layered()] {
        let (body, _) = counted(10);
        let (status, _) =
            answer(router, signed("0123456789".repeat(10).as_bytes(), now(), body)).await;
        assert_eq!(status, StatusCode::OK);
    }
}

/// A body that says how long it is, and must not be asked for more.
struct Announced(u64);

impl http_body::Body for Announced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        panic!("the body was read")
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.0)
    }
}

#[tokio::test]
async fn a_body_that_announces_too_much_is_not_read() {
    for router in [extracting(), layered()] {
        let body = Body::new(Announced(LIMIT_BYTES as u64 + 1));
        let (status, _) = answer(router, signed(b"", now(), body)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_apart() {
    for router in [extracting(), layered()] {
        let broken =
            stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("reset"))]);
        let (status, text) = answer(router, signed(b"{", now(), Body::from_stream(broken))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(text, r#"{"error":"unreadable_body"}"#);
    }
}

#[tokio::test]
async fn the_limit_is_the_verifiers_and_not_the_frameworks() {
    let verifier = Verifier::builder().secret(secret()).body_bytes_max(3_000_000).build().unwrap();
    let router =
        Router::new().route("/", post(echo)).layer(DefaultBodyLimit::max(10)).with_state(verifier);
    let body = "x".repeat(2_500_000);
    let (status, _) = answer(router, signed(body.as_bytes(), now(), body.clone())).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn the_default_limit_is_one_mebibyte() {
    let router = Router::new().route("/", post(echo)).with_state(Verifier::new(secret()));
    for (bytes, expected) in
        [(1 << 20, StatusCode::OK), ((1 << 20) + 1, StatusCode::PAYLOAD_TOO_LARGE)]
    {
        let body = "x".repeat(bytes);
        let (status, _) =
            answer(router.clone(), signed(body.as_bytes(), now(), body.clone())).await;
        assert_eq!(status, expected, "{bytes}");
    }
}

#[derive(Clone)]
struct AppState {
    verifier: Verifier,
}

impl FromRef<AppState> for Verifier {
    fn from_ref(state: &AppState) -> Self {
        state.verifier.clone()
    }
}

#[tokio::test]
async fn the_verifier_may_be_a_part_of_the_state() {
    let router = Router::new().route("/", post(echo)).with_state(AppState { verifier: verifier() });
    let (status, _) = answer(router, signed(b"{}", now(), "{}")).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_handler_can_see_why() {
    async fn why(result: Result<ClerkMessage, WebhookRejection>) -> String {
        result.map_or_else(|rejection| rejection.to_string(), |_| "ok".to_owned())
    }
    let router = Router::new().route("/", post(why)).with_state(verifier());
    let request = Request::post("/").body(Body::empty()).unwrap();
    let (_, text) = answer(router, request).await;
    assert!(text.starts_with("header svix-id is missing"), "{text}");
}

#[tokio::test]
async fn a_layer_outside_can_see_why() {
    for router in [extracting(), layered()] {
        let response: Response<Body> = router.oneshot(signed(b"{}", now(), BODY)).await.unwrap();
        let rejection = response.extensions().get::<WebhookRejection>();
        assert!(
            matches!(rejection, Some(WebhookRejection::VerificationFailed(error)) if error.code() == "no_match"),
            "{rejection:?}"
        );
    }
}
