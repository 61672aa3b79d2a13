//! What each role is shown.

use deskbell_store::TokenRole;
use http::StatusCode;

use crate::client::get;
use crate::fixture::{World, pages};

const NOW: i64 = 1_795_248_000_000;
const EVENT: &str = "/dashboard/events/clerk/msg_2rTfdYTxEGY8xvBHqJPUqj4005";
const SUBJECT: &str = "/dashboard/subjects/user_2b6fcd92dvf96q05x8e4a5";
const LONG: &str = "xxxxxxxxxx";

#[tokio::test]
async fn who_may_not_change_anything_is_not_shown_how() {
    let world = World::full(NOW);
    for role in [TokenRole::Viewer, TokenRole::Reader] {
        let pages = pages(&world, role);
        for url in [
            "/dashboard",
            "/dashboard/events?type=user.*",
            EVENT,
            SUBJECT,
            "/dashboard/destinations",
            "/dashboard/destinations/crm-sync",
            "/dashboard/dead-letters",
            "/dashboard/dead-letters?destination=mirror",
            "/dashboard/catalog/user.created",
            "/dashboard/settings",
        ] {
            let page = get(&pages, url).await.text;
            let without = page.replace("method=\"post\" action=\"/sign-out\"", "");
            assert!(!without.contains("method=\"post\""), "{role} {url}");
            for action in ["/replay", "/edit", "/destinations/new", "settings/tokens"] {
                assert!(!without.contains(&format!("{action}\"")), "{role} {url} {action}");
            }
        }
    }
}

#[tokio::test]
async fn a_viewer_sees_no_personal_data() {
    let world = World::full(NOW);
    let viewer = pages(&world, TokenRole::Viewer);
    let event = get(&viewer, EVENT).await.text;
    assert!(event.contains("•••") && !event.contains(LONG), "the payload");
    assert!(!event.contains("alert(1)"), "the payload, or the reply of an attempt");
    let subject = get(&viewer, SUBJECT).await.text;
    assert!(subject.contains("•••") && !subject.contains("ada@example.com"), "the row");
    let reader = pages(&world, TokenRole::Reader);
    assert!(get(&reader, EVENT).await.text.contains(LONG));
    assert!(get(&reader, SUBJECT).await.text.contains("ada@example.com"));
}

#[tokio::test]
async fn a_viewer_does_not_search_in_payloads() {
    let world = World::full(NOW);
    let url = "/dashboard/events?text=no-payload-has-this";
    let reader = get(&pages(&world, TokenRole::Reader), url).await.text;
    assert!(reader.contains("name=\"text\"") && reader.contains("Nothing found so far"));
    let viewer = get(&pages(&world, TokenRole::Viewer), url).await;
    assert_eq!(viewer.status, StatusCode::BAD_REQUEST);
    assert!(!viewer.text.contains("name=\"text\"") && !viewer.text.contains("msg_2rTf"));
    assert!(viewer.text.contains("needs a token of the role reader"), "{}", viewer.text);
}

#[tokio::test]
async fn secrets_are_shown_to_nobody_who_did_not_ask() {
    let world = World::full(NOW);
    for role in TokenRole::ALL {
        let page = get(&pages(&world, role), "/dashboard/destinations/crm-sync").await.text;
        assert!(!page.contains(crate::fixture::endpoints::SECRET), "{role}");
    }
    assert!(world.state().done.is_empty());
}
