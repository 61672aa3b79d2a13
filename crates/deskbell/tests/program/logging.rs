//! What the program says, and what becomes of it where nobody listens.

use std::process::Stdio;

use tokio::io::AsyncReadExt;

use super::support::{
    Serving, deskbell, directory, finish, http_client, mirror_at, run, send, within,
};
use deskbell_sim::Message;

fn event(id: &str, event_type: &str) -> Message {
    let body = format!(
        r#"{{"data":{{"id":"user_{id}","object":"user"}},"object":"event","type":"{event_type}","timestamp":1700000000000}}"#
    );
    message(id, body)
}

fn message(id: &str, body: String) -> Message {
    Message { id: format!("msg_{id}"), event_type: "", body: body.into() }
}

#[tokio::test]
async fn a_service_goes_on_when_the_reader_of_its_log_is_gone() {
    let directory = directory();
    let mut serving = Serving::start(directory.path()).await;
    serving.hang_up();
    let http = http_client();
    // Each of these is a warning: of the request, and of the mirror.
    assert_eq!(send(&http, &serving.url(), &message("a", "[]".into())).await, Some(400));
    let without_id = r#"{"type":"user.created","data":{}}"#;
    assert_eq!(send(&http, &serving.url(), &message("b", without_id.into())).await, Some(200));
    assert_eq!(send(&http, &serving.url(), &event("c", "user.created")).await, Some(200));
    let mirror = mirror_at(directory.path(), 2).await;
    assert_eq!(mirror.rows("users").await.unwrap().len(), 1);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_service_goes_on_when_nobody_reads_its_log() {
    let directory = directory();
    let mut command = deskbell(directory.path());
    command.env("DESKBELL_LOG", "trace");
    let serving = Serving::of(command).await;
    let http = http_client();
    // At this level a request says more than a kilobyte, and a pipe holds 64 of them.
    for number in 0..100 {
        let event = event(&number.to_string(), "user.created");
        assert_eq!(within(send(&http, &serving.url(), &event)).await, Some(200));
    }
    mirror_at(directory.path(), 100).await;
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn events_are_logged_where_that_is_asked_for() {
    let directory = directory();
    let mut command = deskbell(directory.path());
    command.args(["serve", "--log-events"]);
    let mut serving = Serving::spawn(command).await;
    let http = http_client();
    assert_eq!(send(&http, &serving.url(), &event("a", "user.created")).await, Some(200));
    serving.until_said("received").await;
    serving.until_said("applied").await;
    let said = serving.said.join("\n");
    assert!(said.contains("event.id=\"msg_a\"") && said.contains("user.created"), "{said}");
    serving.terminate().await;
}

#[tokio::test]
async fn by_default_events_are_not_logged() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let http = http_client();
    assert_eq!(send(&http, &serving.url(), &event("a", "user.created")).await, Some(200));
    mirror_at(directory.path(), 1).await;
    let (_, said) = serving.terminate().await;
    assert!(!said.join("\n").contains("msg_a"), "{said:#?}");
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_is_an_error() {
    let directory = directory();
    let mut command = deskbell(directory.path());
    let ran = finish(command.env("DESKBELL_LOG", "nonsense").args(["config", "check"])).await;
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    assert!(ran.stderr.contains("`nonsense`"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_list_ends_without_a_word_when_nobody_reads_on() {
    let directory = directory();
    let path = directory.path();
    let serving = Serving::start(path).await;
    let http = http_client();
    for number in 0..3 {
        // A type of this length was more than a table could show.
        let long = event(&number.to_string(), &"x".repeat(66_000));
        assert_eq!(send(&http, &serving.url(), &long).await, Some(200));
    }
    serving.terminate().await;
    let listed = run(path, &["events", "list"]).await;
    assert_eq!((listed.code, listed.stdout.lines().count()), (0, 4), "{}", listed.stderr);

    let mut command = deskbell(path);
    command.args(["events", "list", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut listing = command.spawn().unwrap();
    drop(listing.stdout.take());
    let status = within(listing.wait()).await.unwrap();
    let mut said = String::new();
    listing.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
    assert_eq!((status.code(), &*said), (Some(141), ""));
}
