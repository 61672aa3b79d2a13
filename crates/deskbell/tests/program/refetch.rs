//! `refetch = true`: the mirror's newest state comes from a simulated Clerk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use deskbell_sim::INSTANCE_ID;
use deskbell_sim::backend_api::{BackendApi, BackendApiOptions, Fault, SharedDirectory, sample};
use deskbell_sync::inspect::MirrorReader;
use futures_util::future::join_all;
use serde_json::Value;
use tempfile::TempDir;
use testkit::PostgresDatabase;

use super::backfill::with_key;
use super::mirror_away::reason_of;
use super::support::{Serving, deskbell, destination_at, finish, http_client, run, within};

const TOKEN: &str = "correct-horse-battery-staple";
const USER: &str = "user_00000000";

/// Two mirrors, of which the first one reads what it writes; nothing is filled by itself.
fn configured(url: &str, store: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_token = \"{TOKEN}\"\n{store}\n\
         [[source]]\ninstance_id = \"{INSTANCE_ID}\"\nbackfill = \"never\"\n\n\
         [[destination]]\nname = \"newest\"\ntype = \"database\"\nurl = \"{url}\"\nrefetch = true\n\n\
         [[destination]]\nname = \"events\"\ntype = \"database\"\nurl = \"sqlite://events.db\"\n"
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    directory
}

/// An instance with so many users called Ada, answered with the status where there is one.
async fn clerk(list: &'static str, count: usize, status: &Arc<AtomicU16>) -> BackendApi {
    let directory = SharedDirectory::default();
    for number in 0..count {
        directory.lock().insert(list, &sample(list, number, 1_767_225_600_000));
    }
    directory.lock().set_now(4_102_444_800_000);
    let status = Arc::clone(status);
    let plan = move |_: &_| match status.load(Ordering::SeqCst) {
        0 => Fault::None,
        status => Fault::Status(status),
    };
    BackendApi::start(BackendApiOptions::default(), directory, plan).await.unwrap()
}

/// An event about this user arrives, with an older name.
async fn arrives(
    directory: &Path,
    api: &BackendApi,
    serving: &Serving,
    event_type: &str,
    id: &str,
) {
    let (url, id) = (serving.url(), format!("data.id={id}"));
    let instance = format!("instance_id={INSTANCE_ID}");
    let mut arguments =
        vec!["trigger", "--sample", event_type, "--url", &url, "--set", &id, "--set", &instance];
    if event_type != "user.deleted" {
        arguments.extend([
            "--set",
            "data.first_name=Event",
            "--set",
            "data.updated_at=1600000000000",
        ]);
    }
    let ran = finish(with_key(directory, api).args(arguments)).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// Waits until the mirror has the log up to here.
async fn at(reader: &MirrorReader, name: &str, seq: i64) {
    let mut look = tokio::time::interval(Duration::from_millis(50));
    within(async {
        while reader.checkpoint(name).await.unwrap().is_none_or(|found| found.seq.get() < seq) {
            look.tick().await;
        }
    })
    .await;
}

async fn names(reader: &MirrorReader) -> Vec<Value> {
    let rows = reader.rows("users").await.unwrap();
    rows.iter().map(|row| row["first_name"].clone()).collect()
}

async fn the_newest_state_is_written_and_an_api_that_is_away_is_waited_for(url: &str) {
    let directory = configured(url, "");
    let path = directory.path();
    let url = match url.strip_prefix("sqlite://") {
        Some(file) => format!("sqlite://{}", path.join(file).display()),
        None => url.to_owned(),
    };
    let events = format!("sqlite://{}", path.join("events.db").display());
    let status = Arc::default();
    let api = clerk("users", 2, &status).await;
    let serving = Serving::of(with_key(path, &api)).await;
    arrives(path, &api, &serving, "user.updated", USER).await;
    arrives(path, &api, &serving, "user.created", "user_unknown").await;
    let newest = destination_at(&url, "newest", 2).await;
    assert_eq!(names(&newest).await, ["Ada", "Event"]);
    assert_eq!(names(&destination_at(&events, "events", 2).await).await, ["Event", "Event"]);
    let requests = api.requests();
    arrives(path, &api, &serving, "user.deleted", "user_unknown").await;
    assert_eq!(names(&destination_at(&url, "newest", 3).await).await, ["Ada"]);
    assert_eq!(api.requests(), requests, "a delete makes no request");
    status.store(401, Ordering::SeqCst);
    arrives(path, &api, &serving, "user.created", "user_00000001").await;
    destination_at(&events, "events", 4).await;
    let reason = reason_of(path, "waiting").await;
    assert!(reason.contains("cannot read Clerk's Backend API for source"), "{reason}");
    let listed = run(path, &["destinations"]).await.stdout;
    assert!(listed.contains("waiting for Clerk's API since"), "{listed}");
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0);
    let warnings = said.iter().filter(|line| line.contains("the mirror waits for Clerk"));
    assert_eq!(warnings.count(), 1, "{said:#?}");
    // What was not applied when the program ended is applied by the next one.
    let serving = Serving::of(with_key(path, &api)).await;
    reason_of(path, "waiting").await;
    status.store(0, Ordering::SeqCst);
    assert_eq!(names(&destination_at(&url, "newest", 4).await).await, ["Ada", "Ada"]);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn in_sqlite() {
    the_newest_state_is_written_and_an_api_that_is_away_is_waited_for("sqlite://newest.db").await;
}

#[tokio::test]
async fn in_postgresql() {
    let database = PostgresDatabase::new().await;
    the_newest_state_is_written_and_an_api_that_is_away_is_waited_for(&database.url()).await;
}

#[tokio::test]
async fn without_a_key_it_is_a_config_error() {
    let directory = configured("sqlite://newest.db", "");
    for command in [&["serve"][..], &["config", "check"]] {
        let ran = finish(deskbell(directory.path()).args(command)).await;
        assert_eq!(ran.code, 64, "{ran:?}");
        for text in ["`newest`", "deskbell.toml:", "CLERK_SECRET_KEY"] {
            assert!(ran.stderr.contains(text), "{text}: {}", ran.stderr);
        }
    }
    assert_eq!(run(directory.path(), &["destinations"]).await.code, 0, "it only reads");
}

/// A development instance has 100 requests in ten seconds, and half of them are the application's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_refetch_and_fill_keep_to_the_share_together() {
    let database = PostgresDatabase::with_owner().await;
    let url = database.url();
    let mut more = format!("[store]\nurl = \"{url}\"\nconnections_max = 6\n");
    more += &format!(
        "[[destination]]\nname = \"further\"\ntype = \"database\"\nurl = \"{url}\"\n\
         schema = \"further\"\nrefetch = true\n"
    );
    let directory = configured(&url, &more);
    let path = directory.path();
    let api = clerk("statements", 60, &Arc::default()).await;
    let first = Serving::of(with_key(path, &api)).await;
    let second = Serving::of(with_key(path, &api)).await;
    let mut filling = with_key(path, &api);
    let filling = finish(filling.args(["--json", "backfill", "payment_attempt"]));
    let sending = async {
        let url = first.url();
        let instance = format!("instance_id={INSTANCE_ID}");
        for number in 0..6 {
            let id = format!("data.id=role_{number}");
            let arguments = [
                "trigger",
                "--sample",
                "role.created",
                "--url",
                &url,
                "--set",
                &id,
                "--set",
                &instance,
            ];
            assert_eq!(finish(with_key(path, &api).args(arguments)).await.code, 0);
        }
    };
    // What somebody waits for has its own part.
    let http = http_client();
    let askers = (0..12).map(|number| {
        let serving = if number % 2 == 0 { &first } else { &second };
        let url = format!("http://{}/api/v1/users/user_nobody{number}", serving.address);
        http.get(url).bearer_auth(TOKEN).send()
    });
    let (filled, (), _) = tokio::join!(filling, sending, join_all(askers));
    assert_eq!(filled.code, 0, "{filled:?}");
    for (schema, name) in [("clerk", "newest"), ("further", "further")] {
        let reader = MirrorReader::open_schema(&url.parse().unwrap(), schema).await.unwrap();
        at(&reader, name, 6).await;
    }
    let busiest = api.in_window_max();
    assert!((31..=50).contains(&busiest), "{busiest} requests in a window");
    for serving in [first, second] {
        assert_eq!(serving.terminate().await.0, 0);
    }
}
