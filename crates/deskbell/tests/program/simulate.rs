//! `deskbell simulate` against servers that do well, and against such as do not.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use deskbell_sim::Message;
use deskbell_sim::receiver::{Received, Receiver, Reply};
use serde_json::Value;
use testkit::PostgresDatabase;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::support::{
    ENDPOINT_SECRET, Ran, SECRET, Serving, deskbell, directory, finish, http_client, mirror_at,
    run, send, within,
};

/// Runs `deskbell simulate --json` against this URL.
async fn simulate(directory: &Path, url: &str, more: &[&str]) -> (Ran, Value) {
    let arguments = [&["simulate", "--json", "--url", url, "--secret", SECRET], more].concat();
    let ran = run(directory, &arguments).await;
    let outcome = serde_json::from_str(&ran.stdout);
    let outcome = outcome.unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    (ran, outcome)
}

/// What was said, without the line breaks of a narrow terminal.
fn said(ran: &Ran) -> String {
    ran.stderr.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn seeds_share_a_mirror_and_the_same_seed_again_is_only_duplicates() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let mirror = ["--mirror", "sqlite://clerk.db", "--events", "400", "--seed"];
    let more = ["--shuffle", "--duplicates", "10%", "--replays", "0.1", "--users", "50"];
    for (seed, seq) in [("7", 400), ("8", 800), ("7", 800)] {
        let arguments = [&mirror[..], &[seed], &more].concat();
        let (ran, outcome) = simulate(directory.path(), &serving.url(), &arguments).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!((&outcome["drift"], &outcome["sent"]), (&0.into(), &400.into()), "{outcome}");
        assert_eq!((&outcome["acked"], &outcome["unacked"]), (&400.into(), &0.into()));
        for figure in [
            "duplicates",
            "replays",
            "acked_per_second",
            "ack_ms_p50",
            "ack_ms_p99",
            "elapsed_seconds",
        ] {
            assert!(outcome[figure].as_f64().unwrap() > 0.0, "{figure}: {outcome}");
        }
        let users = &outcome["tables"]["users"];
        assert_eq!(users["expected"], users["found"], "{outcome}");
        assert!((1..=50).contains(&users["found"].as_u64().unwrap()), "{outcome}");
        assert_eq!(outcome["findings"], Value::Array(Vec::new()));
        let reader = mirror_at(directory.path(), seq).await;
        let checkpoint = reader.checkpoint("mirror").await.unwrap().unwrap();
        assert_eq!(checkpoint.seq.get(), seq, "seed {seed}");
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_mirror_in_postgresql_is_compared_in_its_schema() {
    let database = PostgresDatabase::with_owner().await;
    let directory = directory();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[[destination]]\nname = \"app\"\ntype = \"database\"\n\
         url = \"{}\"\nschema = \"crm\"\non_delete = \"mark\"\nexclude_columns = []\n",
        database.url()
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let serving = Serving::start(directory.path()).await;
    let url = database.url();
    let arguments = ["--events", "500", "--settle", "10s", "--mirror", &url, "--schema"];
    let right = [&arguments[..], &["crm"]].concat();
    let (ran, outcome) = simulate(directory.path(), &serving.url(), &right).await;
    assert_eq!((ran.code, &outcome["drift"]), (0, &0.into()), "{ran:?}");
    assert!(outcome["tables"]["users"]["found"].as_u64().unwrap() > 0, "{outcome}");
    let elsewhere = ["--events", "500", "--settle", "10ms", "--mirror", &url];
    let (ran, outcome) = simulate(directory.path(), &serving.url(), &elsewhere).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let users = &outcome["tables"]["users"];
    assert_eq!((&users["found"], &users["missing"]), (&0.into(), &users["expected"]));
    assert!(!format!("{ran:?}").contains(PostgresDatabase::PASSWORD), "{ran:?}");
    assert_eq!(serving.terminate().await.0, 0);
}

/// Acknowledges everything, and hands on to the server all but every tenth event.
async fn lossy() -> (Receiver, mpsc::UnboundedReceiver<Message>) {
    let (kept, messages) = mpsc::unbounded_channel();
    let receiver = Receiver::start(move |received: &Received| {
        let (id, body) = (received.message_id.clone(), received.body.clone());
        let lost = id.bytes().map(u64::from).sum::<u64>().is_multiple_of(10);
        if !lost {
            kept.send(Message { id, event_type: "", body }).unwrap();
        }
        Reply::Status(200)
    });
    (receiver.await.unwrap(), messages)
}

#[tokio::test]
async fn a_handler_that_loses_events_is_found_out() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let (receiver, mut messages) = lossy().await;
    let (http, url) = (http_client(), serving.url());
    let handing_on = async {
        while let Some(message) = messages.recv().await {
            assert_eq!(send(&http, &url, &message).await, Some(200));
        }
        unreachable!("the receiver is there until the end")
    };
    let mirror = ["--mirror", "sqlite://clerk.db"];
    let more = [&["--events", "400", "--settle", "2s", "--no-probes"], &mirror[..]].concat();
    let lossy_url = receiver.url();
    let (ran, outcome) = tokio::select! {
        ran = simulate(directory.path(), &lossy_url, &more) => ran,
        never = handing_on => never,
    };
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!((&outcome["acked"], &outcome["unacked"]), (&400.into(), &0.into()), "{outcome}");
    let drift = outcome["drift"].as_u64().unwrap();
    assert!(drift > 5, "{outcome}");
    let wrong = |table: &Value| {
        ["missing", "extra", "wrong"].iter().map(|kind| table[kind].as_u64().unwrap()).sum::<u64>()
    };
    let tables = outcome["tables"].as_object().unwrap();
    assert_eq!(tables.values().map(wrong).sum::<u64>(), drift, "{outcome}");
    assert!(said(&ran).contains(&format!("the mirror drifts: {drift} entities")), "{ran:?}");
    let text = ["simulate", "--url", &receiver.url(), "--secret", SECRET, "--events", "400"];
    let text = [&text[..], &["--mirror", "sqlite://clerk.db", "--settle", "10ms"]].concat();
    let text = run(directory.path(), &text).await;
    assert_eq!(text.code, 1, "{text:?}");
    assert!(text.stdout.contains("EXPECTED  FOUND  MISSING  EXTRA  WRONG"), "{}", text.stdout);
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back_gets_everything() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let (address, url) = (serving.address, serving.url());
    let more = ["--events", "600", "--rate", "300", "--mirror", "sqlite://clerk.db"];
    let simulation = simulate(directory.path(), &url, &more);
    let restarted = async {
        mirror_at(directory.path(), 100).await;
        serving.kill().await;
        let config = format!("[server]\nlisten = \"{address}\"\n");
        std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
        Serving::start(directory.path()).await
    };
    let ((ran, outcome), serving) = tokio::join!(simulation, restarted);
    assert_eq!((ran.code, &outcome["drift"]), (0, &0.into()), "{ran:?}");
    assert_eq!(outcome["acked"], 600, "{outcome}");
    assert!(outcome["retries"].as_u64().unwrap() > 0, "{outcome}");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn what_is_refused_for_a_while_is_sent_again() {
    let directory = directory();
    let receiver = Receiver::start(|received| match received.attempt {
        1 => Reply::Status(503),
        2 => Reply::Close,
        3 => Reply::Status(307),
        _ => Reply::Status(204),
    });
    let receiver = receiver.await.unwrap();
    let more = ["--events", "50", "--duplicates", "0", "--speedup", "100000", "--no-probes"];
    let (ran, outcome) = simulate(directory.path(), &receiver.url(), &more).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!((&outcome["acked"], &outcome["retries"]), (&50.into(), &150.into()), "{outcome}");
    assert_eq!((receiver.count(), &outcome["drift"]), (200, &Value::Null));
    let failures: Vec<_> = outcome["failures"].as_array().unwrap().iter().collect();
    assert!(failures.iter().all(|kind| kind["attempts"] == 50), "{outcome}");
    assert_eq!(failures.len(), 3, "{outcome}");
}

#[tokio::test]
async fn a_rotation_sends_every_event_with_each_secret() {
    let directory = directory();
    let secrets = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[[source]]\nname = \"clerk\"\npath = [\"/api/webhooks\"]\n\
         signing_secrets = [\"{SECRET}\", \"{ENDPOINT_SECRET}\"]\ninstance_id = \"ins_test\"\n"
    );
    std::fs::write(directory.path().join("deskbell.toml"), secrets).unwrap();
    let serving = Serving::start(directory.path()).await;
    let more = ["--events", "200", "--duplicates", "0", "--mirror", "sqlite://clerk.db"];
    let more = [&more[..], &["--instance-id", "ins_test"]].concat();
    let both = [&more[..], &["--secret", ENDPOINT_SECRET]].concat();
    let (ran, outcome) = simulate(directory.path(), &serving.url(), &both).await;
    assert_eq!((ran.code, &outcome["drift"]), (0, &0.into()), "{ran:?}");
    assert_eq!((&outcome["sent"], &outcome["duplicates"]), (&200.into(), &200.into()));
    let unknown = SECRET.replace("MfKQ", "MfKR");
    let list = format!("{ENDPOINT_SECRET},{unknown}");
    let wrong = [&more[..], &["--secret", &list, "--speedup", "1e5"]].concat();
    let (ran, outcome) = simulate(directory.path(), &serving.url(), &wrong).await;
    assert_eq!((ran.code, &outcome["unacked"]), (1, &0.into()), "{ran:?}");
    assert_eq!(outcome["given_up"], 200, "{outcome}");
    assert!(said(&ran).contains("does the handler accept all of them?"), "{ran:?}");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn what_is_never_acknowledged_is_named_with_the_reason() {
    let directory = directory();
    let receiver = Receiver::start(|received| {
        let refused = received.body.windows(14).any(|part| part == b"\"user.deleted\"");
        Reply::Status(if refused { 500 } else { 200 })
    });
    let receiver = receiver.await.unwrap();
    let more = ["--events", "300", "--speedup", "1e5", "--no-probes"];
    let (ran, outcome) = simulate(directory.path(), &receiver.url(), &more).await;
    let unacked = outcome["unacked"].as_u64().unwrap();
    assert!(ran.code == 1 && unacked > 0, "{ran:?}");
    assert_eq!(outcome["acked"].as_u64().unwrap() + unacked, 300);
    let first = &outcome["unacked_first"][0];
    assert!(first["message_id"].as_str().unwrap().starts_with("msg_"), "{outcome}");
    assert_eq!(first["last_failure"], "it answered 500");
    let wanted = format!("{unacked} of 300 events were never acknowledged");
    assert!(said(&ran).contains(&wanted), "{ran:?}");
}

#[tokio::test]
async fn a_server_that_takes_nothing_ends_it_soon() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let more = ["--events", "200", "--speedup", "1e5"];
    let url = serving.url();
    let elsewhere = format!("{url}/elsewhere");
    let wrong_secret = ["simulate", "--url", &url, "--secret", ENDPOINT_SECRET];
    let wrong_path = ["simulate", "--url", &elsewhere, "--secret", SECRET];
    for (arguments, wanted) in [
        (
            wrong_secret,
            ["it answered 400: {\"error\":\"verification_failed\"}", "its secret must be the one"],
        ),
        (wrong_path, ["it answered 404: {\"error\":\"not_found\"}", "check the path"]),
        (
            ["simulate", "--url", "http://127.0.0.1:9/", "--secret", SECRET],
            ["nothing listens on 127.0.0.1:9", "start your application"],
        ),
    ] {
        let ran = run(directory.path(), &[&arguments[..], &more].concat()).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        for wanted in wanted {
            assert!(said(&ran).contains(wanted), "{wanted}: {ran:?}");
        }
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn an_interrupt_ends_the_sending_and_what_was_sent_is_compared() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let url = serving.url();
    let more = ["--events", "20000", "--rate", "200", "--mirror", "sqlite://clerk.db", "--json"];
    let mut command = deskbell(directory.path());
    command.args(["simulate", "--url", &url, "--secret", SECRET]).args(more);
    let process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    mirror_at(directory.path(), 100).await;
    let id = process.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
    let output = within(process.wait_with_output()).await.unwrap();
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{outcome}");
    assert_eq!((&outcome["interrupted"], &outcome["drift"]), (&true.into(), &0.into()));
    assert!((100..20_000).contains(&outcome["acked"].as_u64().unwrap()), "{outcome}");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn mistakes_are_wrong_usage_and_secrets_are_not_repeated() {
    let directory = directory();
    let url = ["--url", "http://127.0.0.1:9/"];
    let secret = ["--secret", SECRET];
    let cases: [(&[&str], i32, &str); 11] = [
        (&["--url", "127.0.0.1:9/hook", "--secret", SECRET], 2, "invalid URL"),
        (&["--url", "localhost:9/hook", "--secret", SECRET], 2, "expected https://HOST/PATH"),
        (&["--url", "http://127.0.0.1:9/", "--secret", "sk_test_hunter2"], 2, "API key"),
        (&["--secret", SECRET], 2, "--url"),
        (&[&url[..], &secret, &["--duplicates", "5"]].concat(), 2, "from 0% to 100%"),
        (&[&url[..], &secret, &["--rate", "0"]].concat(), 2, "a number above 0"),
        (&[&url[..], &secret, &["--speedup=-1"]].concat(), 2, "--speedup"),
        (&[&url[..], &secret, &["--connections", "0"]].concat(), 2, "--connections"),
        (&[&url[..], &secret, &["--timeout", "soon"]].concat(), 2, "--timeout"),
        (&[&url[..], &secret, &["--mirror", "mysql://a:hunter2@db/app"]].concat(), 2, "--mirror"),
        (
            &[&url[..], &secret, &["--mirror", "sqlite://none.db"]].concat(),
            1,
            "cannot open the mirror's",
        ),
    ];
    for (arguments, code, wanted) in cases {
        let ran = run(directory.path(), &[&["simulate"], arguments].concat()).await;
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        assert!(said(&ran).contains(wanted), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.contains("hunter2"), "{ran:?}");
    }
}

#[tokio::test]
async fn without_a_secret_it_takes_the_one_of_the_config() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let arguments = ["simulate", "--url", &serving.url(), "--events", "20"];
    let ran = run(directory.path(), &arguments).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = finish(deskbell(directory.path()).env_clear().args(arguments)).await;
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(ran.stderr.contains("CLERK_WEBHOOK_SIGNING_SECRET"), "{ran:?}");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_handler_that_accepts_forgeries_fails_and_junit_says_which() {
    let directory = directory();
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let report = directory.path().join("report.xml");
    let more = ["--events", "20", "--junit", "report.xml"];
    let (ran, outcome) = simulate(directory.path(), &receiver.url(), &more).await;
    assert_eq!((ran.code, &outcome["acked"]), (1, &20.into()), "{ran:?}");
    let wanted = "an event signed with another secret was answered with 200";
    assert!(said(&ran).contains(wanted), "{ran:?}");
    assert!(said(&ran).contains("verify the signature"), "{ran:?}");
    let probes = outcome["probes"].as_array().unwrap();
    assert_eq!(probes.len(), 4);
    assert!(probes.iter().all(|probe| probe["refused"] == false), "{outcome}");
    let xml = std::fs::read_to_string(&report).unwrap();
    assert!(xml.contains("tests=\"6\"") && xml.contains("failures=\"4\""), "{xml}");
    assert!(xml.contains("every event is acknowledged"), "{xml}");
    let (ran, _) =
        simulate(directory.path(), &receiver.url(), &["--events", "20", "--no-probes"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let unwritable = ["--events", "20", "--junit", "none/report.xml"];
    let ran =
        run(directory.path(), &[&["simulate", "--url", &receiver.url()], &unwritable[..]].concat())
            .await;
    assert!(ran.code == 1 && said(&ran).contains("failed to write none/report.xml"), "{ran:?}");
}

#[tokio::test]
async fn what_never_works_is_explained_at_once_and_ends_soon() {
    let directory = directory();
    let receiver = Receiver::start(|_| Reply::Status(404)).await.unwrap();
    // With the waits of a sender that is a thousand times as fast, all retries take 100 seconds.
    let (ran, outcome) = simulate(directory.path(), &receiver.url(), &["--events", "500"]).await;
    assert_eq!((ran.code, &outcome["acked"]), (1, &0.into()), "{ran:?}");
    assert!(outcome["elapsed_seconds"].as_f64().unwrap() < 30.0, "{outcome}");
    assert!(said(&ran).contains("nothing acknowledged so far"), "{ran:?}");
    assert!(said(&ran).contains("404: nothing handles /"), "{ran:?}");
    assert!(receiver.count() < 5_000, "{}", receiver.count());
}

#[tokio::test]
async fn retry_after_is_honoured() {
    let directory = directory();
    let times = Arc::new(AtomicUsize::new(0));
    let app = axum::Router::new().fallback(move || {
        let first = times.fetch_add(1, Ordering::Relaxed) == 0;
        let busy = (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "2")]);
        async move { if first { busy.into_response() } else { StatusCode::OK.into_response() } }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, app).await });
    let more = ["--events", "1", "--duplicates", "0", "--speedup", "1e6", "--no-probes"];
    let (ran, outcome) = simulate(directory.path(), &url, &more).await;
    assert_eq!((ran.code, &outcome["retries"]), (0, &1.into()), "{ran:?}");
    assert!(outcome["elapsed_seconds"].as_f64().unwrap() >= 2.0, "{outcome}");
}

#[tokio::test]
async fn every_entity_is_sent_and_compared() {
    let directory = directory();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[[destination]]\nname = \"mirror\"\n\
         type = \"database\"\nurl = \"sqlite://clerk.db\"\nentities = [{}]\n",
        deskbell_sync::entity::ALL
            .iter()
            .map(|entity| format!("\"{}\"", entity.name))
            .collect::<Vec<_>>()
            .join(", ")
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let serving = Serving::start(directory.path()).await;
    let more = ["--events", "1500", "--shuffle", "--mirror", "sqlite://clerk.db"];
    let (ran, outcome) = simulate(directory.path(), &serving.url(), &more).await;
    assert_eq!((ran.code, &outcome["drift"]), (0, &0.into()), "{ran:?}");
    let tables = outcome["tables"].as_object().unwrap();
    for entity in deskbell_sync::entity::ALL {
        let found = tables.get(entity.table).map(|table| table["found"].as_u64());
        assert!(found.flatten().is_some_and(|rows| rows > 0), "{}: {outcome}", entity.table);
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn its_backend_api_has_what_was_sent() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let mut command = deskbell(directory.path());
    command.args(["simulate", "--url", &serving.url(), "--events", "300", "--backend-api", "0"]);
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut said = Vec::new();
    while !said.iter().any(|line: &String| line.contains("stop it with Ctrl-C")) {
        said.push(within(lines.next_line()).await.unwrap().expect("it serves"));
    }
    let variables = said.iter().find(|line| line.contains("CLERK_API_URL=")).unwrap();
    let variables: Vec<_> =
        variables.split_whitespace().filter_map(|word| word.split_once('=')).collect();
    mirror_at(directory.path(), 300).await;
    let mut command = deskbell(directory.path());
    command.envs(variables).args(["reconcile", "user", "organization", "organization_membership"]);
    let ran = finish(&mut command).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.ends_with("no drift\n"), "{ran:?}");
    let id = process.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
    assert_eq!(within(process.wait()).await.unwrap().code(), Some(0));
    assert_eq!(serving.terminate().await.0, 0);
}
