//! The dashboard in a browser: Chromium does what a person would, on a running server with real data.

use std::path::Path;
use std::time::Duration;

use deskbell_sim::receiver::{Received, Receiver, Reply};
use tempfile::TempDir;
use tokio::process::Command;

use super::support::{
    ENDPOINT_SECRET, SECRET, Serving, deskbell, directory, mirror_at, trigger, within,
};

const ADMIN_TOKEN: &str = "the-admin-token-of-the-browser-tests";
/// Of the longest script, on a busy machine.
const SCRIPT_TIMEOUT: Duration = Duration::from_secs(12 * 60);

/// What the scripts expect in the log: a type, a message id, and what is set in the sample.
const EVENTS: &[(&str, &str, &[&str])] = &[
    ("user.created", "msg_ada_1", &["data.id=user_ada", "data.last_name=Lovelace"]),
    (
        "user.updated",
        "msg_ada_2",
        &[
            "data.id=user_ada",
            "data.first_name=Augusta",
            "data.last_name=Lovelace",
            "data.updated_at=1796000000000",
        ],
    ),
    ("user.created", "msg_grace", &["data.id=user_grace"]),
    ("user.created", "msg_alan", &["data.id=user_alan"]),
    ("user.deleted", "msg_alan_gone", &["data.id=user_alan"]),
    ("session.created", "msg_session", &["data.user_id=user_ada"]),
    ("organization.created", "msg_acme", &["data.id=org_acme"]),
    ("organization.created", "msg_globex", &["data.id=org_globex"]),
    ("organization.updated", "msg_acme_2", &["data.id=org_acme"]),
    ("organizationMembership.created", "msg_member", &[]),
    ("user.created", "msg_rejected", &["data.id=5"]),
];
/// Those of them that are for `billing`.
const BILLED: usize = 3;

/// A server whose pages are looked at.
struct Site {
    directory: TempDir,
    serving: Serving,
    /// Takes everything, and repeats it in its reply.
    crm: Receiver,
    /// Refuses each message once.
    billing: Receiver,
}

impl Site {
    /// A server without an event.
    async fn new() -> Self {
        let crm = Receiver::start(|_| Reply::Echo(200)).await.unwrap();
        let refuses_once =
            |received: &Received| Reply::Echo(if received.attempt == 1 { 400 } else { 200 });
        let billing = Receiver::start(refuses_once).await.unwrap();
        let directory = directory();
        std::fs::write(directory.path().join("deskbell.toml"), config(&crm, &billing)).unwrap();
        let mut command = deskbell(directory.path());
        command.env("DESKBELL_ADMIN_TOKEN", ADMIN_TOKEN);
        let serving = Serving::of(command).await;
        Self { directory, serving, crm, billing }
    }

    /// A server with [`EVENTS`], once they have reached their destinations.
    async fn with_events() -> Self {
        let site = Self::new().await;
        for (event_type, message, set) in EVENTS {
            trigger(site.directory.path(), &site.serving.url(), event_type, message, set).await;
        }
        mirror_at(site.directory.path(), EVENTS.len().try_into().unwrap()).await;
        within(site.crm.wait_for(EVENTS.len())).await;
        within(site.billing.wait_for(BILLED)).await;
        site
    }

    /// Runs a script of `tests/interop/browser`, and expects that it finds nothing wrong.
    async fn passes(&self, script: &str) {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/browser");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut node = Command::new("node");
        node.arg(scripts.join(script))
            .env("DESKBELL_URL", format!("http://{}", self.serving.address))
            .env("DESKBELL_ADMIN_TOKEN", ADMIN_TOKEN)
            .env("DESKBELL_PROGRAM", env!("CARGO_BIN_EXE_deskbell"))
            .env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)
            .env("RECEIVER_URL", self.crm.url())
            .env("NODE_PACKAGES", target.join("interop/node"))
            .env("SCREENSHOTS", target.join("screenshots"))
            .kill_on_drop(true);
        let output = tokio::time::timeout(SCRIPT_TIMEOUT, node.output()).await;
        let output = output.expect("in time").unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{script}: see tests/interop/README.md\n{said}");
    }
}

fn config(crm: &Receiver, billing: &Receiver) -> String {
    let (crm, billing) = (crm.url(), billing.url());
    format!(
        r#"
[server]
listen = "127.0.0.1:0"
public_url = "https://hooks.example.com"

[mirror]
enabled = true

[endpoints]
allow_hosts = ["127.0.0.1"]

[[destination]]
name = "crm"
type = "http"
url = "{crm}"
secret = "{ENDPOINT_SECRET}"
allow_hosts = ["127.0.0.1"]

[[destination]]
name = "billing"
type = "http"
url = "{billing}"
secret = "{ENDPOINT_SECRET}"
allow_hosts = ["127.0.0.1"]
events = ["organization.*"]
retry = {{ schedule = [], then_every = "never" }}
"#
    )
}

#[tokio::test]
async fn the_set_up_guide_leads_to_the_first_event() {
    Site::new().await.passes("first_event.mjs").await;
}

#[tokio::test]
async fn every_page_is_fit_to_be_seen_in_both_colours_and_on_a_phone() {
    Site::with_events().await.passes("every_page.mjs").await;
}

#[tokio::test]
async fn nobody_sees_a_page_without_signing_in() {
    Site::with_events().await.passes("session.mjs").await;
}

#[tokio::test]
async fn events_are_searched_and_followed() {
    Site::with_events().await.passes("searching.mjs").await;
}

#[tokio::test]
async fn an_event_is_read_copied_and_replayed() {
    Site::with_events().await.passes("one_event.mjs").await;
}

#[tokio::test]
async fn destinations_are_paused_tested_made_and_changed() {
    Site::with_events().await.passes("destinations.mjs").await;
}

#[tokio::test]
async fn dead_letters_are_retried() {
    Site::with_events().await.passes("dead_letters.mjs").await;
}

#[tokio::test]
async fn a_token_is_made_used_and_revoked() {
    Site::with_events().await.passes("tokens.mjs").await;
}

#[tokio::test]
async fn pages_work_without_scripts() {
    Site::with_events().await.passes("no_scripts.mjs").await;
}

#[tokio::test]
async fn hostile_text_is_text() {
    Site::with_events().await.passes("hostile.mjs").await;
}
