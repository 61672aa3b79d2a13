//! A welcome email and a message to Slack.

use deskbell_sim::receiver::Receiver;
use serde_json::{Value, json};

use super::mailbox::Mailbox;
use super::recipe::{Recipe, bodies, service};

fn slack(receiver: &Receiver) -> (&'static str, String) {
    ("SLACK_WEBHOOK_URL", format!("{}services/T0/B0/x", receiver.url()))
}

#[tokio::test]
async fn what_the_readme_shows_arrives() {
    let (mailbox, channel) = (Mailbox::start().await, service().await);
    let recipe = Recipe::new("welcome", &[("SMTP_URL", mailbox.url.clone()), slack(&channel)]);
    let serving = recipe.serve().await;
    recipe.follow_readme(&serving).await;
    let [email] = &mailbox.emails(1).await[..] else { panic!("one email") };
    let [message] = &bodies(&channel, 1).await[..] else { panic!("one message") };
    let message = message["text"].as_str().unwrap().to_owned();
    assert_eq!(recipe.shown(), [email.printed.clone(), message]);
    assert_eq!(channel.received()[0].path, "/services/T0/B0/x");
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(recipe.delivered(1).await, [("signups".into(), 1), ("welcome".into(), 1)]);
}

#[tokio::test]
async fn a_name_is_text_and_who_has_no_address_gets_no_email() {
    let (mailbox, channel) = (Mailbox::start().await, service().await);
    let recipe = Recipe::new("welcome", &[("SMTP_URL", mailbox.url.clone()), slack(&channel)]);
    let serving = recipe.serve().await;
    let nobody = ["--set", "data.email_addresses=[]", "--set", "data.first_name=null"];
    recipe.trigger(&serving, &[&["user.created"], &nobody[..]].concat()).await;
    let name = "data.first_name=<b>Ada & Co</b>";
    recipe.trigger(&serving, &["user.created", "--set", name]).await;
    let [email] = &mailbox.emails(1).await[..] else { panic!("one email") };
    assert_eq!(email.subject, "Welcome to Acme, <b>Ada & Co</b>");
    assert!(email.text.starts_with("Welcome, <b>Ada & Co</b>!"), "{}", email.text);
    assert!(email.html.contains("&lt;b&gt;Ada &amp; Co"), "{}", email.html);
    let mut messages = bodies(&channel, 2).await;
    messages.sort_by_key(Value::to_string);
    let ada = "New user: &lt;b&gt;Ada &amp; Co&lt;/b&gt; Lindqvist, mira.lindqvist@example.com";
    assert_eq!(
        messages,
        [json!({ "text": ada }), json!({ "text": "New user: Lindqvist, no email" })]
    );
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(recipe.delivered(1).await, [("signups".into(), 1)]);
}

#[tokio::test]
async fn resend_takes_the_same_email() {
    let (resend, channel) = (service().await, service().await);
    let recipe =
        Recipe::new("welcome", &[("RESEND_API_KEY", "re_123456789".into()), slack(&channel)]);
    let base_url = format!("api_key = \"env:RESEND_API_KEY\"\nbase_url = \"{}\"", resend.url());
    recipe.rewrite(|config| {
        config
            .replace("provider = \"smtp\"", "provider = \"resend\"")
            .replace("url = \"env:SMTP_URL\"", &base_url)
    });
    let serving = recipe.serve().await;
    recipe.trigger(&serving, &["user.created", "--id", "msg_ada"]).await;
    let [email] = &bodies(&resend, 1).await[..] else { panic!("one email") };
    assert_eq!(
        (&email["to"], &email["subject"]),
        (&json!(["mira.lindqvist@example.com"]), &"Welcome to Acme, Mira".into())
    );
    assert!(email["html"].as_str().unwrap().contains("<h1>Welcome, Mira!</h1>"), "{email}");
    let headers = &resend.received()[0].headers;
    assert_eq!(headers["authorization"], "Bearer re_123456789");
    assert!(headers.contains_key("idempotency-key"));
    assert_eq!(serving.terminate().await.0, 0);
}
