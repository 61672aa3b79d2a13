//! The table of routes, the router and the description have the same routes.

use std::collections::BTreeSet;

use deskbell_admin::{Method, Need, Route};
use deskbell_store::TokenRole;
use serde_json::Value;

use super::client::Client;
use super::desk::Desk;
use crate::svix::{ROUTES, openapi};

fn name(method: Method) -> String {
    http::Method::from(method).to_string()
}

/// A path that the route matches.
fn path_of(route: &Route) -> String {
    let parts = route.path.split('/').map(|part| match part {
        "{app_id}" => "clerk",
        "{endpoint_id}" => "crm",
        "{*rest}" => "a/b",
        part if part.starts_with('{') => "x",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_of_the_table_is_answered() {
    let client = Client::of(&Desk::new(), TokenRole::Admin);
    for route in ROUTES {
        let reply = client.send(&name(route.method), &path_of(route), None, None).await;
        // What nobody handles is answered without a body.
        assert!(reply.json != Value::Null || reply.status == 204, "{route:?}: {reply:?}");
        assert_ne!(reply.status, 405, "{route:?}");
    }
}

#[tokio::test]
async fn what_is_not_supported_is_answered_with_a_reason() {
    let client = Client::of(&Desk::new(), TokenRole::Admin);
    for (method, path) in [
        ("POST", "/api/v1/auth/app-portal-access/clerk"),
        ("GET", "/api/v1/app/clerk/integration"),
        ("GET", "/api/v1/operational-webhook/endpoint"),
        ("GET", "/api/v1/app/clerk/poller/sink_1/consumer/a"),
        ("GET", "/api/v1/stream"),
        ("DELETE", "/api/v1/stream/a/sink/b"),
        ("GET", "/api/v1/background-task"),
        ("POST", "/api/v1/environment/import"),
        ("GET", "/api/v1/app/clerk/endpoint/crm/transformation"),
        ("GET", "/api/v1/connector"),
        ("POST", "/api/v1/event-type"),
        ("DELETE", "/api/v1/app/clerk"),
        ("DELETE", "/api/v1/app/clerk/msg/msg_1/content"),
        ("POST", "/api/v1/app/clerk/msg/bulk-expunge"),
    ] {
        let reply = client.send(method, path, None, None).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (501, "not_implemented"), "{path}");
        assert!(reply.json["detail"].as_str().unwrap().len() > 20, "{reply:?}");
    }
}

#[test]
fn the_description_has_every_route_and_no_other() {
    let json = serde_json::to_value(openapi()).unwrap();
    let mut described = BTreeSet::new();
    for (path, item) in json["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["responses"]["422"].is_object(), "{method} {path}");
            described.insert((method.to_uppercase(), path.clone()));
        }
    }
    let routes =
        ROUTES.iter().map(|route| (name(route.method), route.path.replace("{*rest}", "{rest}")));
    assert_eq!(described, routes.collect());
    let schemas = json["components"]["schemas"].as_object().unwrap();
    for schema in ["EndpointOut", "MessageOut", "MessageAttemptOut", "SvixValidationErrors"] {
        assert!(schemas.contains_key(schema), "{schema}");
    }
}

#[test]
fn secrets_and_changes_need_an_admin() {
    for route in ROUTES {
        let is_secret = route.path.contains("/secret") || route.path.contains("/headers");
        let is_read = route.method == Method::Get || route.path.ends_with("/precheck/active");
        let expected = match is_read && !is_secret {
            true => TokenRole::Viewer,
            false => TokenRole::Admin,
        };
        assert_eq!(route.need, Need::Role(expected), "{route:?}");
    }
}
