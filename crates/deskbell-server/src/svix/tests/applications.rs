//! Applications and event types.

use deskbell_store::TokenRole;
use insta::assert_snapshot;
use serde_json::json;

use super::client::{Client, pretty};
use super::desk::Desk;

#[tokio::test]
async fn a_source_is_an_application() {
    let client = Client::of(&Desk::new(), TokenRole::Admin);
    assert_snapshot!("application", pretty(&client.get("/api/v1/app/clerk").await.ok()));
    let list = client.get("/api/v1/app?limit=1").await.ok();
    assert_snapshot!("applications", pretty(&list));
    let iterator = list["iterator"].as_str().unwrap();
    let list = client.get(&format!("/api/v1/app?limit=1&iterator={iterator}")).await.ok();
    assert_eq!((&list["data"][0]["id"], &list["done"]), (&json!("other"), &json!(true)));
    let missing = client.get("/api/v1/app/none").await;
    assert_eq!((missing.status.as_u16(), missing.code()), (404, "not_found"));
}

#[tokio::test]
async fn a_source_that_exists_is_got_and_none_is_made() {
    let client = Client::of(&Desk::new(), TokenRole::Admin);
    let got = client.post("/api/v1/app?get_if_exists=true", json!({"name": "clerk"})).await;
    assert_eq!((got.status.as_u16(), &got.json["uid"]), (200, &json!("clerk")));
    let by_uid = json!({"name": "My application", "uid": "clerk", "metadata": {}});
    let got = client.post("/api/v1/app?get_if_exists=true", by_uid).await;
    assert_eq!((got.status.as_u16(), &got.json["name"]), (200, &json!("clerk")));
    for path in ["/api/v1/app?get_if_exists=true", "/api/v1/app"] {
        let refused = client.post(path, json!({"name": "new"})).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (501, "not_implemented"), "{path}");
        assert!(refused.json["detail"].as_str().unwrap().contains("config"), "{refused:?}");
    }
}

#[tokio::test]
async fn event_types_are_those_of_the_catalog() {
    let client = Client::of(&Desk::new(), TokenRole::Viewer);
    let known = client.get("/api/v1/event-type/organizationDomain.deleted").await.ok();
    assert_snapshot!("event_type", pretty(&known));
    let sent_by_clients = "with_content=false&include_archived=false&limit=250";
    let list = client.get(&format!("/api/v1/event-type?{sent_by_clients}")).await.ok();
    let types = list["data"].as_array().unwrap();
    assert_eq!(types.len(), deskbell_admin::catalog().len());
    assert!(types.iter().all(|known| known["schemas"].is_null()));
    let list = client.get("/api/v1/event-type?with_content=true&limit=1&order=descending").await;
    assert!(list.ok()["data"][0]["schemas"]["1"]["examples"][0]["data"].is_object());
    assert_eq!(client.get("/api/v1/event-type/none").await.status, 404);
}
