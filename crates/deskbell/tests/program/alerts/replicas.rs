//! Several processes over one store send one alert.

use deskbell_sim::receiver::{Receiver, Reply};
use tempfile::TempDir;
use testkit::PostgresDatabase;

use super::{Hook, SOON, crm, trigger};
use crate::program::support::{Serving, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_send_one_alert_and_the_other_goes_on_when_one_is_killed() {
    let (database, directory) = (PostgresDatabase::with_owner().await, TempDir::new().unwrap());
    let (gone, hook) =
        (Receiver::start(|_| Reply::Status(410)).await.unwrap(), Hook::start().await);
    let path = directory.path();
    let store = format!(
        "[store]\nurl = \"{}\"\nconnections_max = 6\n\n[[destination]]\nname = \"app\"\n\
         type = \"database\"\nurl = \"postgres://me@127.0.0.1:1/app\"\n",
        database.url()
    );
    hook.configure(path, SOON, &format!("{}\n{store}", crm(&gone, "")));
    let first = Serving::start(path).await;
    let second = Serving::start(path).await;
    trigger(path, &first).await;
    // The mirror is away, crm is disabled, and its delivery failed permanently.
    let mut summaries = hook.summaries(3).await;
    summaries.sort();
    let kinds = |summaries: &[(String, String, String)]| {
        summaries.iter().map(|(kind, state, _)| format!("{kind} {state}")).collect::<Vec<_>>()
    };
    let firing =
        ["delivery.dead_letters firing", "destination.disabled firing", "mirror.away firing"];
    assert_eq!(kinds(&summaries), firing);
    first.kill().await;
    // The other one knows what was alerted about, and tells the end.
    assert_eq!(run(path, &["destinations", "enable", "crm"]).await.code, 0);
    let summaries = hook.summaries(4).await;
    assert_eq!(kinds(&summaries[3..]), ["destination.disabled resolved"]);
    assert_eq!(second.terminate().await.0, 0);
    assert_eq!(hook.ids().len(), 4, "{:?}", hook.ids());
}
