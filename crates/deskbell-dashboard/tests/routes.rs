//! The table of routes, and the router.

use std::collections::BTreeSet;

use axum::body::Body;
use deskbell_admin::{Method, Need};
use deskbell_dashboard::ROUTES;
use deskbell_store::TokenRole;
use http::{Request, StatusCode};

use crate::client::{get, open};
use crate::fixture::{World, pages};

#[tokio::test]
async fn every_route_of_the_table_is_served() {
    let pages = pages(&World::full(0), TokenRole::Admin);
    for route in ROUTES {
        let url = route
            .path
            .replace("{source}", "clerk")
            .replace("{name}", "crm-sync")
            .replace("{type}", "user.created")
            .replace("{file}", "app.js")
            .replace("replays/{id}", "replays/8")
            .replace("subjects/{id}", "subjects/user_2b6fcd92dvf96q05x8e4a5")
            .replace("{id}", "msg_2rTfdYTxEGY8xvBHqJPUqj4005");
        let method = http::Method::from(route.method);
        let request = Request::builder().method(method).uri(&url).body(Body::empty()).unwrap();
        let status = open(&pages, request).await.status();
        let served = ![StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&status);
        assert!(served, "{route:?}: {status}");
    }
    assert_eq!(get(&pages, "/dashboard/nothing").await.status, StatusCode::NOT_FOUND);
}

#[test]
fn a_route_is_declared_once_and_changes_need_an_administrator() {
    let mut seen = BTreeSet::new();
    for route in ROUTES {
        assert!(seen.insert((route.method, route.path)), "{route:?} is there twice");
        let allowed = match route.need {
            Need::Nothing => route.path.starts_with("/dashboard/assets/"),
            Need::Role(role) => route.method == Method::Get || role == TokenRole::Admin,
        };
        assert!(allowed, "{route:?}");
    }
}

#[tokio::test]
async fn assets_are_kept_forever_and_compressed_for_who_takes_it() {
    let pages = pages(&World::empty(0), TokenRole::Viewer);
    let page = get(&pages, "/dashboard").await.text;
    let at = page.find("/dashboard/assets/style.css?v=").unwrap();
    let url = &page[at..][..page[at..].find('"').unwrap()];
    let request = |name: &str, value: &str| {
        Request::get(url).header(name, value).body(Body::empty()).unwrap()
    };
    let plain = open(&pages, request("accept-encoding", "identity")).await;
    assert!(!plain.headers().contains_key("content-encoding"));
    assert_eq!(plain.headers()["content-type"], "text/css; charset=utf-8");
    let gzipped = open(&pages, request("accept-encoding", "gzip, br")).await;
    assert_eq!(gzipped.headers()["content-encoding"], "gzip");
    assert_eq!(gzipped.headers()["cache-control"], "public, max-age=31536000, immutable");
    let tag = gzipped.headers()["etag"].to_str().unwrap().to_owned();
    let known = open(&pages, request("if-none-match", &tag)).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    for other in ["/dashboard/assets/style.css", "/dashboard/assets/style.css?v=older"] {
        let request = Request::get(other).body(Body::empty()).unwrap();
        let cache = open(&pages, request).await.headers()["cache-control"].clone();
        assert_eq!(cache, "no-cache", "{other}");
    }
}

#[tokio::test]
async fn pages_are_compressed_for_who_takes_it() {
    let pages = pages(&World::full(0), TokenRole::Viewer);
    let request = Request::get("/dashboard/events").header("accept-encoding", "gzip");
    let response = open(&pages, request.body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let gzipped = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let mut unpacked = String::new();
    let mut reader = flate2::read::GzDecoder::new(gzipped.as_ref());
    std::io::Read::read_to_string(&mut reader, &mut unpacked).unwrap();
    assert_eq!(unpacked, get(&pages, "/dashboard/events").await.text);
}
