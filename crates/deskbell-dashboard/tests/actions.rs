//! What forms do.

use deskbell_admin::{DeliveryStateFilter, ReplayRequest};
use deskbell_store::TokenRole;
use http::StatusCode;

use crate::client::{get, post};
use crate::fixture::endpoints::SECRET;
use crate::fixture::{World, pages};

const NOW: i64 = 1_795_248_000_000;
const CRM: &str = "/dashboard/destinations/crm-sync";
const EVENT: &str = "/dashboard/events/clerk/msg_2rTfdYTxEGY8xvBHqJPUqj4005";

#[tokio::test]
async fn a_change_leads_to_a_page_that_says_what_was_done() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    for (url, form, done, said) in [
        ("/pause", "", "pause crm-sync", "Paused."),
        ("/resume", "", "resume crm-sync", "Resumed."),
        ("/test", "type=user.created", "send user.created to crm-sync", "Sent."),
        ("/rotate", "", "rotate clerk crm-sync: random", "Rotated."),
        ("/rotate", "secret=whsec_new", "rotate clerk crm-sync: whsec_new", "Rotated."),
        ("/headers", "headers=x-a%3A+1", "headers of crm-sync: x-a", "Headers replaced."),
    ] {
        let reply = post(&pages, &format!("{CRM}{url}"), form).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{url}");
        assert_eq!(world.state().done.last().map(String::as_str), Some(done));
        let page = get(&pages, &reply.location.unwrap()).await;
        assert!(page.text.contains(said), "{url}");
    }
}

#[tokio::test]
async fn a_secret_is_shown_when_it_is_asked_for() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    let page = post(&pages, &format!("{CRM}/secret"), "").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains(SECRET));
    assert_eq!(world.state().done, ["reveal crm-sync"]);
}

#[tokio::test]
async fn an_endpoint_is_made_and_a_mistake_is_named_beside_what_was_typed() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    let url = "/dashboard/destinations/new";
    let wrong = post(&pages, url, "source=clerk&url=ftp%3A%2F%2Fa&when=true").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for shown in ["expected an https URL", "value=\"ftp://a\"", "aria-invalid=\"true\""] {
        assert!(wrong.text.contains(shown), "{shown}");
    }
    for (form, label) in [
        ("rate_limit=many&url=https%3A%2F%2Fa.example", "Requests a second"),
        ("events=user.creatd&url=https%3A%2F%2Fa.example", "Types of event"),
    ] {
        let form = format!("source=clerk&description=mine&{form}&secret=whsec_1");
        let wrong = post(&pages, url, &form).await.text;
        for shown in [
            &format!("<strong>{label}</strong>"),
            "value=\"https://a.example\"",
            "value=\"mine\"",
            "<option value=\"clerk\" selected>",
            "Type it again",
        ] {
            assert!(wrong.contains(shown), "{form}: {shown}: {wrong}");
        }
        assert!(wrong.contains("many") != wrong.contains("user.creatd"), "{wrong}");
        assert!(wrong.contains("aria-invalid=\"true\"") && !wrong.contains("whsec_1"), "{wrong}");
    }
    let made = post(&pages, url, "source=clerk&url=https%3A%2F%2Fa.example&secret=whsec_1").await;
    assert_eq!(made.location.as_deref(), Some("/dashboard/destinations/ep_new?done=created"));
    assert_eq!(world.state().done, ["create https://a.example with its own secret"]);
}

#[tokio::test]
async fn a_form_that_is_too_long_is_refused_and_not_cut() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    let secret = "x".repeat(20_000);
    post(&pages, &format!("{CRM}/rotate"), &format!("secret={secret}")).await;
    assert_eq!(world.state().done, [format!("rotate clerk crm-sync: {secret}")]);
    for form in [format!("secret={}", "x".repeat(70_000)), "secret=x&".repeat(101)] {
        let refused = post(&pages, &format!("{CRM}/rotate"), &form).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(world.state().done.len(), 1);
}

#[tokio::test]
async fn an_edit_keeps_what_the_form_has_no_field_for() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    let form = "url=https%3A%2F%2Fb.example&events=session.*&rate_limit=9&disabled=1";
    let saved = post(&pages, &format!("{CRM}/edit"), form).await;
    assert_eq!(saved.location.as_deref(), Some("/dashboard/destinations/crm-sync?done=saved"));
    let settings = world.state().endpoints[0].settings.clone();
    assert_eq!(settings.uid.as_deref(), Some("uid-1"));
    assert_eq!(settings.events, Some(vec!["session.*".to_owned()]));
    assert_eq!((settings.rate_limit, settings.disabled), (Some(9), true));
    let wrong = "url=https%3A%2F%2Fc.example&when=data.x&rate_limit=0&disabled=1";
    let wrong = post(&pages, &format!("{CRM}/edit"), wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for typed in ["value=\"https://c.example\"", "value=\"data.x\"", "value=\"0\"", "checked"] {
        assert!(wrong.text.contains(typed), "{typed}: {}", wrong.text);
    }
    let refused = post(&pages, "/dashboard/destinations/billing/edit", form).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_event_is_replayed_to_one_or_all() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    for (form, destination) in [("destination=crm-sync", Some("crm-sync")), ("destination=", None)]
    {
        let reply = post(&pages, &format!("{EVENT}/replay"), form).await;
        assert_eq!(reply.location, Some(format!("{EVENT}?done=replayed&n=1")));
        let request = world.state().replays.last().cloned().unwrap();
        assert_eq!(request.destination.as_deref(), destination);
        assert_eq!(request.message_id.as_deref(), Some("msg_2rTfdYTxEGY8xvBHqJPUqj4005"));
        assert_eq!(request.source.as_deref(), Some("clerk"), "not one of another source");
    }
}

/// What the form of a replay sends, beside what is chosen in it.
fn hidden_fields(page: &str) -> String {
    let form = page.split_once("<form class=\"stack\"").unwrap().1;
    let fields = form.split("<input type=\"hidden\" name=\"").skip(1);
    let field = |field: &str| {
        let (name, rest) = field.split_once("\" value=\"").unwrap();
        format!("{name}={}", &rest[..rest.find('"').unwrap()])
    };
    fields.map(field).collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn a_replay_to_a_destination_sends_what_was_counted() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    let url = format!("{CRM}/replay");
    let page = get(&pages, &format!("{url}?what=missing&span=7d")).await.text;
    let counted = world.state().replays.last().cloned().unwrap();
    let fields = hidden_fields(&page).replace("missing 7d", "missing+7d");
    let changed = post(&pages, &url, &format!("{fields}&what=failed&span=7d")).await;
    assert_eq!(changed.location, Some(format!("{url}?what=failed&span=7d")));
    assert_eq!(world.state().replays.len(), 1);
    let reply = post(&pages, &url, &format!("{fields}&what=missing&span=7d")).await;
    assert_eq!(reply.location.as_deref(), Some("/dashboard/replays/7"));
    let sent = world.state().replays.last().cloned().unwrap();
    assert!(counted.dry_run && !sent.dry_run);
    assert_eq!(sent, ReplayRequest { dry_run: false, ..counted });
}

#[tokio::test]
async fn a_replay_of_a_search_is_counted_first_and_then_sends_the_same() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    let url = "/dashboard/events/replay?type=user.*&state=dead_lettered&to=crm-sync";
    let page = get(&pages, url).await.text;
    let counted = world.state().replays.last().cloned().unwrap();
    assert!(counted.dry_run);
    let fields = hidden_fields(&page);
    let other = post(&pages, "/dashboard/events/replay", &format!("{fields}&to=welcome")).await;
    let location = other.location.unwrap();
    assert!(location.starts_with("/dashboard/events/replay?"), "it is counted first: {location}");
    assert!(location.ends_with("&to=welcome"), "{location}");
    assert_eq!(world.state().replays.len(), 1);
    let reply = post(&pages, "/dashboard/events/replay", &format!("{fields}&to=crm-sync")).await;
    assert_eq!(reply.location.as_deref(), Some("/dashboard/replays/7"));
    let sent = world.state().replays.last().cloned().unwrap();
    assert_eq!((sent.dry_run, &sent.destination), (false, &Some("crm-sync".to_owned())));
    assert_eq!(sent.matching, counted.matching);
    assert_eq!(sent.matching.unwrap().state, Some(DeliveryStateFilter::DeadLettered));
}

#[tokio::test]
async fn a_replay_of_what_cannot_be_read_is_refused() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    for (path, form) in [
        ("/dashboard/events/replay", "type=user.*&destination=crm-sync"),
        ("/dashboard/events/replay", "type=user.*&until=later"),
        ("/dashboard/destinations/crm-sync/replay", "what=missing&since=later"),
        ("/dashboard/destinations/crm-sync/replay", "what=missing"),
        ("/dashboard/destinations/crm-sync/replay", "what=all&since=2026-11-21T08:00:00Z"),
    ] {
        let reply = post(&pages, path, form).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path} {form}");
        assert!(world.state().replays.is_empty(), "{path} {form}");
    }
}

#[tokio::test]
async fn a_list_says_what_was_replayed() {
    let pages = pages(&World::full(NOW), TokenRole::Admin);
    let page = get(&pages, "/dashboard/events?done=replayed&n=3").await.text;
    assert!(page.contains("3 deliveries are pending again."), "{page}");
}

#[tokio::test]
async fn a_replays_progress_is_asked_for_until_it_is_done() {
    let pages = pages(&World::full(NOW), TokenRole::Viewer);
    let running = get(&pages, "/dashboard/replays/7").await.text;
    assert!(running.contains("hx-get=\"/dashboard/replays/7\"") && running.contains("1,240"));
    let done = get(&pages, "/dashboard/replays/8").await.text;
    assert!(!done.contains("hx-get=") && done.contains("done"));
    let failed = get(&pages, "/dashboard/replays/9").await.text;
    assert!(!failed.contains("hx-get=") && !failed.contains("done"), "{failed}");
    assert!(failed.contains("stopped") && failed.contains("not found"), "{failed}");
}

#[tokio::test]
async fn dead_letters_are_retried_by_cause_or_all() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    let url = "/dashboard/dead-letters/retry";
    let reply = post(&pages, url, "destination=crm-sync&cause=a+reason").await;
    assert_eq!(reply.location.as_deref(), Some("/dashboard/dead-letters?done=retried&n=1"));
    assert!(world.state().done[0].contains("cause: Some(\"a reason\")"));
    let reply = post(&pages, url, "all=1").await;
    let page = get(&pages, &reply.location.unwrap()).await.text;
    assert!(page.contains("Retry requested for 31 dead letters."), "{page}");
}

#[tokio::test]
async fn dead_letters_that_are_not_listed_are_not_passed_over() {
    let pages = pages(&World::full(NOW), TokenRole::Admin);
    let all = get(&pages, "/dashboard/dead-letters").await.text;
    for text in
        ["<strong>away</strong>: 2 dead letters, of which 0 are", "Waiting for the database."]
    {
        assert!(all.contains(text), "{text}: {all}");
    }
    assert!(!all.contains("No dead letters.") && !all.contains("Retry all 31"), "{all}");
    let of_cause = get(&pages, "/dashboard/dead-letters?cause=2067").await.text;
    assert!(of_cause.contains("1 dead letter with the cause"), "{of_cause}");
    let none = get(&pages, "/dashboard/dead-letters?cause=none").await.text;
    assert!(none.contains("No dead letter matches."), "{none}");
}

#[tokio::test]
async fn a_tokens_text_is_shown_once() {
    let world = World::full(NOW);
    let pages = pages(&world, TokenRole::Admin);
    let url = "/dashboard/settings/tokens";
    let made = post(&pages, url, "name=laptop&role=reader").await;
    assert_eq!(made.text.matches("data-copy=\"dbt_").count(), 1);
    assert!(!get(&pages, "/dashboard/settings").await.text.contains("dbt_"));
    for (form, status) in [
        ("name=laptop&role=reader", StatusCode::CONFLICT),
        ("name=other&role=root", StatusCode::BAD_REQUEST),
        ("name=&role=viewer", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(post(&pages, url, form).await.status, status, "{form}");
    }
    post(&pages, &format!("{url}/revoke"), "name=laptop").await;
    assert!(world.state().tokens.iter().all(|token| token.name != "laptop"));
}
