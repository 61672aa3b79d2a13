//! Resend: what is asked, and what follows from its answers.

use std::time::Duration;

use deskbell_delivery::{Channel as _, EmailChannel, EmailConfig, EmailProvider, Outcome};
use tokio::time::Instant;
use url::Url;

use super::support::{HttpService, Reply, attempt, delivery, kind, notice, nowhere, reason, user};

const KEY: &str = "re_a_key_of_the_tests";

fn config(base_url: &Url) -> EmailConfig {
    EmailConfig {
        api_key: Some(KEY.into()),
        base_url: Some(base_url.as_str().parse().unwrap()),
        to: vec!["{{ user.full_name }} <{{ user.primary_email }}>".to_owned()],
        reply_to: vec!["help@acme.example".to_owned()],
        subject: Some("Welcome, {{ user.first_name }}!".to_owned()),
        text: Some("Hello {{ user.first_name }},\nwelcome.".into()),
        html: Some("<p>Hello {{ user.first_name }}</p>".into()),
        ..EmailConfig::new(EmailProvider::Resend, "Acme <hello@acme.example>")
    }
}

fn channel(base_url: &Url) -> EmailChannel {
    EmailChannel::new("mail", &config(base_url)).unwrap()
}

#[tokio::test]
async fn a_request() {
    let service = HttpService::start([Reply::new(200, r#"{"id":"49a3999c"}"#)]).await;
    let attempt = attempt(&channel(&service.url), &delivery("user.created", &user("Mira"))).await;
    assert_eq!(attempt.outcome, Outcome::Delivered);
    assert_eq!((attempt.status, &attempt.reply[..]), (Some(200), &br#"{"id":"49a3999c"}"#[..]));
    insta::assert_snapshot!(service.asked()[0].shown());
}

#[tokio::test]
async fn a_request_for_a_notice() {
    let service = HttpService::start([]).await;
    let mut config = config(&service.url);
    config.to = ["ops@acme.example, {{ user.primary_email }}", "{{ user.username }}@acme.example"]
        .map(str::to_owned)
        .to_vec();
    let channel = EmailChannel::new("mail", &config).unwrap();
    assert_eq!(attempt(&channel, &notice()).await.outcome, Outcome::Delivered);
    insta::assert_snapshot!(service.asked()[0].shown());
}

#[tokio::test]
async fn a_destination_may_carry_alerts_only() {
    let service = HttpService::start([]).await;
    let mut config = config(&service.url);
    config.to = vec!["ops@acme.example".to_owned()];
    (config.subject, config.text, config.html) = (None, None, None);
    let channel = EmailChannel::new("mail", &config).unwrap();
    assert_eq!(attempt(&channel, &notice()).await.outcome, Outcome::Delivered);
    let refused = attempt(&channel, &delivery("user.created", &user("Mira"))).await;
    assert_eq!(reason(&refused), "this destination takes only alerts");
}

#[tokio::test]
async fn a_notice_needs_an_address_of_its_own() {
    let service = HttpService::start([]).await;
    let attempt = attempt(&channel(&service.url), &notice()).await;
    assert_eq!(
        reason(&attempt),
        "an alert requires an address in `to` that does not depend on an event"
    );
    assert!(service.asked().is_empty());
}

/// A service's answer, the header beside it, and the outcome with its reason.
type Case = (u16, &'static str, Option<(&'static str, &'static str)>, &'static str, &'static str);

const ANSWERS: &[Case] = &[
    (
        422,
        r#"{"name":"invalid_to","message":"Invalid `to`"}"#,
        None,
        "reject",
        "Resend answered 422: Invalid `to`",
    ),
    (
        403,
        r#"{"name":"validation_error","message":"verify a domain"}"#,
        None,
        "reject",
        "Resend answered 403: verify a domain",
    ),
    (
        409,
        r#"{"name":"invalid_idempotent_request","message":"another body"}"#,
        None,
        "reject",
        "Resend answered 409: another body",
    ),
    (
        409,
        r#"{"name":"concurrent_idempotent_requests","message":"wait"}"#,
        None,
        "retry",
        "Resend answered 409: wait",
    ),
    (
        401,
        r#"{"name":"missing_api_key","message":"no key"}"#,
        None,
        "retry",
        "Resend answered 401: no key",
    ),
    (
        403,
        r#"{"name":"invalid_api_key","message":"API key re_a_key_of_the_tests is invalid\n"}"#,
        None,
        "retry",
        "Resend answered 403: API key (redacted) is invalid",
    ),
    (
        429,
        r#"{"name":"rate_limit_exceeded","message":"slower"}"#,
        Some(("retry-after", "7")),
        "retry after 7",
        "Resend answered 429: slower",
    ),
    (429, "", None, "retry", "Resend answered 429"),
    (500, "<html>", Some(("retry-after", "soon")), "retry", "Resend answered 500"),
    (503, "", Some(("retry-after", "120")), "retry after 120", "Resend answered 503"),
    (302, "", Some(("location", "http://127.0.0.1:1/")), "retry", "Resend answered 302"),
];

#[tokio::test]
async fn answers() {
    for (status, body, header, expected, why) in ANSWERS {
        let reply = Reply { header: *header, ..Reply::new(*status, *body) };
        let service = HttpService::start([reply]).await;
        let attempt =
            attempt(&channel(&service.url), &delivery("user.created", &user("Mira"))).await;
        assert_eq!(kind(&attempt.outcome), *expected, "{status} {body}");
        assert_eq!(reason(&attempt), *why, "{status} {body}");
        assert_eq!(attempt.status, Some(*status));
    }
}

#[tokio::test]
async fn long_answers_are_cut() {
    let message = "x".repeat(2_000);
    let body = format!(r#"{{"message":"{message}"}}"#);
    let service =
        HttpService::start([Reply::new(422, body), Reply::new(422, "y".repeat(1 << 20))]).await;
    let (channel, delivery) = (channel(&service.url), delivery("user.created", &user("Mira")));
    assert!(reason(&attempt(&channel, &delivery).await).len() < 400);
    assert_eq!(attempt(&channel, &delivery).await.reply.len(), 16 << 10);
}

#[tokio::test]
async fn a_key_that_may_be_forgotten_is_not_used_again() {
    let service = HttpService::start([]).await;
    let channel = channel(&service.url);
    let mut late = delivery("user.created", &user("Mira"));
    late.attempt = 9;
    late.first_attempt_ago = Some(Duration::from_secs(24 * 3_600));
    let refused = attempt(&channel, &late).await;
    assert_eq!(kind(&refused.outcome), "reject");
    assert!(reason(&refused).contains("twice") && service.asked().is_empty());
    late.first_attempt_ago = Some(Duration::from_secs(23 * 3_600));
    assert_eq!(attempt(&channel, &late).await.outcome, Outcome::Delivered);
}

#[tokio::test]
async fn without_an_answer_it_is_tried_again_and_nothing_secret_is_said() {
    let service = HttpService::start([Reply::SILENCE]).await;
    let delivery = delivery("user.created", &user("Mira"));
    let deadline = Instant::now() + Duration::from_millis(50);
    let late = channel(&service.url).attempt(&delivery, deadline).await;
    assert_eq!(kind(&late.outcome), "retry");
    assert_eq!(reason(&late), "Resend did not answer in time");
    let channel = channel(&nowhere());
    let refused = attempt(&channel, &delivery).await;
    assert_eq!(kind(&refused.outcome), "retry");
    assert!(reason(&refused).starts_with("Resend cannot be reached: "), "{}", reason(&refused));
    let shown = format!("{channel:?} {refused:?}");
    assert!(!shown.contains(KEY), "{shown}");
}

#[test]
fn configs_that_cannot_be_used() {
    super::support::provider();
    let url: Url = "http://127.0.0.1:1".parse().unwrap();
    let refused = |change: fn(&mut EmailConfig)| {
        let mut config = config(&url);
        change(&mut config);
        EmailChannel::new("mail", &config).unwrap_err().to_string()
    };
    assert_eq!(
        refused(|config| config.subject = Some("{{ usr.id }}".to_owned())),
        "template mail/subject, line 1: unknown name `usr`, did you mean `user`?"
    );
    assert_eq!(
        refused(|config| (config.text, config.html) = (None, None)),
        "set `text`, `html`, or both"
    );
    assert_eq!(refused(|config| config.subject = None), "the key `subject` is missing here");
    let bad_key = refused(|config| config.api_key = Some("a key\n".into()));
    assert_eq!(bad_key, "the API key is empty, or has characters in it that cannot be sent");
    assert_eq!(refused(|config| config.api_key = None), "the key `api_key` is missing here");
}
