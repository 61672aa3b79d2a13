//! Loops: contacts and events, and what follows from its answers.

use deskbell_config::SecretText;
use deskbell_delivery::{LoopsChannel, LoopsConfig, Outcome};
use deskbell_store::deliveries::StartFrom;
use serde_json::{Value as Json, json};

use super::support::{
    Asked, HttpService, Reply, attempt, delivery, kind, notice, reason, sample, user,
};

fn channel(service: &HttpService, event_name: Option<&str>) -> LoopsChannel {
    let config = LoopsConfig {
        api_key: SecretText::from("loops_a_key_of_the_tests"),
        event_name: event_name.map(str::to_owned),
        base_url: Some(service.url.as_str().parse().unwrap()),
        proxy: None,
        from: StartFrom::Now,
    };
    LoopsChannel::new("loops", &config).unwrap()
}

/// What is asked for an event, as lines with bodies; or why nothing is.
async fn asked(
    event_type: &str,
    data: &Json,
    event_name: Option<&str>,
) -> Result<Vec<(String, Json)>, String> {
    let service = HttpService::start([]).await;
    let attempt = attempt(&channel(&service, event_name), &delivery(event_type, data)).await;
    let asked = service.asked().into_iter().map(|asked| (asked.line, asked.body)).collect();
    match attempt.outcome {
        Outcome::Delivered => Ok(asked),
        _ => Err(format!("{}: {}", kind(&attempt.outcome), reason(&attempt))),
    }
}

#[tokio::test]
async fn requests() {
    let service = HttpService::start([]).await;
    let channel = channel(&service, Some("{{ type | replace('.', '_') }}"));
    let attempt = attempt(&channel, &delivery("user.created", &user("Mira"))).await;
    assert_eq!(attempt.outcome, Outcome::Delivered);
    let shown: Vec<_> = service.asked().iter().map(Asked::shown).collect();
    insta::assert_snapshot!(shown.join("\n\n"));
}

#[tokio::test]
async fn contacts_follow_users() {
    let mut unnamed = user("Mira");
    unnamed["first_name"] = Json::Null;
    unnamed["last_name"] = json!("");
    let update = json!({
        "email": "mira@example.com", "userId": "user_1", "firstName": null, "lastName": null,
    });
    let put = "PUT /api/v1/contacts/update".to_owned();
    assert_eq!(asked("user.updated", &unnamed, None).await, Ok(vec![(put, update)]));
    let delete = "POST /api/v1/contacts/delete".to_owned();
    let deleted = json!({ "id": "user_1", "object": "user", "deleted": true });
    assert_eq!(
        asked("user.deleted", &deleted, Some("{{ type }}")).await,
        Ok(vec![(delete, json!({ "userId": "user_1" }))])
    );
    let nobody = json!({ "id": "user_1", "email_addresses": [] });
    assert_eq!(
        asked("user.created", &nobody, None).await,
        Err("reject: the user has no primary email address, which a contact requires".to_owned())
    );
}

#[tokio::test]
async fn other_types_send_events_about_a_user() {
    for event_type in ["organizationMembership.created", "session.created", "subscription.active"] {
        let asked = asked(event_type, &sample(event_type), Some("{{ type }}")).await.unwrap();
        assert_eq!(asked[0].0, "POST /api/v1/events/send", "{event_type}");
        assert_eq!(asked[0].1["eventName"], event_type);
        assert!(asked[0].1["userId"].as_str().unwrap().starts_with("user_"), "{asked:?}");
    }
    let organization = sample("organization.created");
    for (name, why) in [
        (Some("{{ type }}"), "reject: organization.created is not about one user"),
        (
            None,
            "reject: organization.created does not change a contact, and `event_name` is not set",
        ),
        (
            Some(" {{ data.x }} "),
            "reject: organization.created does not change a contact, and `event_name` is not set",
        ),
    ] {
        let asked = asked("organization.created", &organization, name).await;
        assert_eq!(asked, Err(why.to_owned()));
    }
}

#[tokio::test]
async fn answers() {
    let ok = || Reply::new(200, r#"{"success":true}"#);
    let no = |status| Reply::new(status, r#"{"success":false,"message":"no"}"#);
    for (event_type, replies, expected, requests) in [
        ("user.created", vec![ok(), ok()], "delivered", 2),
        ("user.created", vec![no(400)], "reject", 1),
        ("user.created", vec![no(409)], "reject", 1),
        ("user.created", vec![ok(), no(409)], "delivered", 2),
        ("user.created", vec![ok(), no(500)], "retry", 2),
        ("user.created", vec![no(401)], "retry", 1),
        ("user.created", vec![no(429)], "retry", 1),
        ("user.deleted", vec![no(404)], "delivered", 1),
        ("user.created", vec![no(404)], "reject", 1),
    ] {
        let service = HttpService::start(replies).await;
        let channel = channel(&service, Some("signed_up"));
        let attempt = attempt(&channel, &delivery(event_type, &user("Mira"))).await;
        assert_eq!(kind(&attempt.outcome), expected, "{event_type} {:?}", service.asked());
        assert_eq!(service.asked().len(), requests);
    }
}

#[tokio::test]
async fn alerts_do_not_go_there() {
    let service = HttpService::start([]).await;
    let attempt = attempt(&channel(&service, Some("x")), &notice()).await;
    assert_eq!(reason(&attempt), "Loops takes no alerts");
    assert!(!format!("{:?}", channel(&service, None)).contains("loops_a_key"));
}
