//! What paying organizations do, and nothing else.

use deskbell_sim::Message;
use serde_json::{Value, json};

use super::recipe::{Recipe, bodies, printed, service};
use super::samples::event;
use crate::program::support::{http_client, send, within};

fn recipe(crm: &deskbell_sim::receiver::Receiver) -> Recipe {
    let secret = "whsec_Y3JtLXNlY3JldC1vZi0yNC1ieXRlcyEh".to_owned();
    Recipe::new("paying", &[("CRM_URL", crm.url()), ("CRM_WEBHOOK_SECRET", secret)])
}

fn subscription(at: i64, organization: &str, items: &Value) -> Message {
    let payer = ("/data/payer/organization_id", json!(organization));
    event("subscription.updated", at, &[payer, ("/data/items", items.clone())])
}

fn item(status: &str, amount: u32) -> Value {
    json!({ "id": "csub_item_1", "status": status, "plan": { "slug": "x", "amount": amount } })
}

#[tokio::test]
async fn only_what_matches_is_delivered() {
    let at = 1_800_000_000_000;
    let plan = |plan: Value| ("/data/public_metadata", json!({ "plan": plan }));
    let of_plan = |plan| ("/data/organization/public_metadata", json!({ "plan": plan }));
    let other = [
        event("organization.created", at, &[]),
        event("organization.updated", at + 1, &[plan(json!("free"))]),
        event("organization.updated", at + 2, &[plan(json!(["pro"]))]),
        event("organizationMembership.created", at + 3, &[]),
        subscription(at + 4, "", &json!([item("active", 2400)])),
        subscription(at + 5, "org_1", &json!([item("active", 0), item("canceled", 2400)])),
        subscription(at + 6, "org_1", &json!([])),
        subscription(at + 7, "org_1", &json!(null)),
        event("organization.deleted", at + 8, &[]),
        event("user.created", at + 9, &[plan(json!("pro"))]),
    ];
    let paying = [
        event("organization.updated", at + 20, &[plan(json!("pro"))]),
        event("organizationMembership.created", at + 21, &[of_plan("team")]),
        subscription(at + 22, "org_1", &json!([item("ended", 0), item("active", 2400)])),
    ];
    let crm = service().await;
    let recipe = recipe(&crm);
    let (http, serving) = (http_client(), recipe.serve().await);
    for message in other.iter().chain(&paying) {
        assert_eq!(send(&http, &serving.url(), message).await, Some(200));
    }
    within(crm.wait_for(paying.len())).await;
    assert_eq!(serving.terminate().await.0, 0);
    let mut arrived: Vec<_> = crm.received().into_iter().map(|one| one.message_id).collect();
    arrived.sort();
    let mut expected: Vec<_> = paying.iter().map(|message| message.id.clone()).collect();
    expected.sort();
    assert_eq!(arrived, expected);
    for (seq, message) in (1..).zip(&other) {
        assert_eq!(recipe.delivered(seq).await, [], "{}", message.id);
    }
}

#[tokio::test]
async fn what_the_readme_shows_arrives() {
    let crm = service().await;
    let recipe = recipe(&crm);
    let serving = recipe.serve().await;
    recipe.follow_readme(&serving).await;
    assert_eq!(bodies(&crm, 1).await.len(), 1);
    assert_eq!(recipe.shown(), [printed(&crm.received()[0])]);
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(recipe.delivered(1).await, []);
    assert_eq!(recipe.delivered(2).await, [("crm".to_owned(), 1)]);
}
