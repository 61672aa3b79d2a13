//! The live tail: every event once, in order, and an end.

use axum::Router;
use axum::body::{Body, BodyDataStream};
use deskbell_store::TokenRole;
use futures_util::StreamExt;
use http::{Request, StatusCode};

use crate::client::open;
use crate::fixture::{World, pages};

/// What a browser reads of the stream.
struct Reader {
    stream: BodyDataStream,
    text: String,
}

impl Reader {
    async fn open(pages: &Router, url: &str, last_id: Option<&str>) -> Self {
        let mut request = Request::get(url);
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let response = open(pages, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { stream: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next message: its id, and whether it is shown.
    async fn next(&mut self) -> Option<(i64, bool)> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let id = message.lines().find_map(|line| line.strip_prefix("id: "));
                let found = id.map(|id| (id.parse().unwrap(), message.contains("event: event")));
                self.text = rest.to_owned();
                if found.is_some() {
                    return found;
                }
                continue;
            }
            let bytes = self.stream.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

#[tokio::test]
async fn each_event_comes_once_and_in_order_also_while_it_reads() {
    let world = World::full(0);
    let pages = pages(&world, TokenRole::Viewer);
    let mut reader = Reader::open(&pages, "/dashboard/events/tail?after=170", None).await;
    for expected in 171..=180 {
        assert_eq!(reader.next().await, Some((expected, true)));
        if expected == 175 {
            world.append_another();
        }
    }
    assert_eq!(reader.next().await, Some((181, true)));
    let (next, _) = tokio::join!(reader.next(), async { world.append_another() });
    assert_eq!(next, Some((182, true)));
}

#[tokio::test]
async fn a_browser_that_comes_back_goes_on_where_it_was() {
    let pages = pages(&World::full(0), TokenRole::Viewer);
    let url = "/dashboard/events/tail?after=3";
    let mut reader = Reader::open(&pages, url, Some("178")).await;
    assert_eq!(reader.next().await, Some((179, true)));
}

#[tokio::test]
async fn what_does_not_match_is_passed_and_not_shown() {
    let world = World::full(0);
    let pages = pages(&world, TokenRole::Viewer);
    let subject = "user_2b6fcd92dvf96q05x8e4a1";
    let url = format!("/dashboard/events/tail?after=170&subject={subject}");
    let mut reader = Reader::open(&pages, &url, None).await;
    assert_eq!(reader.next().await, Some((173, true)));
    assert_eq!(reader.next().await, Some((180, false)), "so far it has read");
}

#[tokio::test(start_paused = true)]
async fn a_tail_outlasts_a_log_that_cannot_be_read_and_ends_after_a_while() {
    let world = World::full(0);
    world.state().unreadable = 3;
    let pages = pages(&world, TokenRole::Viewer);
    let mut reader = Reader::open(&pages, "/dashboard/events/tail?after=179", None).await;
    assert_eq!(reader.next().await, Some((180, true)));
    assert_eq!(world.state().unreadable, 0);
    assert_eq!(reader.next().await, None, "the browser opens another one");
}

#[tokio::test]
async fn tails_are_bounded_and_one_that_ends_makes_room() {
    let pages = pages(&World::full(0), TokenRole::Viewer);
    let url = "/dashboard/events/tail";
    let mut readers = Vec::new();
    for _ in 0..32 {
        readers.push(Reader::open(&pages, url, None).await);
    }
    let request = || Request::get(url).body(Body::empty()).unwrap();
    let refused = open(&pages, request()).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));
    readers.pop();
    assert_eq!(open(&pages, request()).await.status(), StatusCode::OK);
}
