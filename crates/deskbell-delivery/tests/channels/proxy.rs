//! A proxy of the config, for the services of which the config names one.

use deskbell_config::{HttpUrl, SecretText};
use deskbell_delivery::{
    Channel, EmailChannel, EmailConfig, EmailProvider, LoopsChannel, LoopsConfig, Outcome,
    SlackChannel, SlackConfig,
};
use deskbell_store::deliveries::StartFrom;

use super::support::{HttpService, attempt, delivery, user};

/// A host that nobody resolves: only the proxy is asked for it.
const NOWHERE: &str = "http://service.invalid/";

/// What the proxy is asked for when a user is created.
async fn asked(channel: impl FnOnce(Option<HttpUrl>) -> Box<dyn Channel>) -> String {
    let proxy = HttpService::start([]).await;
    let channel = channel(Some(proxy.url.as_str().parse().unwrap()));
    let attempt = attempt(&*channel, &delivery("user.created", &user("Mira"))).await;
    assert_eq!(attempt.outcome, Outcome::Delivered);
    proxy.asked()[0].line.clone()
}

#[tokio::test]
async fn each_service_is_asked_through_it() {
    let nowhere: HttpUrl = NOWHERE.parse().unwrap();
    let slack = asked(|proxy| {
        let config = SlackConfig {
            webhook_url: format!("{NOWHERE}services/T/B/X").parse().unwrap(),
            text: Some("Hello".into()),
            blocks: None,
            proxy,
            from: StartFrom::Now,
        };
        Box::new(SlackChannel::new("slack", &config).unwrap())
    });
    assert_eq!(slack.await, format!("POST {NOWHERE}services/T/B/X"));

    let loops = asked(|proxy| {
        let api_key = SecretText::from("loops_a_key_of_the_tests");
        let base_url = Some(nowhere.clone());
        let from = StartFrom::Now;
        let config = LoopsConfig { api_key, event_name: None, base_url, proxy, from };
        Box::new(LoopsChannel::new("loops", &config).unwrap())
    });
    assert!(loops.await.contains(&format!(" {NOWHERE}api/v1/contacts/")));

    let resend = asked(|proxy| {
        let config = EmailConfig {
            api_key: Some("re_a_key_of_the_tests".into()),
            base_url: Some(nowhere.clone()),
            proxy,
            to: vec!["ada@example.com".to_owned()],
            subject: Some("Welcome".to_owned()),
            text: Some("Hello".into()),
            ..EmailConfig::new(EmailProvider::Resend, "hello@acme.example")
        };
        Box::new(EmailChannel::new("mail", &config).unwrap())
    });
    assert_eq!(resend.await, format!("POST {NOWHERE}emails"));
}
