//! The engine inside a program: functions that are called for events.

use std::future::pending;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clerk_webhooks::{HeaderFamily, Secret, Signer};
use deskbell::config::Environment;
use deskbell::{Builder, Config, Deskbell, Engine, HandlerContext, HandlerError, install_crypto};
use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_store::SqliteStore;
use deskbell_store::deliveries::{DeadLetterQuery, DeliveryQueries};
use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::mpsc;

const ADMIN_TOKEN: &str = "an-admin-token-of-more-than-32-characters";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Longer than anything here takes, also on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future).await.expect("in time")
}

/// A builder with a log in this directory and nothing else.
fn builder(directory: &Path) -> Builder {
    configured(directory, "")
}

/// As [`builder`], with these further sections.
fn configured(directory: &Path, more: &str) -> Builder {
    install_crypto();
    let file = directory.join("deskbell.toml");
    let log = directory.join("deskbell.db");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_token = \"{ADMIN_TOKEN}\"\n[store]\nurl = \"sqlite://{}\"\n\
         [[source]]\nsigning_secrets = [\"{SECRET}\"]\n{more}",
        log.display()
    );
    std::fs::write(&file, text).unwrap();
    let mut config = Config::load(Some(&file), &Environment::default()).unwrap().config;
    config.destinations.clear();
    Deskbell::builder().config(config)
}

/// Sends an event as Clerk does.
async fn send(engine: &Engine, id: &str, event_type: &str) {
    let body = format!(r#"{{"type":"{event_type}","object":"event","data":{{"id":"user_{id}"}}}}"#);
    let signer = Signer::new(&Secret::parse(SECRET).unwrap()).unwrap();
    let signed = signer.sign(id, now_seconds(), body.as_bytes());
    let url = format!("http://{}/api/webhooks", engine.address());
    let mut request = reqwest::Client::new().post(url).body(body);
    for (name, value) in signed.iter(HeaderFamily::Svix) {
        request = request.header(name, value);
    }
    assert_eq!(within(request.send()).await.unwrap().status(), 200);
}

#[expect(clippy::disallowed_methods, reason = "signatures are held against the real time")]
fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A call: the event's id and the attempt's number.
type Call = (String, u32);
type Calls = mpsc::UnboundedReceiver<Call>;

/// Starts an engine whose handler tells of its calls and does what this says.
async fn start<F, T>(directory: &Path, handler: F) -> (Engine, Calls)
where
    F: Fn(HandlerContext) -> T + Send + Sync + 'static,
    T: Future<Output = Result<(), HandlerError>> + Send + 'static,
{
    let (sender, calls) = mpsc::unbounded_channel();
    let builder = builder(directory).handle("provision", ["user.created"], move |event, cx| {
        sender.send((event.id.clone(), cx.attempt)).unwrap();
        handler(cx)
    });
    (builder.start().await.unwrap(), calls)
}

async fn next(calls: &mut Calls) -> Call {
    within(calls.recv()).await.unwrap()
}

fn call(id: &str, attempt: u32) -> Call {
    (id.to_owned(), attempt)
}

#[tokio::test]
async fn it_is_called_for_its_events_once_each() {
    let directory = TempDir::new().unwrap();
    let (engine, mut calls) = start(directory.path(), async |_| Ok(())).await;
    send(&engine, "msg_1", "user.updated").await;
    send(&engine, "msg_2", "user.created").await;
    send(&engine, "msg_2", "user.created").await;
    assert_eq!(next(&mut calls).await, call("msg_2", 1));
    engine.stop().await.unwrap();
    let (engine, mut calls) = start(directory.path(), async |_| Ok(())).await;
    send(&engine, "msg_3", "user.created").await;
    assert_eq!(next(&mut calls).await, call("msg_3", 1), "what was done is done");
    engine.stop().await.unwrap();
    assert_eq!(calls.recv().await, None);
}

#[tokio::test]
async fn what_failed_is_called_again_also_by_a_new_engine() {
    let directory = TempDir::new().unwrap();
    let (engine, mut calls) =
        start(directory.path(), async |_| Err(HandlerError::retry("not yet"))).await;
    send(&engine, "msg_1", "user.created").await;
    assert_eq!(next(&mut calls).await, call("msg_1", 1));
    engine.stop().await.unwrap();
    let (engine, mut calls) = start(directory.path(), async |_| Ok(())).await;
    assert_eq!(next(&mut calls).await, call("msg_1", 2));
    engine.stop().await.unwrap();
    assert_eq!(calls.recv().await, None);
}

#[tokio::test]
async fn what_is_rejected_is_dead_lettered_with_the_reason() {
    let directory = TempDir::new().unwrap();
    let (engine, mut calls) =
        start(directory.path(), async |_| Err(HandlerError::reject("no such tenant"))).await;
    send(&engine, "msg_1", "user.created").await;
    assert_eq!(next(&mut calls).await, call("msg_1", 1));
    engine.stop().await.unwrap();
    let store = SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap();
    let all = DeadLetterQuery { limit: 10, ..DeadLetterQuery::default() };
    let letters = store.dead_letters(&all).await.unwrap();
    let [letter] = &letters[..] else { panic!("one dead letter: {letters:?}") };
    assert_eq!((&*letter.message_id, &*letter.reason), ("msg_1", "no such tenant"));
    assert_eq!(&*letter.key.destination, "provision");
}

#[tokio::test]
async fn a_call_hears_of_the_stop_and_one_that_goes_on_is_cut_off_and_made_again() {
    let directory = TempDir::new().unwrap();
    let (sender, mut stopping) = mpsc::unbounded_channel();
    let (engine, mut calls) = start(directory.path(), move |cx| {
        let sender = sender.clone();
        async move {
            cx.stopping().await;
            sender.send(()).unwrap();
            pending().await
        }
    })
    .await;
    send(&engine, "msg_1", "user.created").await;
    assert_eq!(next(&mut calls).await, call("msg_1", 1));
    // It takes the grace period.
    within(engine.stop()).await.unwrap();
    assert_eq!((stopping.recv().await, stopping.recv().await), (Some(()), None));
    let (engine, mut calls) = start(directory.path(), async |_| Ok(())).await;
    assert_eq!(next(&mut calls).await, call("msg_1", 1), "it had not ended");
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn a_call_ends_with_an_engine_that_is_dropped() {
    let directory = TempDir::new().unwrap();
    let (engine, mut calls) = start(directory.path(), async |_| pending().await).await;
    send(&engine, "msg_1", "user.created").await;
    assert_eq!(next(&mut calls).await, call("msg_1", 1));
    drop(engine);
    assert_eq!(within(calls.recv()).await, None, "the function is gone");
}

#[tokio::test]
async fn a_function_gets_the_alerts_that_it_names() {
    let directory = TempDir::new().unwrap();
    let (sender, mut alerts) = mpsc::unbounded_channel();
    let builder = builder(directory.path())
        .handle("provision", ["user.created"], async |_, _| Err(HandlerError::reject("no")))
        .handle("alerts", ["deskbell.alert"], move |event, _| {
            let alert: serde_json::Value = serde_json::from_str(event.raw.get()).unwrap();
            sender.send((event.event_type.to_string(), alert)).unwrap();
            async { Ok(()) }
        });
    let engine = builder.start().await.unwrap();
    send(&engine, "msg_1", "user.created").await;
    let (event_type, alert) = within(alerts.recv()).await.unwrap();
    assert_eq!((&*event_type, &alert["kind"]), ("deskbell.alert", &"delivery.dead_letters".into()));
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn names_are_taken_once() {
    let directory = TempDir::new().unwrap();
    let handler = async |_, _| Ok(());
    let builder = builder(directory.path()).handle("provision", ["user.*"], handler);
    let error = builder.handle("provision", ["session.*"], handler).start().await.unwrap_err();
    assert_eq!(error.to_string(), "two destinations are named `provision`");
    assert!(!directory.path().join("deskbell.db").exists(), "nothing was touched");
}

/// Without a config it is that of the program's directory and environment: so in a process with
/// its own.
#[tokio::test]
async fn without_a_config_it_reads_the_file_and_the_variables() {
    const CHILD: &str = "DESKBELL_TEST_CHILD";
    if Environment::Process.get(CHILD).is_some() {
        let engine = Deskbell::builder().start().await.unwrap();
        return engine.stop().await.unwrap();
    }
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("deskbell.toml");
    let log = "[store]\nurl = \"sqlite://mine.db\"\n[server]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(file, log).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "builder::without_a_config_it_reads_the_file_and_the_variables"])
        .current_dir(&directory)
        .env(CHILD, "yes")
        .stdout(Stdio::null());
    child.env_remove("CLERK_WEBHOOK_SIGNING_SECRET");
    assert!(!within(child.status()).await.unwrap().success(), "there is no secret");
    child.env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET);
    assert!(within(child.status()).await.unwrap().success());
    assert!(directory.path().join("mine.db").exists());
}

#[tokio::test]
async fn a_program_finds_a_user_of_whom_no_event_has_arrived() {
    let directory = tempfile::tempdir().unwrap();
    install_crypto();
    let file = directory.path().join("deskbell.toml");
    let path = |name: &str| directory.path().join(name).display().to_string();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"sqlite://{}\"\n\
         [[source]]\nsigning_secrets = [\"{SECRET}\"]\n[[destination]]\nname = \"app\"\n\
         type = \"database\"\nmirror = true\nurl = \"sqlite://{}\"\n",
        path("deskbell.db"),
        path("clerk.db")
    );
    std::fs::write(&file, text).unwrap();
    let config = Config::load(Some(&file), &Environment::default()).unwrap().config;
    let engine = Deskbell::builder().config(config).start().await.unwrap();
    let (user, ()) = tokio::join!(
        within(engine.ensure_user("user_msg_1")),
        send(&engine, "msg_1", "user.created")
    );
    assert_eq!(user.unwrap().unwrap()["id"], "user_msg_1");
    assert!(engine.ensure_user("msg_1").await.is_err(), "it is not the id of a user");
    let mirrored = engine.mirrored().wait(Duration::ZERO);
    assert_eq!(mirrored.user("user_nobody").await.unwrap(), None);
    // Who waits when it stops is told so at once.
    let mirrored = mirrored.wait(Duration::from_secs(3_600));
    let (waited, stopped) = tokio::join!(within(mirrored.user("user_nobody")), engine.stop());
    assert!(waited.is_err() && stopped.is_ok(), "{waited:?} {stopped:?}");
}

#[tokio::test]
async fn an_endpoint_that_is_made_through_the_api_is_delivered_to() {
    let directory = TempDir::new().unwrap();
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let builder = configured(directory.path(), "[endpoints]\nallow_hosts = [\"127.0.0.1\"]\n");
    let engine = builder.start().await.unwrap();
    let url = format!("http://{}/api/v1/app/clerk/endpoint", engine.address());
    let body = serde_json::json!({ "url": receiver.url(), "eventTypes": ["user.created"] });
    let request = reqwest::Client::new().post(url).bearer_auth(ADMIN_TOKEN);
    let request = request.header("content-type", "application/json").body(body.to_string());
    assert_eq!(within(request.send()).await.unwrap().status(), 201);
    send(&engine, "msg_1", "user.created").await;
    within(receiver.wait_for(1)).await;
    engine.stop().await.unwrap();
}
