//! The examples of `examples/`: their READMEs say what happens, and their tables come out the same
//! whatever the order in which events arrive; what they deliver arrives.

mod billing;
mod clerk_emails;
mod forward;
#[cfg(feature = "interop")]
mod interop;
mod mailbox;
mod new_device;
#[cfg(feature = "interop")]
mod own_ids;
mod packages;
#[cfg(feature = "interop")]
mod pages;
mod paying;
#[cfg(feature = "interop")]
mod prisma;
mod prisma_schema;
mod readme;
mod recipe;
mod samples;
mod sandbox;
mod sign_up;
mod soft_delete;
mod team_members;
mod users_table;
mod welcome;

use std::path::PathBuf;

use deskbell_sim::Message;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use self::sandbox::{Backend, Sandbox};
use super::support::{destination_at, http_client, send};

const BACKENDS: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

/// The directory of an example.
fn directory(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name)
}

/// Sends the events in several orders, each event twice, to the example's own config, and holds the
/// rows that the query finds against what is expected.
async fn converges(example: &str, events: &[Message], query: &str, expected: &[&str]) {
    for backend in BACKENDS {
        let sandbox = async || Sandbox::new(example, backend).await;
        converges_in(sandbox, events, query, expected).await;
    }
}

/// The same, in sandboxes that are made like this.
async fn converges_in(
    sandbox: impl AsyncFn() -> Sandbox,
    events: &[Message],
    query: &str,
    expected: &[&str],
) {
    for (what, order) in orders(events) {
        let sandbox = sandbox().await;
        let serving = sandbox.serve().await;
        let http = http_client();
        for event in order.iter().chain(order.iter().rev()) {
            assert_eq!(send(&http, &serving.url(), event).await, Some(200));
        }
        let last = i64::try_from(events.len()).unwrap();
        let reader = destination_at(&sandbox.url(), "app", last).await;
        let (_, rows) = sandbox.query(query).await;
        assert_eq!(rows, expected, "{}, {what}", sandbox.url());
        let letters = reader.rows("_dead_letters").await.unwrap();
        assert!(letters.is_empty(), "{}, {what}: {letters:?}", sandbox.url());
        assert_eq!(serving.terminate().await.0, 0);
    }
}

/// As things happened, the other way round, and mixed.
fn orders(events: &[Message]) -> Vec<(String, Vec<Message>)> {
    let mut orders = vec![("in order".to_owned(), events.to_vec())];
    orders.push(("reversed".to_owned(), events.iter().rev().cloned().collect()));
    for seed in [3, 4] {
        let mut mixed = events.to_vec();
        mixed.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        orders.push((format!("mixed by seed {seed}"), mixed));
    }
    orders
}
