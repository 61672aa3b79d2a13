//! What emails say and to whom, whoever carries them.

use deskbell_delivery::{
    Channel as _, EmailChannel, EmailConfig, EmailPreset, EmailProvider, Outcome,
};
use serde_json::{Value as Json, json};

use super::support::{HttpService, attempt, delivery, kind, reason, sample, user};

fn resend(service: &HttpService, from: &str) -> EmailConfig {
    EmailConfig {
        api_key: Some("re_123456789".into()),
        base_url: Some(service.url.as_str().parse().unwrap()),
        ..EmailConfig::new(EmailProvider::Resend, from)
    }
}

fn config(service: &HttpService, to: &str) -> EmailConfig {
    EmailConfig {
        to: vec![to.to_owned()],
        subject: Some("Hello {{ user.first_name }}".to_owned()),
        text: Some("{{ user.first_name }}".into()),
        html: Some("<b title=\"{{ user.first_name }}\">x</b>".into()),
        ..resend(service, "hello@acme.example")
    }
}

/// What is sent about a user, or why nothing is.
async fn sent(to: &str, user: &Json) -> Result<Json, String> {
    let service = HttpService::start([]).await;
    let channel = EmailChannel::new("mail", &config(&service, to)).unwrap();
    let attempt = attempt(&channel, &delivery("user.updated", user)).await;
    match attempt.outcome {
        Outcome::Delivered => Ok(service.asked()[0].body.clone()),
        _ => Err(format!("{}: {}", kind(&attempt.outcome), reason(&attempt))),
    }
}

#[tokio::test]
async fn receivers() {
    let all = "{{ user.email_addresses | map(attribute='email_address') | join(',') }}";
    let mut two = user("Mira");
    let second = json!({ "id": "idn_2", "email_address": "second@example.com" });
    two["email_addresses"].as_array_mut().unwrap().push(second);
    let nobody = json!({ "id": "user_1", "email_addresses": [] });
    let ok = |list: &[&str]| Ok(json!(list));
    let none = Err("reject: no recipient: `to` is empty for this event".to_owned());
    for (to, user, expected) in [
        ("{{ user.primary_email }}", &two, ok(&["mira@example.com"])),
        (all, &two, ok(&["mira@example.com", "second@example.com"])),
        ("ops@acme.example, {{ user.primary_email }}", &nobody, ok(&["ops@acme.example"])),
        ("{{ user.primary_email }}", &nobody, none.clone()),
        ("{{ user.full_name }} <{{ user.primary_email }}>", &nobody, none),
        (
            "{{ user.first_name }}",
            &two,
            Err("reject: `mail/to` contains 1 invalid email address(es)".to_owned()),
        ),
    ] {
        let to_field = sent(to, user).await.map(|mut body| body["to"].take());
        assert_eq!(to_field, expected, "{to}");
    }
}

#[tokio::test]
async fn an_email_has_fifty_recipients_at_most() {
    let all = "{{ user.email_addresses | map(attribute='email_address') | join(',') }}";
    for (count, expected) in [(50, None), (51, Some("reject: 51 recipients are more than 50"))] {
        let mut many = user("Mira");
        many["email_addresses"] = json!(vec![json!({ "email_address": "a@b.example" }); count]);
        let sent = sent(all, &many).await;
        assert_eq!(sent.err().as_deref(), expected, "{count}");
    }
}

#[tokio::test]
async fn a_sender_with_a_comma_in_the_name() {
    for from in ["Acme, Inc. <hello@acme.example>", "\"Acme, Inc.\" <hello@acme.example>"] {
        let service = HttpService::start([]).await;
        let mut config =
            config(&service, "{{ user.last_name }}, {{ user.first_name }} <a@bücher.example>");
        config.from = from.to_owned();
        config.reply_to = vec![from.to_owned()];
        let channel = EmailChannel::new("mail", &config).unwrap();
        assert_eq!(channel.check(&["user.created"]), []);
        let mut user = user("Mira");
        user["last_name"] = json!("Smith");
        let attempt = attempt(&channel, &delivery("user.created", &user)).await;
        assert_eq!(attempt.outcome, Outcome::Delivered, "{from}");
        let body = service.asked()[0].body.clone();
        let acme = "\"Acme, Inc.\" <hello@acme.example>";
        assert_eq!((&body["from"], &body["reply_to"]), (&json!(acme), &json!([acme])));
        assert_eq!(body["to"], json!(["\"Smith, Mira\" <a@xn--bcher-kva.example>"]));
    }
}

#[tokio::test]
async fn what_is_no_address_is_found_at_the_start() {
    let service = HttpService::start([]).await;
    let said = |expected: &str, found: &str| {
        format!("{expected}, such as \"Acme, Inc.\" <hello@acme.example>, found `{found}`")
    };
    for (field, text, expected) in [
        ("from", "hello", said("`mail/from`: expected one address", "hello")),
        (
            "from",
            "Acme hello@acme.example",
            said("`mail/from`: expected one address", "Acme hello@acme.example"),
        ),
        (
            "from",
            "a@b.example, c@d.example",
            said("`mail/from`: expected one address", "a@b.example, c@d.example"),
        ),
        ("to", "hello", said("`mail/to`: expected addresses", "hello")),
        (
            "reply_to",
            "a@b.example, hello",
            said("`mail/reply_to`: expected addresses", "a@b.example, hello"),
        ),
        (
            "from",
            "{{ user.id }}",
            said("`mail/from`: expected one address", "user_3BqBPkbsJsSq0hFDZpRSjtN2bzl"),
        ),
        ("from", "{{ user.nothing_of_this_name }}", String::new()),
        ("from", "", said("`mail/from`: expected one address", "")),
        ("to", "{{ user.first_name }}", said("`mail/to`: expected addresses", "Mira")),
    ] {
        let template = text.to_owned();
        let mut config = config(&service, "{{ user.primary_email }}");
        match field {
            "from" => config.from = template,
            "to" => config.to = vec![template],
            _ => config.reply_to = vec![template],
        }
        let found = match EmailChannel::new("mail", &config) {
            Err(error) => error.to_string(),
            Ok(channel) => {
                let failures = channel.check(&["user.created"]);
                failures.into_iter().map(|failure| failure.reason).collect::<Vec<_>>().join("; ")
            }
        };
        if expected.is_empty() {
            assert!(!found.is_empty(), "{text}");
        } else {
            assert_eq!(found, expected, "{field} = {text}");
        }
    }
    // For a user without an address there is nobody, and metadata is in no sample: those are no mistakes
    // of the config.
    let mut config = config(&service, "{{ user.primary_email }}");
    config.from = "{{ data.public_metadata.sender }}".to_owned();
    let channel = EmailChannel::new("mail", &config).unwrap();
    assert_eq!(channel.check(&["user.created", "user.deleted"]), []);
}

/// Names by which somebody might want to get more than a greeting.
const NAMES: &[&str] = &[
    "Mira\r\nBcc: evil@example.net",
    "evil@example.net, Mira",
    "evil@example.net,",
    "\"evil\" <evil@example.net>,",
    "evil@example.net>,<",
    "\\\" <evil@example.net>",
    "\u{0}\u{b}\u{85}\u{2028}x",
    "<script>alert(1)</script>\" onload=\"x",
    "{{ user.id }}{% raw %}",
    "=?utf-8?q?evil=0d=0aBcc:_evil@example.net?=",
];

#[tokio::test]
async fn nobodys_name_is_a_header_a_receiver_or_markup() {
    for name in NAMES {
        let to = "{{ user.first_name }} <{{ user.primary_email }}>";
        let body = sent(to, &user(name)).await.unwrap();
        let to = body["to"].as_array().unwrap();
        assert!(to.len() == 1 && to[0].as_str().unwrap().ends_with("<mira@example.com>"), "{body}");
        for field in [&to[0], &body["subject"]] {
            let text = field.as_str().unwrap();
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
        let html = body["html"].as_str().unwrap();
        let inside = html.strip_prefix("<b title=\"").unwrap().strip_suffix("\">x</b>").unwrap();
        assert!(!inside.contains(['<', '>', '"']), "{html}");
        assert_eq!(body["text"].as_str().unwrap(), name.replace('\0', "\u{fffd}"));
    }
}

#[tokio::test]
async fn clerks_own_emails() {
    let service = HttpService::start([]).await;
    let preset = Some(EmailPreset::Clerk);
    let config = EmailConfig { preset, ..resend(&service, "Acme <no-reply@acme.example>") };
    let channel = EmailChannel::new("mail", &config).unwrap();
    assert_eq!(channel.check(&["email.created"]), []);
    let mut email = sample("email.created");
    for (delivered_by_clerk, why) in [
        (json!(true), "Clerk sent this email itself"),
        (json!(null), "not one of Clerk's emails: `delivered_by_clerk` is missing"),
    ] {
        email["delivered_by_clerk"] = delivered_by_clerk;
        let attempt = attempt(&channel, &delivery("email.created", &email)).await;
        assert_eq!((kind(&attempt.outcome).as_str(), reason(&attempt)), ("reject", why));
    }
    email["delivered_by_clerk"] = json!(false);
    let ours = delivery("email.created", &email);
    assert_eq!(attempt(&channel, &ours).await.outcome, Outcome::Delivered);
    insta::assert_snapshot!(service.asked()[0].shown());
}

#[tokio::test]
async fn nothing_from_the_event_is_in_reasons() {
    let service = HttpService::start([]).await;
    let mut config = config(&service, "{{ user.primary_email }}");
    config.text = Some("one\n{{ user.first_name | round }}".into());
    let channel = EmailChannel::new("mail", &config).unwrap();
    let failures = channel.check(&["user.created"]);
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0].reason, "template mail/text, line 2: invalid operation");
    let failed = attempt(&channel, &delivery("user.created", &user("hunter2"))).await;
    assert_eq!(reason(&failed), "template mail/text, line 2: invalid operation");
}
