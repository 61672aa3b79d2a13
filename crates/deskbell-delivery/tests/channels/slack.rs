//! Slack: what is posted, and what follows from its answers.

use std::time::Duration;

use deskbell_config::{SecretUrl, TemplateText};
use deskbell_delivery::{Channel as _, Outcome, SlackChannel, SlackConfig};
use deskbell_store::deliveries::StartFrom;
use serde_json::{Value as Json, json};
use tokio::time::Instant;
use url::Url;

use super::support::{HttpService, Reply, attempt, delivery, kind, notice, nowhere, reason, user};

const PATH: &str = "services/T000/B000/XXXXsecretXXXX";

fn config(webhook_url: &str, text: Option<&str>, blocks: Option<&str>) -> SlackConfig {
    SlackConfig {
        webhook_url: webhook_url.parse().unwrap(),
        text: text.map(TemplateText::from),
        blocks: blocks.map(TemplateText::from),
        proxy: None,
        from: StartFrom::Now,
    }
}

fn channel(base_url: &Url, text: Option<&str>, blocks: Option<&str>) -> SlackChannel {
    let config = config(&format!("{base_url}{PATH}"), text, blocks);
    SlackChannel::new("slack", &config).unwrap()
}

async fn posted(text: Option<&str>, blocks: Option<&str>, user: &Json) -> Result<Json, String> {
    let service = HttpService::start([Reply::new(200, "ok")]).await;
    let channel = channel(&service.url, text, blocks);
    let attempt = attempt(&channel, &delivery("user.created", user)).await;
    match attempt.outcome {
        Outcome::Delivered => Ok(service.asked()[0].body.clone()),
        _ => Err(format!("{}: {}", kind(&attempt.outcome), reason(&attempt))),
    }
}

const SECTION: &str = r#"[{"type": "section", "text": {"type": "mrkdwn", "text": "*{{ user.first_name }}* signed up"}}]"#;

#[tokio::test]
async fn messages() {
    let mira = user("Mira");
    let text = "{{ user.full_name }} signed up";
    let section = json!([{
        "type": "section",
        "text": { "type": "mrkdwn", "text": "*Mira* signed up" },
    }]);
    for (text, blocks, expected) in [
        (Some(text), None, Ok(json!({ "text": "Mira Lindqvist signed up" }))),
        (None, Some(SECTION), Ok(json!({ "blocks": section }))),
        (
            Some(text),
            Some(SECTION),
            Ok(json!({ "blocks": section, "text": "Mira Lindqvist signed up" })),
        ),
        (
            None,
            Some(r#"{"blocks": [], "username": {{ user.first_name | tojson }}}"#),
            Ok(json!({ "blocks": [], "username": "Mira" })),
        ),
        (Some("{{ data.nothing }}"), None, Err("reject: the message is empty".to_owned())),
        (
            None,
            Some("[{]"),
            Err("reject: `blocks` is not valid JSON at line 1, column 3".to_owned()),
        ),
        (None, Some("3"), Err("reject: expected `blocks` to be a JSON list or object".to_owned())),
        (
            None,
            Some("{{ user.first_name | round }}"),
            Err("reject: template slack/blocks, line 1: invalid operation".to_owned()),
        ),
    ] {
        assert_eq!(posted(text, blocks, &mira).await, expected, "{text:?} {blocks:?}");
    }
}

#[tokio::test]
async fn nobodys_name_is_a_mention_or_a_block() {
    for name in [
        "<!channel>",
        "<https://evil.example|Mira>",
        "\"}}, {\"type\": \"image\", \"image_url\": \"https://evil.example\"}, {\"x\": {\"y\": \"",
        "\\",
        "\\\"",
        "a\nb\u{0}\u{1f}\u{2028}",
        "& &amp; &lt;",
        "🦊 Zoë",
    ] {
        let body = posted(Some("{{ user.first_name }}"), Some(SECTION), &user(name)).await.unwrap();
        let escaped = name
            .replace('\0', "\u{fffd}")
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        assert_eq!(body["text"], json!(escaped));
        assert_eq!(body["blocks"].as_array().unwrap().len(), 1);
        assert_eq!(body["blocks"][0]["text"]["text"], json!(format!("*{escaped}* signed up")));
    }
}

#[tokio::test]
async fn a_notice() {
    let service = HttpService::start([]).await;
    let channel = channel(&service.url, None, None);
    assert_eq!(attempt(&channel, &notice()).await.outcome, Outcome::Delivered);
    let refused = attempt(&channel, &delivery("user.created", &user("Mira"))).await;
    assert_eq!(reason(&refused), "this destination takes only alerts");
    insta::assert_snapshot!(service.asked()[0].shown());
}

#[tokio::test]
async fn answers() {
    for (status, body, header, expected) in [
        (400, "invalid_payload", None, "reject"),
        (400, "no_text", None, "reject"),
        (403, "action_prohibited", None, "reject"),
        (403, "invalid_token", None, "gone"),
        (404, "no_service", None, "gone"),
        (404, "channel_not_found", None, "reject"),
        (410, "channel_is_archived", None, "gone"),
        (429, "rate_limited", Some(("retry-after", "30")), "retry after 30"),
        (500, "rollup_error", None, "retry"),
        (302, "", None, "retry"),
    ] {
        let service = HttpService::start([Reply { header, ..Reply::new(status, body) }]).await;
        let channel = channel(&service.url, Some("x"), None);
        let attempt = attempt(&channel, &delivery("user.created", &user("Mira"))).await;
        assert_eq!(kind(&attempt.outcome), expected, "{status} {body}");
        assert!(reason(&attempt).ends_with(body), "{}", reason(&attempt));
    }
}

#[tokio::test]
async fn the_url_is_never_said() {
    let said = Reply::new(404, format!("no such hook: /{PATH}"));
    let service = HttpService::start([said, Reply::SILENCE]).await;
    let here = channel(&service.url, Some("x"), None);
    let delivery = delivery("user.created", &user("Mira"));
    let mut shown = format!("{here:?}");
    shown += reason(&attempt(&here, &delivery).await);
    let deadline = Instant::now() + Duration::from_millis(50);
    shown += reason(&here.attempt(&delivery, deadline).await);
    let refused = attempt(&channel(&nowhere(), Some("x"), None), &delivery).await;
    assert!(reason(&refused).starts_with("Slack cannot be reached"), "{}", reason(&refused));
    shown += reason(&refused);
    assert!(!shown.contains("XXXX") && !shown.contains("T000"), "{shown}");
}

#[test]
fn options_that_will_not_do() {
    super::support::provider();
    let refused = |webhook_url: &str, text: Option<&str>| {
        SlackChannel::new("slack", &config(webhook_url, text, None)).unwrap_err().to_string()
    };
    for url in ["hooks.slack.com/services/T/B/X", "ftp://hooks.slack.com/x"] {
        url.parse::<SecretUrl>().expect_err(url);
    }
    let without_path = refused("https://hooks.slack.com", Some("x"));
    assert!(without_path.contains("https://hooks.slack.com/services/…"), "{without_path}");
    let url = "https://hooks.slack.com/services/T/B/X";
    assert!(refused(url, Some("{{ membershp.role }}")).contains("did you mean `membership`?"));
}

#[test]
fn samples_show_blocks_that_are_no_json() {
    super::support::provider();
    let url = "https://hooks.slack.com/services/T/B/X";
    let config = config(url, None, Some("[{{ user.full_name }}]"));
    let channel = SlackChannel::new("slack", &config).unwrap();
    let failures = channel.check(&["user.created"]);
    assert!(failures[0].reason.starts_with("`blocks` is not valid JSON"), "{failures:?}");
}

#[test]
fn a_sample_that_fails_is_reported_once() {
    super::support::provider();
    let url = "https://hooks.slack.com/services/T/B/X";
    let config = config(url, Some("{{ user.created_at | upcase }}"), None);
    let channel = SlackChannel::new("slack", &config).unwrap();
    let failures = channel.check(&["user.created", "user.updated"]);
    let types: Vec<_> = failures.iter().map(|failure| &*failure.event_type).collect();
    assert_eq!(types, ["user.created", "user.updated"], "{failures:?}");
}
