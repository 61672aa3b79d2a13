//! The load that all ingest benchmarks have in common: real payloads, signed beforehand, from one thread.

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use clerk_webhooks::Secret;
use deskbell_sim::load::{self, LoadOptions, LoadReport, Target, prepare};
use deskbell_sim::{Scenario, World};

use crate::child::Committed;
use crate::error::BenchError;
use crate::process::{ServerProcess, Usage};

/// The route that is loaded, and its secret.
pub(crate) const PATH: &str = "/api/webhooks";
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Distinct payloads; requests take them in turn.
const BODIES: usize = 2048;

/// One run of the load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) connections: usize,
    pub(crate) requests_max: usize,
    pub(crate) duration_max: Duration,
    /// Message ids come of it: runs on one log need different ones.
    pub(crate) seed: u64,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) load: LoadReport,
    pub(crate) usage: Usage,
    pub(crate) committed: Committed,
}

/// Payloads of user events, about 2 KB each.
pub(crate) fn user_bodies() -> Vec<Bytes> {
    let world = World::new(&Scenario::new(1, BODIES * 3));
    let users =
        world.filter(|message| matches!(message.event_type, "user.created" | "user.updated"));
    users.take(BODIES).map(|message| message.body).collect()
}

/// Payloads of little more than an id.
pub(crate) fn small_bodies() -> Vec<Bytes> {
    let body = |n| {
        format!(
            r#"{{"data":{{"id":"user_{n:027}"}},"object":"event","timestamp":1767225600000,"type":"user.deleted"}}"#
        )
    };
    (0..BODIES).map(|n| Bytes::from(body(n))).collect()
}

/// Starts a server on the store, or on the one that discards, loads it, and stops it.
pub(crate) fn run(store: Option<&Path>, bodies: &[Bytes], run: Run) -> Result<Outcome, BenchError> {
    let server = ServerProcess::start(store)?;
    let address = server.listening.address;
    let target = Target {
        host: address.to_string(),
        path: PATH.to_owned(),
        secret: Secret::parse(SECRET)?,
        seed: run.seed,
    };
    let requests = prepare(&target, bodies, run.requests_max)?.into();
    let options =
        LoadOptions { address, connections: run.connections, duration_max: Some(run.duration_max) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let load = runtime.block_on(load::run(options, requests));
    let usage = server.usage();
    let committed = server.stop()?;
    if load.refused > 0 || load.broken > 0 || load.acked == 0 {
        let LoadReport { acked, answered, broken, .. } = load;
        return Err(BenchError::NotAcked { acked, answered, broken });
    }
    Ok(Outcome { load, usage, committed })
}
