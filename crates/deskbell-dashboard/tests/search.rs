//! Searching the log, going on from a page to the next, and the field in the header.

use axum::body::{Body, to_bytes};
use deskbell_store::TokenRole;
use http::{Request, StatusCode};

use crate::client::{get, open};
use crate::fixture::{World, pages};

const NOW: i64 = 1_795_248_000_000;

/// The ids of the rows on a page.
fn rows(page: &str) -> Vec<i64> {
    let rows = page.split("<tr class=\"link\" id=\"e").skip(1);
    rows.map(|row| row[..row.find('"').unwrap()].parse().unwrap()).collect()
}

/// The address of the link that goes on.
fn further(page: &str) -> Option<String> {
    let (_, after) = page.split_once("<div class=\"further\">")?;
    let (_, after) = after.split_once("href=\"")?;
    Some(after[..after.find('"')?].replace("&amp;", "&"))
}

#[tokio::test]
async fn each_event_is_on_one_page() {
    let pages = pages(&World::full(NOW), TokenRole::Viewer);
    let mut url = "/dashboard/events".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = get(&pages, &url).await.text;
        seen.extend(rows(&page));
        match further(&page) {
            Some(next) => url = next,
            None => break,
        }
    }
    assert_eq!(seen, (1..=180).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_search_says_how_far_it_looked_and_goes_on() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Reader);
    let url = "/dashboard/events?type=user.created&text=UNSAFE_metadata";
    let first = get(&pages, url).await.text;
    assert!(first.contains("Search further back") && first.contains("Looked at 40 events"));
    let mut seen = rows(&first);
    let mut next = further(&first);
    while let Some(url) = next {
        let page = get(&pages, &url).await.text;
        seen.extend(rows(&page));
        next = further(&page);
    }
    let state = world.state();
    let expected = state.events.iter().rev().map(|one| &one.event);
    let expected = expected.filter(|event| event.event_type == "user.created");
    assert_eq!(seen, expected.map(|event| event.seq).collect::<Vec<_>>());
}

#[tokio::test]
async fn filters_are_chips_that_can_be_removed() {
    let pages = pages(&World::full(NOW), TokenRole::Viewer);
    let page = get(&pages, "/dashboard/events?type=user.*&subject=user_1&state=pending").await.text;
    assert!(page.contains("href=\"/dashboard/events?subject=user_1&amp;state=pending\""), "{page}");
    assert!(page.contains("href=\"/dashboard/events?type=user.*&amp;state=pending\""), "{page}");
    assert!(page.contains("Remove the filter type: user.*"), "{page}");
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused_beside_what_was_typed() {
    let pages = pages(&World::full(NOW), TokenRole::Admin);
    for (query, message, kept) in [
        ("type=user.*&destination=crm-sync", "A destination needs a state", "value=\"crm-sync\""),
        ("until=tomorrow&subject=user_1", "`until`: expected a time", "value=\"tomorrow\""),
        ("since=soon", "`since`: expected a time", "value=\"soon\" selected"),
        ("state=lost&type=user.*", "`state`: expected pending", "value=\"user.*\""),
    ] {
        let page = get(&pages, &format!("/dashboard/events?{query}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(page.text.contains(message) && page.text.contains(kept), "{query}: {}", page.text);
        assert!(rows(&page.text).is_empty(), "{query} shows events");
    }
    let url = "/dashboard/events?state=dead_lettered&destination=crm-sync";
    assert!(!rows(&get(&pages, url).await.text).is_empty());
}

#[tokio::test]
async fn the_field_in_the_header_takes_any_id() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Reader);
    for (text, expected) in [
        (
            "msg_2rTfdYTxEGY8xvBHqJPUqj4005",
            "/dashboard/events/clerk/msg_2rTfdYTxEGY8xvBHqJPUqj4005",
        ),
        ("+user_2b6fcd92dvf96q05x8e4a5+", "/dashboard/subjects/user_2b6fcd92dvf96q05x8e4a5"),
        ("org_2rTfdYTxEGY8xvBHqJPUqj4zzz", "/dashboard/subjects/org_2rTfdYTxEGY8xvBHqJPUqj4zzz"),
        ("user.created", "/dashboard/events?type=user.created"),
        ("user.*", "/dashboard/events?type=user.*"),
        ("ada@example.com", "/dashboard/events?text=ada%40example.com"),
        ("", "/dashboard/events"),
    ] {
        let reply = get(&pages, &format!("/dashboard/search?q={text}")).await;
        assert_eq!(reply.location.as_deref(), Some(expected), "{text}");
    }
}

#[tokio::test]
async fn an_event_is_beside_the_list_that_it_was_found_in() {
    let pages = pages(&World::full(NOW), TokenRole::Viewer);
    let url = "/dashboard/events/clerk/msg_2rTfdYTxEGY8xvBHqJPUqj4100?subject=user_2b6fcd92dvf96q05x8e4a1";
    let page = get(&pages, url).await.text;
    let beside = page.split_once("<nav class=\"beside\"").unwrap().1;
    let beside = beside.split_once("</nav>").unwrap().0;
    assert_eq!(beside.matches("aria-current=\"true\"").count(), 1);
    assert_eq!(beside.matches("<li>").count(), 12, "the events about it, from this one on");
    assert!(beside.contains("?subject=user_2b6fcd92dvf96q05x8e4a1\""));
}

#[tokio::test]
async fn the_next_event_comes_without_searching_for_the_list_again() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Viewer);
    let url = "/dashboard/events/clerk/msg_2rTfdYTxEGY8xvBHqJPUqj4100?type=user.*";
    let request = Request::get(url).header("hx-request", "true").header("hx-target", "event");
    let reply = open(&pages, request.body(Body::empty()).unwrap()).await;
    let page = to_bytes(reply.into_body(), usize::MAX).await.unwrap();
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(page.contains("<article id=\"event\"") && !page.contains("class=\"beside\""));
    assert_eq!(world.state().searches, 0);
    get(&pages, url).await;
    assert_eq!(world.state().searches, 1);
}
