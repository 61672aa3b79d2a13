//! Mail servers: what arrives, how it is kept from others, and what follows from their answers.

use std::sync::Arc;
use std::time::Duration;

use deskbell_config::FileText;
use deskbell_delivery::{
    CaCertificates, Channel as _, Delivery, EmailChannel, EmailConfig, EmailProvider,
    NoCertificates, Outcome,
};
use mail_parser::MessageParser;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::support::{
    MailServer, Received, Rules, attempt, certificate, delivery, kind, notice, reason, user,
};

/// `AUTH PLAIN` of the user `me@acme` with the password `p+ss wörd`.
const AUTH: &str = "AG1lQGFjbWUAcCtzcyB3w7ZyZA==";
const CREDENTIALS: &str = "me%40acme:p+ss%20w%C3%B6rd@";

fn config(url: &str, pem: Option<&str>) -> EmailConfig {
    EmailConfig {
        url: Some(url.parse().unwrap()),
        ca_certificates: pem.map(|pem| authorities(pem).unwrap()),
        to: vec![
            "{{ user.first_name }} <{{ user.primary_email }}>".to_owned(),
            "ops@acme.example".to_owned(),
        ],
        reply_to: vec!["help@acme.example".to_owned()],
        subject: Some("Welcome, {{ user.first_name }}!".to_owned()),
        text: Some("Hello {{ user.first_name }},\n.\nwelcome.".into()),
        html: Some("<p>Hello {{ user.first_name }}</p>".into()),
        ..EmailConfig::new(EmailProvider::Smtp, "Acme Ångström <hello@acme.example>")
    }
}

pub(crate) fn authorities(pem: &str) -> Result<CaCertificates, NoCertificates> {
    CaCertificates::new(FileText { text: pem.to_owned(), file: "ca.pem".into() })
}

fn channel(url: &str, pem: Option<&str>) -> EmailChannel {
    EmailChannel::new("mail", &config(url, pem)).unwrap()
}

fn plain(server: &MailServer) -> EmailChannel {
    let url = format!("smtp://localhost:{}?tls=none", server.port);
    channel(&url, None)
}

fn welcome(name: &str) -> Delivery {
    delivery("user.created", &user(name))
}

#[tokio::test]
async fn an_email_arrives_whole() {
    let server = MailServer::start(Rules::default()).await;
    let sent = attempt(&plain(&server), &welcome("Zoë <🦊> & Co")).await;
    assert_eq!(sent.outcome, Outcome::Delivered);
    let Received { from, to, data, .. } = server.received().remove(0);
    assert_eq!(from, "<hello@acme.example>");
    assert_eq!(to, ["<mira@example.com>", "<ops@acme.example>"]);
    let message = MessageParser::new().parse(data.as_bytes()).unwrap();
    assert_eq!(message.subject(), Some("Welcome, Zoë <🦊> & Co!"));
    assert_eq!(message.message_id(), Some("a82cf0058e96a413.msg_2a@acme.example"));
    let first = |address: Option<&mail_parser::Address<'_>>| {
        let address = address.unwrap().first().unwrap();
        (address.name().map(str::to_owned), address.address().map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(first(message.from()), (some("Acme Ångström"), some("hello@acme.example")));
    assert_eq!(first(message.to()), (some("Zoë 🦊 & Co"), some("mira@example.com")));
    assert_eq!(first(message.reply_to()), (None, some("help@acme.example")));
    let text = message.body_text(0).unwrap().replace("\r\n", "\n");
    assert_eq!(text.trim_end(), "Hello Zoë <🦊> & Co,\n.\nwelcome.");
    let html = message.body_html(0).unwrap();
    assert_eq!(html.trim_end(), "<p>Hello Zoë &lt;🦊&gt; &amp; Co</p>");
    assert!(message.date().is_some() && message.bcc().is_none());
}

#[tokio::test]
async fn nobodys_name_is_a_header() {
    for name in [
        "Mira\r\nBcc: evil@example.net",
        "Mira\nSubject: other\n\nother body",
        "\"\r\n.\r\nMAIL FROM:<evil@example.net>\r\n",
        "=?utf-8?q?a=0d=0aBcc:_evil@example.net?=",
        &"ä".repeat(3_000),
    ] {
        let server = MailServer::start(Rules::default()).await;
        let sent = attempt(&plain(&server), &welcome(name)).await;
        assert_eq!(sent.outcome, Outcome::Delivered, "{name:?}");
        let received = server.received();
        assert_eq!((received.len(), received[0].to.len()), (1, 2), "{name:?}");
        let head = received[0].data.split("\r\n\r\n").next().unwrap();
        let names: Vec<_> = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap().to_ascii_lowercase())
            .collect();
        assert!(!names.contains(&"bcc".to_owned()), "{head}");
        assert_eq!(names.iter().filter(|name| *name == "subject").count(), 1, "{head}");
        assert!(head.split("\r\n").all(|line| line.len() <= 998), "{head}");
    }
}

#[tokio::test]
async fn with_tls_and_a_password() {
    let (acceptor, pem) = certificate();
    let rules = Rules { tls: Some(acceptor), auth: Some(AUTH), ..Rules::default() };
    let server = MailServer::start(rules).await;
    let url = format!("smtp://{CREDENTIALS}localhost:{}", server.port);
    let trusting = channel(&url, Some(&pem));
    let sent = attempt(&trusting, &welcome("Mira")).await;
    assert_eq!(sent.outcome, Outcome::Delivered, "{sent:?}");
    let email = server.received().remove(0);
    assert!(email.encrypted && email.authenticated);

    let doubting = channel(&url, None);
    let refused = attempt(&doubting, &welcome("Mira")).await;
    assert_eq!(kind(&refused.outcome), "retry");
    assert!(reason(&refused).contains("certificate"), "{}", reason(&refused));
    let shown = format!("{doubting:?} {refused:?}");
    assert!(!shown.contains("p+ss") && !shown.contains("me%40acme"), "{shown}");
}

#[tokio::test]
async fn with_tls_from_the_start() {
    let (acceptor, pem) = certificate();
    let rules = Rules {
        tls: Some(acceptor),
        tls_from_the_start: true,
        auth: Some(AUTH),
        ..Rules::default()
    };
    let server = MailServer::start(rules).await;
    let url = format!("smtps://{CREDENTIALS}localhost:{}", server.port);
    let trusting = channel(&url, Some(&pem));
    for name in ["Mira", "Zoë"] {
        let sent = attempt(&trusting, &welcome(name)).await;
        assert_eq!(sent.outcome, Outcome::Delivered, "{sent:?}");
    }
    let emails = server.received();
    assert!(emails.iter().all(|email| email.encrypted && email.authenticated));
    assert_eq!(emails[1].connection, 1, "the connection is used again");

    let doubting = channel(&url, None);
    let refused = attempt(&doubting, &welcome("Mira")).await;
    assert_eq!(kind(&refused.outcome), "retry");
    assert!(reason(&refused).contains("certificate"), "{}", reason(&refused));
    for broken in ["-----BEGIN CERTIFICATE-----\nx", ""] {
        assert!(authorities(broken).unwrap_err().to_string().contains("in ca.pem"));
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_in_the_clear() {
    let server = MailServer::start(Rules { auth: Some(AUTH), ..Rules::default() }).await;
    let url = format!("smtp://{CREDENTIALS}localhost:{}", server.port);
    let channel = channel(&url, None);
    let refused = attempt(&channel, &welcome("Mira")).await;
    assert_eq!(kind(&refused.outcome), "retry");
    assert!(reason(&refused).contains("STARTTLS"), "{}", reason(&refused));
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn answers() {
    for (command, reply, expected, said) in [
        ("RCPT", "550 5.1.1 no such user", "reject", "no such user"),
        ("MAIL", "451 4.3.0 later", "retry", "later"),
        ("END", "554 5.7.1 spam", "reject", "spam"),
        ("END", "452 4.2.2 full", "retry", "full"),
        ("EHLO", "554 go away", "retry", "go away"),
        ("DATA", "421 closing", "retry", "closing"),
    ] {
        let rules = Rules { replies: vec![(command, reply)], ..Rules::default() };
        let server = MailServer::start(rules).await;
        let attempt = attempt(&plain(&server), &welcome("Mira")).await;
        assert_eq!(kind(&attempt.outcome), expected, "{command} {reply}");
        assert!(reason(&attempt).contains(said), "{}", reason(&attempt));
        assert!(server.received().is_empty());
    }
}

#[tokio::test]
async fn a_wrong_password_is_put_right_and_the_email_still_owed() {
    let server = MailServer::start(Rules { auth: Some("other"), ..Rules::default() }).await;
    let url = format!("smtp://{CREDENTIALS}localhost:{}?tls=none", server.port);
    let channel = channel(&url, None);
    let refused = attempt(&channel, &welcome("Mira")).await;
    assert_eq!(kind(&refused.outcome), "retry");
    assert!(reason(&refused).contains("535"), "{}", reason(&refused));
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let server = MailServer::start(Rules::default()).await;
    let channel = plain(&server);
    assert_eq!(attempt(&channel, &welcome("Mira")).await.outcome, Outcome::Delivered);
    drop(server);
    let refused = attempt(&channel, &welcome("Mira")).await;
    assert_eq!(kind(&refused.outcome), "retry");
    assert!(reason(&refused).starts_with("the mail server cannot be used"));
}

#[tokio::test]
async fn connections_are_used_again() {
    let server = MailServer::start(Rules::default()).await;
    let channel = plain(&server);
    for name in ["Mira", "Zoë", "Ada"] {
        assert_eq!(attempt(&channel, &welcome(name)).await.outcome, Outcome::Delivered);
    }
    let connections: Vec<_> = server.received().iter().map(|email| email.connection).collect();
    assert_eq!(connections, [1, 1, 1]);
}

#[tokio::test]
async fn a_connection_that_was_left_in_the_middle_is_not_used_again() {
    let silent = Arc::new(Notify::new());
    let rules = Rules { silent_once: Some(Arc::clone(&silent)), ..Rules::default() };
    let server = MailServer::start(rules).await;
    let channel = plain(&server);
    let (first, second) = (welcome("Mira"), welcome("Zoë"));
    let deadline = Instant::now() + Duration::from_secs(10);
    tokio::select! {
        attempt = channel.attempt(&first, deadline) => panic!("an answer: {attempt:?}"),
        () = silent.notified() => {}
    }
    assert_eq!(attempt(&channel, &second).await.outcome, Outcome::Delivered);
    let received = server.received();
    assert_eq!((received.len(), received[0].connection), (1, 2));
}

#[tokio::test]
async fn a_deadline_holds() {
    let silent = Arc::new(Notify::new());
    let rules = Rules { silent_once: Some(silent), ..Rules::default() };
    let server = MailServer::start(rules).await;
    let deadline = Instant::now() + Duration::from_millis(100);
    let late = plain(&server).attempt(&welcome("Mira"), deadline).await;
    assert_eq!(reason(&late), "the mail server did not answer in time");
    assert_eq!(kind(&late.outcome), "retry");
}

#[tokio::test]
async fn a_notice() {
    let server = MailServer::start(Rules::default()).await;
    assert_eq!(attempt(&plain(&server), &notice()).await.outcome, Outcome::Delivered);
    let email = server.received().remove(0);
    let message = MessageParser::new().parse(email.data.as_bytes()).unwrap();
    assert_eq!(email.to, ["<ops@acme.example>"]);
    assert_eq!(message.subject(), Some("Deskbell: crm fails & fails"));
    assert!(message.body_text(0).unwrap().contains("It answers 500 <always>."));
}
