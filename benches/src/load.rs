//! The load that all ingest benchmarks have in common: real payloads, signed beforehand, from one thread.

use std::time::Duration;

use bytes::Bytes;
use clerk_webhooks::Secret;
use deskbell_sim::load::{self, IdOrder, LoadOptions, LoadReport, Target, prepare};
use deskbell_sim::{Scenario, World};
use tokio::task::JoinSet;

use crate::child::{self, Committed};
use crate::database::ServerUsage;
use crate::endpoint::{PATH, SECRET};
use crate::error::BenchError;
use crate::location::Location;
use crate::process::{ServerProcess, Usage};

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
    pub(crate) ids: IdOrder,
}

#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) load: LoadReport,
    pub(crate) usage: Usage,
    pub(crate) committed: Committed,
    /// Of the database's server, where somebody has looked.
    pub(crate) server: ServerUsage,
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

/// Starts a server on the store, or on the one that discards, loads it, and stops it. One with a store
/// indexes subjects meanwhile, as `deskbell serve` does.
pub(crate) fn run(
    store: Option<&Location>,
    bodies: &[Bytes],
    run: Run,
) -> Result<Outcome, BenchError> {
    on_replicas(1, store, bodies, run)
}

/// As [`run`], with a server that does not index the log's subjects.
pub(crate) fn run_without_index(
    store: &Location,
    bodies: &[Bytes],
    run: Run,
) -> Result<Outcome, BenchError> {
    on_servers(1, &child::Options::on(Some(store)), bodies, run)
}

/// As [`run`], with so many servers on the one store, and the load dealt out to them.
pub(crate) fn on_replicas(
    replicas: usize,
    store: Option<&Location>,
    bodies: &[Bytes],
    run: Run,
) -> Result<Outcome, BenchError> {
    let server = match store {
        Some(location) => child::Options::indexing(location),
        None => child::Options::on(None),
    };
    on_servers(replicas, &server, bodies, run)
}

fn on_servers(
    replicas: usize,
    server: &child::Options,
    bodies: &[Bytes],
    run: Run,
) -> Result<Outcome, BenchError> {
    let start = |_| ServerProcess::start(server);
    let servers = (0..replicas).map(start).collect::<Result<Vec<_>, _>>()?;
    let load = send(&servers, bodies, run)?;
    let used = servers.iter().map(ServerProcess::usage).collect::<Vec<_>>();
    let committed = servers.into_iter().map(ServerProcess::stop).collect::<Result<Vec<_>, _>>()?;
    Ok(Outcome {
        load,
        usage: Usage {
            memory_mb_max: used.iter().map(|usage| usage.memory_mb_max).fold(0.0, f64::max),
            processor_seconds: used.iter().map(|usage| usage.processor_seconds).sum(),
            written_bytes: used.iter().map(|usage| usage.written_bytes).sum(),
        },
        committed: Committed {
            commits: committed.iter().map(|replica| replica.commits).sum(),
            events: committed.iter().map(|replica| replica.events).sum(),
        },
        server: ServerUsage::default(),
    })
}

/// Loads all of the servers at once, from this thread alone. The percentiles are those of the slowest.
pub(crate) fn send(
    servers: &[ServerProcess],
    bodies: &[Bytes],
    run: Run,
) -> Result<LoadReport, BenchError> {
    let mut loads = Vec::new();
    for (server, number) in servers.iter().zip(0..) {
        let address = server.listening.address;
        let target = Target {
            host: address.to_string(),
            path: PATH.to_owned(),
            secret: Secret::parse(SECRET)?,
            seed: run.seed << 8 | number,
            ids: run.ids,
        };
        let requests = prepare(&target, bodies, run.requests_max / servers.len())?;
        let connections = run.connections / servers.len();
        let options = LoadOptions { address, connections, duration_max: Some(run.duration_max) };
        loads.push((options, requests.into()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let reports = runtime.block_on(async {
        let tasks = loads.into_iter().map(|(options, requests)| load::run(options, requests));
        JoinSet::from_iter(tasks).join_all().await
    });
    let load = together(&reports);
    if load.refused > 0 || load.broken > 0 || load.acked == 0 {
        let LoadReport { acked, answered, broken, .. } = load;
        return Err(BenchError::NotAcked { acked, answered, broken });
    }
    Ok(load)
}

fn together(reports: &[LoadReport]) -> LoadReport {
    let count = |number: fn(&LoadReport) -> usize| reports.iter().map(number).sum();
    let max = |number: fn(&LoadReport) -> f64| reports.iter().map(number).fold(0.0, f64::max);
    LoadReport {
        answered: count(|report| report.answered),
        acked: count(|report| report.acked),
        refused: count(|report| report.refused),
        broken: count(|report| report.broken),
        acked_per_second: reports.iter().map(|report| report.acked_per_second).sum(),
        ack_ms_p50: max(|report| report.ack_ms_p50),
        ack_ms_p99: max(|report| report.ack_ms_p99),
        elapsed_seconds: max(|report| report.elapsed_seconds),
    }
}
