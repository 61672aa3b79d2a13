//! `deskbell connect` against a simulated sender, with and without a running `serve`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::sender_api::{
    Fault, SenderApi, SenderApiOptions, SenderRequest, SentMessage, SimulatedEndpoint,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::support::{Ran, Serving, deskbell, directory, finish, forwarding_to, now, within};

const KEY: &str = "sk_test_SimulatedByDeskbell";
const DASHBOARD: &str = "https://dashboard.clerk.com/last-active?path=webhooks";
const URL: &str = "https://hooks.example.com/api/webhooks";
const VARIABLE: &str = "CLERK_WEBHOOK_SIGNING_SECRET";

async fn start(options: SenderApiOptions) -> SenderApi {
    SenderApi::start(options, |_| Fault::None).await.unwrap()
}

async fn sender() -> SenderApi {
    start(SenderApiOptions::default()).await
}

/// The program with this instance's key and sender, and without a signing secret.
fn program(directory: &Path, api: &SenderApi) -> Command {
    let mut command = deskbell(directory);
    command
        .env_remove(VARIABLE)
        .env("CLERK_SECRET_KEY", KEY)
        .env("CLERK_API_URL", api.clerk_url())
        .env("CLERK_SENDER_URL", api.sender_url());
    command
}

async fn connect(directory: &Path, api: &SenderApi, arguments: &[&str]) -> Ran {
    finish(program(directory, api).arg("connect").args(arguments)).await
}

/// A `serve` that has the secret of the directory's `.env` alone.
async fn serve(directory: &Path, api: &SenderApi) -> Serving {
    Serving::of(program(directory, api)).await
}

/// What a message is said in, whatever the width of the lines.
fn said(text: &str) -> String {
    text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn message(number: u32, event_type: &str) -> SentMessage {
    let now_ms = i64::try_from(now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis());
    let now_ms = now_ms.unwrap();
    let body = format!(
        r#"{{"data":{{"id":"user_{number}","object":"user"}},"object":"event","timestamp":{now_ms},"type":"{event_type}"}}"#
    );
    SentMessage {
        id: format!("msg_{number}"),
        event_type: event_type.to_owned(),
        at_ms: now_ms,
        body: Some(body.into()),
    }
}

/// A directory whose `.env` has the signing secret of the endpoint.
async fn connected(api: &SenderApi) -> TempDir {
    let directory = directory();
    let arguments = ["--url", URL, "--write-env", ".env", "--wait", "0s"];
    let ran = connect(directory.path(), api, &arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    directory
}

/// Connects, and publishes the message once the program says that it waits. All that it said.
async fn connect_until_published(
    directory: &Path,
    api: &SenderApi,
    url: &str,
    message: &SentMessage,
) -> String {
    let mut command = program(directory, api);
    command.args(["connect", "--url", url]).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdout = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut said = String::new();
    while let Some(line) = within(stdout.next_line()).await.unwrap() {
        said += &format!("{line}\n");
        if line.contains("waiting up to") {
            api.publish(message);
        }
    }
    let status = within(process.wait()).await.unwrap();
    assert!(status.success(), "{said}");
    said
}

#[tokio::test]
async fn from_a_secret_key_to_the_first_event() {
    let api = sender().await;
    let directory = directory();
    fs::write(directory.path().join(".env.local"), "").unwrap();
    let arguments = ["--url", "https://hooks.example.com", "--write-env", ".env", "--wait", "0s"];
    let ran = connect(directory.path(), &api, &arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let [endpoint] = &api.endpoints()[..] else { panic!("one endpoint") };
    assert_eq!((&*endpoint.url, endpoint.uid.as_deref()), (URL, Some("deskbell-clerk")));
    let types = endpoint.event_types.clone().unwrap();
    assert_eq!(types, ["organization.created", "user.created", "user.deleted", "user.updated"]);
    assert!(ran.stdout.contains(&format!("created the endpoint {} for {URL} with 4", endpoint.id)));
    assert!(ran.stdout.contains("start `deskbell serve`"), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("does not know these event types: ")
            && ran.stderr.contains("role.created")
    );
    let file = directory.path().join(".env");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{VARIABLE}={}\n", endpoint.secret));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!format!("{ran:?}").contains("whsec_"), "{ran:?}");

    let serving = serve(directory.path(), &api).await;
    api.insert_message(message(1, "user.created"));
    api.insert_message(message(2, "session.created"));
    let url = serving.url();
    let ran = connect(directory.path(), &api, &["--url", &url]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains(&format!("URL from {URL} to {url}")), "{}", ran.stdout);
    assert!(ran.stdout.contains("received user.created msg_1 (seq 1)"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("signing secret"), "it is configured: {}", ran.stdout);
    assert_eq!(api.attempts().iter().map(|attempt| attempt.status).max(), Some(200));

    // Again: nothing to change, and the same message counts although it is no new event.
    let ran = connect(directory.path(), &api, &["--url", &url, "--json"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&report["action"], &report["resent"]), (&"kept".into(), &"msg_1".into()));
    assert_eq!(report["received"]["seq"], 1);
    assert_eq!(report["event_types"].as_array().unwrap().len(), 4);
    assert_eq!(api.endpoints().len(), 1);
}

#[tokio::test]
async fn the_next_event_is_waited_for_where_there_is_no_message() {
    let api = sender().await;
    let directory = connected(&api).await;
    let serving = serve(directory.path(), &api).await;
    let url = serving.url();
    let message = message(7, "user.updated");
    let said = connect_until_published(directory.path(), &api, &url, &message).await;
    assert!(said.contains("for the next event: create or change a user"), "{said}");
    assert!(said.contains("received user.updated msg_7"), "{said}");
}

#[tokio::test]
async fn a_message_that_would_be_delivered_is_not_sent_again_unless_it_is_in_the_log() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let api = sender().await;
    let directory = connected(&api).await;
    forwarding_to(directory.path(), &receiver.url(), "");
    let serving = serve(directory.path(), &api).await;
    let url = serving.url();
    api.insert_message(message(1, "user.created"));
    let newer = message(2, "user.created");
    let said = connect_until_published(directory.path(), &api, &url, &newer).await;
    assert!(said.contains("received user.created msg_2"), "{said}");
    within(receiver.wait_for(1)).await;

    let ran = connect(directory.path(), &api, &["--url", &url]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("to send msg_2 again"), "{}", ran.stdout);
    let ids: Vec<_> = receiver.received().into_iter().map(|one| one.message_id).collect();
    assert_eq!(ids, ["msg_2"], "it was delivered once");
    assert!(api.attempts().iter().all(|attempt| attempt.message_id == "msg_2"));
}

/// What is said where the endpoint answers the message like this.
async fn without_event(path: &str, reply: Reply) -> String {
    let receiver = Receiver::start(move |_| reply).await.unwrap();
    let api = sender().await;
    let directory = connected(&api).await;
    api.insert_message(message(1, "user.created"));
    let url = format!("{}{path}", receiver.url());
    let ran = connect(directory.path(), &api, &["--url", &url, "--wait", "3s"]).await;
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    said(&ran.stderr)
}

#[tokio::test]
async fn no_event_in_time_is_a_failure_that_says_what_the_sender_got() {
    let texts = tokio::join!(
        without_event("api/webhooks", Reply::Status(400)),
        without_event("moved", Reply::Status(404)),
        without_event("closed", Reply::Close),
        without_event("api/webhooks", Reply::Status(502)),
    );
    for (text, expected) in [
        (texts.0, "was answered with 400: restart `deskbell serve`"),
        (texts.1, "was answered with 404: does the URL lead to a path of the source?"),
        (texts.2, "got no answer: is `deskbell serve` running"),
        (texts.3, "was answered with 502: look at the log"),
    ] {
        assert!(text.contains("no event arrived in the event log within 3s"), "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn the_secret_is_printed_alone() {
    let api = sender().await;
    let directory = directory();
    let ran = connect(directory.path(), &api, &["--url", URL, "--print", "--wait", "0s"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, format!("{}\n", api.endpoints()[0].secret));
    assert!(ran.stderr.contains("created the endpoint"), "{}", ran.stderr);
    let ran =
        connect(directory.path(), &api, &["--url", URL, "--print", "--wait", "0s", "--json"]).await;
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["secret"], api.endpoints()[0].secret.as_str());
}

#[tokio::test]
async fn an_endpoint_of_somebody_else_is_changed_by_adopt_alone() {
    let api = sender().await;
    let directory = directory();
    api.insert_endpoint(SimulatedEndpoint::new(URL));
    let theirs = api.endpoints();
    let arguments = ["--url", URL, "--wait", "0s"];
    let ran = connect(directory.path(), &api, &arguments).await;
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    let text = said(&ran.stderr);
    assert!(text.contains(&format!("the endpoint {} already has the URL", theirs[0].id)), "{text}");
    assert!(text.contains("--adopt"), "{text}");
    assert_eq!(api.endpoints(), theirs);

    let ran = connect(directory.path(), &api, &[&arguments[..], &["--adopt"]].concat()).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let [ours] = &api.endpoints()[..] else { panic!("one endpoint") };
    assert_eq!((&ours.id, &ours.secret), (&theirs[0].id, &theirs[0].secret));
    assert_eq!(ours.uid.as_deref(), Some("deskbell-clerk"));
    assert!(
        ran.stdout.contains("taken over, from all event types to 4 event types"),
        "{}",
        ran.stdout
    );
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let options = SenderApiOptions { has_app: false, ..SenderApiOptions::default() };
    let api = start(options).await;
    let directory = directory();
    let arguments = ["--url", URL, "--dry-run"];
    let ran = connect(directory.path(), &api, &arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("would turn on webhooks for the instance"), "{}", ran.stdout);
    assert!(api.requests().iter().all(|request| request.path == "/v1/webhooks/svix_url"));

    let api = sender().await;
    for expected in ["would create an endpoint for", "would change the endpoint", "already set up"]
    {
        let ran = connect(directory.path(), &api, &arguments).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains(expected), "{}", ran.stdout);
        let changes = api
            .requests()
            .into_iter()
            .filter(|request| request.method != "GET" && request.path.starts_with("/api/v1/app/"));
        assert_eq!(changes.count(), api.endpoints().len(), "those that the test asked for");
        let url =
            if api.endpoints().is_empty() { "https://old.example.com/api/webhooks" } else { URL };
        let ran = connect(directory.path(), &api, &["--url", url, "--wait", "0s"]).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        if url == URL {
            break;
        }
    }
    let ran = connect(directory.path(), &api, &arguments).await;
    assert!(ran.stdout.contains("already set up"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_step_that_fails_leads_to_the_dashboard() {
    let forbidden = || Fault::Status(403);
    for (path, method, fault, expected) in [
        ("/v1/webhooks/svix_url", "POST", forbidden(), "cannot log in to Clerk's sender"),
        ("/v1/webhooks/svix_url", "POST", Fault::Body("{}".into()), "failed to read the login"),
        (
            "/api/v1/auth/one-time-token",
            "POST",
            forbidden(),
            "failed to exchange the one-time token",
        ),
        ("/api/v1/event-type", "GET", forbidden(), "failed to read the event types"),
        ("/endpoint", "GET", forbidden(), "failed to read the endpoints"),
        ("/endpoint", "POST", Fault::Status(422), "cannot save the endpoint"),
        ("/secret", "GET", forbidden(), "failed to read the signing secret"),
    ] {
        let plan = move |request: &SenderRequest| {
            let is_meant = request.path.ends_with(path) && request.method == method;
            if is_meant { fault.clone() } else { Fault::None }
        };
        let api = SenderApi::start(SenderApiOptions::default(), plan).await.unwrap();
        let directory = directory();
        let arguments = ["--url", URL, "--write-env", ".env"];
        let ran = connect(directory.path(), &api, &arguments).await;
        assert_eq!(ran.code, 1, "{path}: {}", ran.stdout);
        let text = said(&ran.stderr);
        for expected in [expected, DASHBOARD, "choose Add Endpoint, enter", URL] {
            assert!(text.contains(expected), "{path}: {text}");
        }
        let secrets = ["onetime_", "appsk_", "whsec_", KEY];
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{text}");
        assert!(!directory.path().join(".env").exists());
    }
}

#[tokio::test]
async fn mistakes_are_named() {
    let api = sender().await;
    let directory = directory();
    let wait = ["--wait", "0s"];
    let run = async |arguments: &[&str], key: Option<&str>, is_simulated: bool| {
        let mut command = program(directory.path(), &api);
        match key {
            Some(key) => command.env("CLERK_SECRET_KEY", key),
            None => command.env_remove("CLERK_SECRET_KEY"),
        };
        if !is_simulated {
            command.env_remove("CLERK_SENDER_URL");
        }
        finish(command.arg("connect").args(arguments).args(wait)).await
    };
    for (arguments, key, is_simulated, code, expected) in [
        (&["--url", URL][..], None, true, 64, "set CLERK_SECRET_KEY"),
        (&["--url", URL], Some("sk_test_Other"), true, 1, "check the secret key"),
        (&["--url", URL, "--source", "clark"], Some(KEY), true, 2, "did you mean `clerk`"),
        (&["--url", "http://hooks.example.com"], Some(KEY), false, 2, "expected an https URL"),
        (&["--url", "https://localhost:3000"], Some(KEY), false, 2, "a tunnel to this machine"),
        (&["--url", "hooks.example.com"], Some(KEY), true, 2, "--url"),
        (&["--url", URL, "--print", "--write-env", ".env"], Some(KEY), true, 2, "--print"),
        (
            &["--url", "https://a.example.com/other"],
            Some(KEY),
            true,
            0,
            "is not a path of the source",
        ),
    ] {
        let ran = run(arguments, key, is_simulated).await;
        let text = said(&ran.stderr);
        assert_eq!(ran.code, code, "{arguments:?}: {text}");
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.contains("sk_test_"), "{text}");
    }
    let config = "[[source]]\nname = \"one\"\n[[source]]\nname = \"two\"\npath = [\"/two\"]\n";
    fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let ran = run(&["--url", "https://a.example.com/two"], Some(KEY), true).await;
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(said(&ran.stderr).contains("name one with --source: one, two"), "{}", ran.stderr);
    let ran = run(&["--url", "https://a.example.com", "--source", "two"], Some(KEY), true).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ours = api.endpoints().into_iter().find(|one| one.uid.as_deref() == Some("deskbell-two"));
    assert_eq!(ours.unwrap().url, "https://a.example.com/two");
}

#[tokio::test]
async fn the_event_types_are_those_that_the_config_uses() {
    let known = ["user.created", "user.deleted", "session.created", "email.created", "new.type"];
    let event_types = Some(known.map(str::to_owned).to_vec());
    let api = start(SenderApiOptions { event_types, ..SenderApiOptions::default() }).await;
    let directory = directory();
    let of = async |config: &str| {
        fs::write(directory.path().join("deskbell.toml"), config).unwrap();
        let ran = connect(directory.path(), &api, &["--url", URL, "--wait", "0s"]).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        (api.endpoints()[0].event_types.clone().unwrap(), said(&ran.stderr))
    };
    let http = |events: &str| {
        format!(
            "[mirror]\nenabled = false\n[[destination]]\nname = \"app\"\ntype = \"http\"\n\
             url = \"https://app.example.com/\"\nsecret = \"env:APP_SECRET\"\n{events}\n"
        )
    };
    let with_secret =
        |config: String| config.replace("env:APP_SECRET", super::support::ENDPOINT_SECRET);
    let mirror = "[mirror]\nenabled = true\n";
    assert_eq!(of(mirror).await.0, ["user.created", "user.deleted"]);
    let all = with_secret(http(""));
    assert_eq!(of(&all).await.0, ["new.type", "session.created", "user.created", "user.deleted"]);
    let named = with_secret(http("events = [\"email.created\", \"sms.created\"]"));
    let (types, stderr) = of(&named).await;
    assert_eq!(types, ["email.created"]);
    assert!(stderr.contains("does not know these event types: sms.created"), "{stderr}");
    // A destination whose secret is missing here may need more types than are known: none is taken away.
    let partial = http("events = [\"session.*\"]");
    let (types, stderr) = of(&format!(
        "{partial}\n[[destination]]\nname = \"db\"\ntype = \"database\"\nurl = \"sqlite://a.db\"\n"
    ))
    .await;
    assert_eq!(types, ["email.created", "user.created", "user.deleted"]);
    assert!(stderr.contains("the destination `app` is left out"), "{stderr}");
}
