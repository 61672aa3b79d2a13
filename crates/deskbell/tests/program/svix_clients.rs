//! Svix's own clients, unchanged, against a running server: every operation of theirs that it has.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post, put};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinSet;

use super::support::{ENDPOINT_SECRET, Serving, deskbell, within};

const ADMIN_TOKEN: &str = "an-admin-token-of-more-than-32-characters";
/// What the scripts take for the endpoint of the config file.
const DECLARED: &str = "failing";

/// What was posted to `/hooks/NAME`, and what is answered there.
#[derive(Debug, Default)]
struct Recorded {
    requests: HashMap<String, Vec<Value>>,
    statuses: HashMap<String, u16>,
}

type Recorder = Arc<Mutex<Recorded>>;

/// A receiver that a script can ask what it got, and tell what to answer.
struct Receiver {
    url: String,
    _task: JoinSet<std::io::Result<()>>,
}

impl Receiver {
    async fn start() -> Self {
        let router = Router::new()
            .route("/hooks/{name}", post(record))
            .route("/requests/{name}", get(requests))
            .route("/status/{name}/{status}", put(answer_with))
            .with_state(Recorder::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut task = JoinSet::new();
        task.spawn(async { axum::serve(listener, router).await });
        Self { url, _task: task }
    }
}

async fn record(
    State(recorder): State<Recorder>,
    UrlPath(name): UrlPath<String>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, &'static str) {
    let headers: HashMap<_, _> =
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let request = json!({ "headers": headers, "body": body });
    let mut recorder = recorder.lock().unwrap();
    let status = recorder.statuses.get(&name).copied().unwrap_or(200);
    recorder.requests.entry(name).or_default().push(request);
    (StatusCode::from_u16(status).unwrap(), "recorded")
}

async fn requests(State(recorder): State<Recorder>, UrlPath(name): UrlPath<String>) -> String {
    let recorder = recorder.lock().unwrap();
    json!(recorder.requests.get(&name).map_or(&[][..], |requests| requests)).to_string()
}

async fn answer_with(
    State(recorder): State<Recorder>,
    UrlPath((name, status)): UrlPath<(String, u16)>,
) -> StatusCode {
    recorder.lock().unwrap().statuses.insert(name, status);
    StatusCode::NO_CONTENT
}

/// A config whose endpoint gives up after one retry, and that lets clients make endpoints on this machine.
fn directory(receiver: &Receiver) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let url = &receiver.url;
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_token = \"{ADMIN_TOKEN}\"\n\n\
         [endpoints]\nallow_hosts = [\"127.0.0.1\"]\n\n\
         [[source]]\nname = \"clerk\"\npath = [\"/api/webhooks\"]\n\
         signing_secrets = [\"env:CLERK_WEBHOOK_SIGNING_SECRET\"]\n\n\
         [[destination]]\nname = \"{DECLARED}\"\ntype = \"http\"\nurl = \"{url}/hooks/{DECLARED}\"\n\
         secret = \"{ENDPOINT_SECRET}\"\nallow_hosts = [\"127.0.0.1\"]\n\
         events = [\"organization.created\"]\n\
         retry = {{ schedule = [], then_every = \"never\" }}\n"
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    directory
}

/// Runs this script of `tests/interop/svix` against a server of its own.
async fn run_script(command: impl FnOnce(&Path, &Path) -> Command) {
    let receiver = Receiver::start().await;
    let directory = directory(&receiver);
    let serving = Serving::of(deskbell(directory.path())).await;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/svix");
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop");
    let script = command(&scripts, &packages)
        .env("DESKBELL_URL", format!("http://{}", serving.address))
        .env("DESKBELL_TOKEN", ADMIN_TOKEN)
        .env("RECEIVER_URL", &receiver.url)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let output = within(script.unwrap().wait_with_output()).await.unwrap();
    let (code, said) = serving.terminate().await;
    assert!(
        output.status.success(),
        "see tests/interop/README.md\n{}{}\n{said:#?}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert_eq!(code, 0, "{said:#?}");
}

fn node(scripts: &Path, packages: &Path, script: &str) -> Command {
    let mut node = Command::new("node");
    node.args([scripts.join(script), packages.join("node")]);
    node
}

#[tokio::test]
async fn npm_svix_1() {
    run_script(|scripts, packages| node(scripts, packages, "svix-1.mjs")).await;
}

#[tokio::test]
async fn npm_svix_2() {
    run_script(|scripts, packages| node(scripts, packages, "svix-2.mjs")).await;
}

#[tokio::test]
async fn pypi_svix_2() {
    run_script(|scripts, packages| {
        let mut python = Command::new("python3");
        python.arg(scripts.join("svix_2.py"));
        python.env("PYTHONPATH", packages.join("python/packages")).env("PYTHONUTF8", "1");
        python
    })
    .await;
}
