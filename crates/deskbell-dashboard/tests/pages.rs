//! What holds for every page: nothing breaks out of it, nothing is loaded from elsewhere, and a
//! strict content security policy allows all of it.

use axum::Router;
use deskbell_store::TokenRole;
use http::StatusCode;

use crate::client::get;
use crate::fixture::{HOSTILE, World, pages};

const NOW: i64 = 1_795_248_000_000;
const EVENT: &str = "/dashboard/events/clerk/msg_2rTfdYTxEGY8xvBHqJPUqj4005";

/// Of every page, at least one address.
const PAGES: &[&str] = &[
    "/dashboard",
    "/dashboard/setup",
    "/dashboard/events",
    "/dashboard/events?live=1",
    "/dashboard/events?type=user.*&text=%3C%2Fscript%3E%3Cimg+src%3Dx&subject=%22%3E&since=24h",
    "/dashboard/events/replay?type=%3C%2Fscript%3E%3Cimg+src%3Dx",
    EVENT,
    "/dashboard/replays/7",
    "/dashboard/replays/8",
    "/dashboard/replays/9",
    "/dashboard/subjects/user_2b6fcd92dvf96q05x8e4a5",
    "/dashboard/subjects/%3C%2Fscript%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%22'&",
    "/dashboard/destinations",
    "/dashboard/destinations/new",
    "/dashboard/destinations/crm-sync",
    "/dashboard/destinations/crm-sync/edit",
    "/dashboard/destinations/crm-sync/replay?what=missing",
    "/dashboard/destinations/%3C%2Fscript%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E%22'&",
    "/dashboard/destinations/reporting",
    "/dashboard/destinations/archive",
    "/dashboard/mirrors/mirror",
    "/dashboard/mirrors/reporting",
    "/dashboard/dead-letters",
    "/dashboard/dead-letters?destination=mirror&cause=%3C%2Fscript%3E%3Cimg",
    "/dashboard/catalog",
    "/dashboard/catalog/user.created",
    "/dashboard/settings",
    "/dashboard/settings/audit",
    "/dashboard/reference",
    "/dashboard/reference?tag=replay",
];

/// What would need a policy that is less strict, or break out.
const FORBIDDEN: &[&str] = &[
    "<img",
    "<style",
    " style=",
    "javascript:",
    " onerror=x",
    " onclick=",
    " onload=",
    "hx-on",
    "hx-vals",
    "<iframe",
    "<base",
];

/// Attributes whose values a browser follows, or loads.
const LINKS: &[&str] = &["href=\"", "src=\"", "action=\"", "hx-get=\"", "sse-connect=\""];

fn assert_harmless(url: &str, text: &str) {
    for forbidden in FORBIDDEN {
        assert!(!text.contains(forbidden), "{url} has {forbidden}");
    }
    for script in text.split("<script").skip(1) {
        assert!(script.starts_with(" src=\"/dashboard/assets/"), "{url} has its own script");
        assert!(script[script.find('>').unwrap()..].starts_with("></script>"), "{url}");
    }
    for attribute in LINKS {
        for link in text.split(attribute).skip(1) {
            let link = &link[..link.find('"').unwrap()];
            let is_ours = link.starts_with('/') && !link.starts_with("//");
            assert!(is_ours || link.starts_with('#'), "{url} leads to {link}");
        }
    }
}

async fn assert_all_harmless(pages: &Router, urls: &[&str]) {
    for url in urls {
        let page = get(pages, url).await;
        assert_eq!(page.status, StatusCode::OK, "{url}");
        assert!(page.text.starts_with("<!DOCTYPE html>"), "{url}");
        assert_harmless(url, &page.text);
    }
}

#[tokio::test]
async fn no_page_breaks_out_or_loads_anything_from_elsewhere() {
    let world = World::full(NOW);
    assert_all_harmless(&pages(&world, TokenRole::Admin), PAGES).await;
}

#[tokio::test]
async fn the_pages_of_a_fresh_install_say_what_to_do_next() {
    let pages = pages(&World::empty(NOW), TokenRole::Admin);
    for (url, next) in [
        ("/dashboard", "https://hooks.example.com/api/webhooks/clerk"),
        ("/dashboard", "CLERK_WEBHOOK_SIGNING_SECRET"),
        ("/dashboard", "deskbell backfill"),
        ("/dashboard/events", "Open the set-up guide"),
        ("/dashboard/destinations", "[[destination]]"),
        ("/dashboard/dead-letters", "No dead letters."),
    ] {
        let page = get(&pages, url).await;
        assert!(page.text.contains(next), "{url} does not say {next}");
        assert_harmless(url, &page.text);
    }
}

#[tokio::test]
async fn hostile_text_is_shown_as_text() {
    let pages = pages(&World::full(NOW), TokenRole::Admin);
    let escaped = "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;&quot;'&amp;";
    for url in ["/dashboard", "/dashboard/events", "/dashboard/settings", EVENT] {
        let page = get(&pages, url).await;
        assert!(page.text.contains(escaped) && !page.text.contains(HOSTILE), "{url}");
    }
}

#[tokio::test]
async fn no_page_is_large_whatever_its_data() {
    let pages = pages(&World::full(NOW), TokenRole::Admin);
    for url in PAGES {
        let bytes = get(&pages, url).await.text.len();
        assert!(bytes < 300_000, "{url} has {bytes} bytes before they are compressed");
    }
}

#[tokio::test]
async fn a_destination_says_how_it_is_and_offers_what_can_be_done() {
    let pages = pages(&World::full(NOW), TokenRole::Admin);
    let (pause, resume) = ("/pause\"", "/resume\"");
    let ours = ["/secret\"", "/rotate\"", "/edit\"", "/delete\"", "/headers\""];
    let [secret, rotate, edit, delete, headers] = ours;
    for (url, has, has_not) in [
        (
            "destinations/crm-sync",
            &[pause, secret, rotate, edit, delete, headers][..],
            &[resume][..],
        ),
        (
            "destinations/billing",
            &[resume, "Paused by admin token."],
            &[pause, secret, rotate, edit],
        ),
        ("destinations/billing", &["declared in the config file"], &[delete, headers]),
        ("destinations/ops", &[pause, "unless an attempt succeeds"], &[resume, secret]),
        ("destinations/archive", &["disabled</span>"], &[pause, resume, "badge good"]),
        ("destinations/archive", &["added in the dashboard or through the API"], &["config file"]),
        ("destinations/reporting", &[resume, "notice warn"], &[pause, "/test\""]),
        ("mirrors/reporting", &[resume, "paused</span>", "notice warn"], &[pause]),
        ("mirrors/mirror", &[pause], &[resume, "notice warn"]),
        ("destinations", &["not in the config: a function"], &[]),
    ] {
        let page = get(&pages, &format!("/dashboard/{url}")).await.text;
        for text in has {
            assert!(page.contains(text), "{url} has no {text}: {page}");
        }
        for text in has_not {
            assert!(!page.contains(text), "{url} has {text}");
        }
    }
    let edit = get(&pages, "/dashboard/destinations/billing/edit").await;
    assert_eq!(edit.status, StatusCode::FORBIDDEN);
    let overview = get(&pages, "/dashboard").await.text;
    assert!(overview.contains("<strong>reporting</strong>: paused"), "{overview}");
}

#[tokio::test]
async fn what_is_left_out_is_named() {
    let pages = pages(&World::full(NOW), TokenRole::Admin);
    for (url, text) in [
        (EVENT, "Reply, 20.0 KB, of which the first 40 bytes are kept:"),
        ("/dashboard/subjects/user_2b6fcd92dvf96q05x8e4a5", ">archive</a> has no row of it."),
    ] {
        let page = get(&pages, url).await.text;
        assert!(page.contains(text), "{url}: {page}");
    }
    let guide = get(&pages, "/dashboard/setup").await.text;
    assert!(!guide.contains("hx-get"), "the first event has come: {guide}");
}

#[tokio::test]
async fn a_page_that_is_not_there_says_so() {
    let pages = pages(&World::full(NOW), TokenRole::Admin);
    for url in [
        "/dashboard/events/clerk/%3Cimg%3E",
        "/dashboard/subjects/nobody",
        "/dashboard/destinations/none",
        "/dashboard/destinations/welcome/edit",
        "/dashboard/catalog/user.exploded",
    ] {
        let page = get(&pages, url).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{url}");
        assert!(page.text.contains("Not found"), "{url}");
        assert_harmless(url, &page.text);
    }
}

#[tokio::test]
async fn a_raw_payload_is_the_bytes_that_were_signed() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Reader);
    let raw = get(&pages, &format!("{EVENT}/payload")).await;
    let signed = world.state().events[5].payload.clone().unwrap().bytes.unwrap();
    assert_eq!(raw.text.as_bytes(), signed);
    let command = get(&pages, &format!("{EVENT}/curl")).await.text;
    assert!(command.starts_with("curl -X POST 'http://YOUR-RECEIVER'"), "{command}");
    assert!(command.contains("svix-id: msg_2rTfdYTxEGY8xvBHqJPUqj4005"));
}

#[test]
fn the_page_for_signing_in_escapes_what_it_is_given() {
    for code in [None, Some(HOSTILE)] {
        let shown = deskbell_dashboard::sign_in(deskbell_admin::SignIn {
            code,
            error: Some(HOSTILE),
            next: HOSTILE,
        });
        assert_harmless("/sign-in", &shown);
        assert!(shown.contains("method=\"post\" action=\"/sign-in\""), "{shown}");
        assert_eq!(shown.contains("name=\"code\""), code.is_some());
        assert_eq!(shown.contains("name=\"token\""), code.is_none());
    }
}
