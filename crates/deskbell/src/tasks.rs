//! The index of background tasks: every one that the engine runs, under the name that it is
//! reported as.

mod group;

use std::sync::Arc;

use deskbell_delivery::{Router, Worker};
use deskbell_server::{RefusedRequests, Server};
use deskbell_store::{LogWriter, Store, SubjectIndexer};
use deskbell_sync::MirrorService;
use deskbell_trust::{EndpointWatch, MessagePull, TrustService};

pub use self::group::StoppedEarly;
pub(crate) use self::group::{TaskGroup, stop_all};
use crate::alerts::{self, Alerts};
use crate::command_runner::CommandRunner;
use crate::metrics;
use crate::pruner::Pruner;

/// What serves all destinations.
pub(crate) struct CommonTasks {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) indexer: SubjectIndexer,
    pub(crate) pruner: Pruner,
    pub(crate) alerts: Alerts,
    pub(crate) refused: Arc<RefusedRequests>,
    pub(crate) commands: CommandRunner,
    /// `None` where nothing is delivered to.
    pub(crate) router: Option<Router>,
    pub(crate) trust: TrustService,
    pub(crate) endpoints: EndpointWatch,
    pub(crate) pull: MessagePull,
}

pub(crate) fn start_server(server: Server) -> TaskGroup {
    let mut group = TaskGroup::default();
    group.spawn("server", |shutdown| server.run(shutdown));
    group
}

/// It ends by itself once nobody has a handle of the log.
pub(crate) fn start_log_writer(writer: LogWriter) -> TaskGroup {
    let mut group = TaskGroup::default();
    group.spawn("log writer", |_| writer.run());
    group
}

pub(crate) fn start_worker(destination: &str, worker: Worker) -> TaskGroup {
    let mut group = TaskGroup::default();
    group.spawn(("worker", destination), |shutdown| worker.run(shutdown));
    group
}

pub(crate) fn start_mirror(destination: &str, mirror: MirrorService) -> TaskGroup {
    let mut group = TaskGroup::default();
    group.spawn(("mirror", destination), |shutdown| mirror.run(shutdown));
    group
}

pub(crate) fn start_common(tasks: CommonTasks) -> TaskGroup {
    let CommonTasks {
        store,
        indexer,
        pruner,
        alerts,
        refused,
        commands,
        router,
        trust,
        endpoints,
        pull,
    } = tasks;
    let mut group = TaskGroup::default();
    group.spawn("subject indexer", |shutdown| indexer.run(shutdown));
    group.spawn("pruner", |shutdown| pruner.run(shutdown));
    group.spawn("alerting", |shutdown| alerts.run(shutdown));
    group.spawn("counter of refused requests", |shutdown| {
        alerts::add_up_refused(refused, store, shutdown)
    });
    group.spawn("command runner", |shutdown| commands.run(shutdown));
    group.spawn("backfill and reconciliation", |shutdown| trust.run(shutdown));
    group.spawn("watch of the endpoints", |shutdown| endpoints.run(shutdown));
    group.spawn("fetching of messages", |shutdown| pull.run(shutdown));
    if let Some(router) = router {
        group.spawn("router", |shutdown| router.run(shutdown));
    }
    group.spawn("upkeep of the metrics", metrics::upkeep);
    group
}
