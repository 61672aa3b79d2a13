//! What is sent: signed as Svix signs it, byte for byte, attempt for attempt.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clerk_webhooks::{HeaderFamily, Secret, UnixMillis, Verifier, VerifyError};
use deskbell_delivery::{HttpChannel, HttpConfig, Outcome};

use super::support::{
    LONG, Receiver, Request, SECRET, SENT_AT, attempt, attempt_at, delivery_of, headers, secret,
    secrets,
};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
pub(crate) const OTHER: &str = "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI=";
/// The seed of a private key, as base64 of 32 bytes.
pub(crate) const PRIVATE: &str = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn verified(request: &Request, secret: &Secret, seconds: u64) -> Result<(), VerifyError> {
    Verifier::new(secret).verify(&request.headers, &request.body, at(seconds)).map(drop)
}

/// What a receiver gets from a channel with this config.
async fn sent(change: impl FnOnce(&mut HttpConfig), id: &str, body: &[u8]) -> Request {
    let (receiver, mut requests) = Receiver::recording(OK).await;
    let mut config = receiver.config();
    change(&mut config);
    let channel = HttpChannel::new(&config).unwrap();
    let attempt = attempt_at(&channel, &delivery_of(id, body), LONG).await;
    assert_eq!(attempt.outcome, Outcome::Delivered);
    requests.recv().await.unwrap()
}

#[tokio::test]
async fn the_body_goes_byte_for_byte_under_either_family() {
    for body in [&b"{}"[..], b"", b" {\"a\" : \"\\u003c\\/\"}\r\n", b"\0\xff\xfe", &[b'x'; 1 << 20]]
    {
        for family in [HeaderFamily::Svix, HeaderFamily::Webhook] {
            let request = sent(|config| config.header_family = family, "msg_1", body).await;
            assert_eq!(request.body, body);
            verified(&request, &secret(SECRET), SENT_AT).unwrap();
            assert_eq!(request.header(family.id()), "msg_1");
            assert_eq!(request.header(family.timestamp()), SENT_AT.to_string());
            assert!(verified(&request, &secret(OTHER), SENT_AT).is_err());
        }
    }
}

#[tokio::test]
async fn a_request_bears_these_headers_and_no_others() {
    let change = |config: &mut HttpConfig| {
        config.headers = headers(&[("x-team", "a"), ("x-team", "b")]).unwrap();
    };
    let request = sent(change, "msg_1", b"{}").await;
    let mut names: Vec<&str> = request.headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    let signature = ["svix-id", "svix-signature", "svix-timestamp"];
    let others = ["accept", "content-length", "content-type", "host"];
    assert_eq!(names, [&others[..], &signature, &["user-agent", "x-team"]].concat());
    assert_eq!(request.header("content-type"), "application/json");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(request.header("user-agent"), format!("Deskbell/{version}"));
    let teams: Vec<_> = request.headers.get_all("x-team").iter().collect();
    assert_eq!(teams, ["a", "b"]);
    assert_eq!(request.target, "/hooks?token=t0ken");
}

#[tokio::test]
async fn a_header_of_the_config_takes_the_place_of_ours() {
    let change = |config: &mut HttpConfig| {
        config.headers = headers(&[("user-agent", "ours")]).unwrap();
    };
    let request = sent(change, "msg_1", b"{}").await;
    assert_eq!(request.headers.get_all("user-agent").iter().collect::<Vec<_>>(), ["ours"]);
}

#[tokio::test]
async fn credentials_in_the_url_are_basic_authentication() {
    let change = |config: &mut HttpConfig| {
        let url = config.url.expose_secrets().as_str();
        config.url = url.replace("://", "://us%20er:p%3Aw@").parse().unwrap();
    };
    let request = sent(change, "msg_1", b"{}").await;
    // base64 of `us er:p:w`.
    assert_eq!(request.header("authorization"), "Basic dXMgZXI6cDp3");
    assert!(!request.header("host").contains('@'));
}

#[tokio::test]
async fn a_private_key_signs_v1a() {
    let change = |config: &mut HttpConfig| config.secrets = secrets(&[PRIVATE]);
    let request = sent(change, "msg_1", b"{}").await;
    assert!(request.header("svix-signature").starts_with("v1a,"));
    verified(&request, &secret(PRIVATE), SENT_AT).unwrap();
}

#[tokio::test]
async fn every_secret_of_a_rotation_signs_until_its_end() {
    for (end, signatures) in [(SENT_AT + 1, 3), (SENT_AT, 2), (SENT_AT - 1, 2)] {
        let change = |config: &mut HttpConfig| {
            config.secrets = secrets(&[SECRET, OTHER, PRIVATE]);
            config.secrets.0[0].until =
                UnixMillis::from_millis(i64::try_from(end * 1_000).unwrap());
        };
        let request = sent(change, "msg_1", b"{}").await;
        assert_eq!(request.header("svix-signature").split(' ').count(), signatures);
        assert_eq!(verified(&request, &secret(SECRET), SENT_AT).is_ok(), signatures == 3);
        verified(&request, &secret(OTHER), SENT_AT).unwrap();
        verified(&request, &secret(PRIVATE), SENT_AT).unwrap();
    }
}

#[tokio::test]
async fn a_later_attempt_has_the_same_id_and_its_own_time() {
    let (receiver, mut requests) = Receiver::recording(OK).await;
    let channel = receiver.channel();
    for number in 0..3 {
        let mut delivery = delivery_of("msg_1", b"{}");
        delivery.attempt = number + 1;
        delivery.sent_at_seconds = SENT_AT + 3_600 * u64::from(number);
        attempt_at(&channel, &delivery, LONG).await;
        let request = requests.recv().await.unwrap();
        assert_eq!(request.header("svix-id"), "msg_1");
        verified(&request, &secret(SECRET), delivery.sent_at_seconds).unwrap();
    }
}

#[tokio::test]
async fn an_id_that_no_header_can_bear_is_given_up() {
    let (receiver, mut requests) = Receiver::recording(OK).await;
    let channel = receiver.channel();
    for id in ["msg\n1", "msg\r\nx: y", "msg\0"] {
        let attempt = attempt_at(&channel, &delivery_of(id, b"{}"), LONG).await;
        let Outcome::Reject { reason } = attempt.outcome else { panic!("{attempt:?}") };
        assert!(reason.contains("message id"), "{reason}");
    }
    assert_eq!(receiver.connections(), 0);
    attempt(&channel, LONG).await;
    assert_eq!(requests.recv().await.unwrap().header("svix-id"), "msg_1");
}
