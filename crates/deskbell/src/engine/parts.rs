//! The consumers of the log: a worker or a mirror for each destination, and what serves all of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use deskbell_server::RefusedRequests;
use deskbell_store::{ConsumerLog, LogHandle, Store, SubjectIndexer};
use deskbell_sync::status::MirrorStatus;
use deskbell_sync::{MirrorOptions, MirrorService, RowReader, Target};
use deskbell_trust::{
    BackfillSource, EndpointWatch, Ensure, EnsuredMirror, FollowedMirror, LOOK_EVERY, MessagePull,
    PULL_EVERY, Refetch, TrustService,
};
use futures_util::future::{join_all, select_all};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::StartError;
use crate::alerts::Alerts;
use crate::backend_api;
use crate::command_runner::CommandRunner;
use crate::config::Config;
use crate::delivering::{Delivering, WorkerConfig};
use crate::outcomes::mirrors::RunningMirrors;
use crate::pruner::{self, Pruner};
use crate::tasks::{self, CommonTasks, TaskGroup};

/// How long the start waits for the mirrors' databases.
const OPEN_MAX: Duration = Duration::from_secs(3);

#[derive(Debug)]
pub(super) struct Parts {
    /// Tells handlers when the program begins to stop.
    stopping: CancellationToken,
    /// What serves all destinations.
    common: TaskGroup,
    pub(super) workers: BTreeMap<String, RunningWorker>,
    pub(super) mirrors: BTreeMap<String, RunningMirror>,
}

#[derive(Debug)]
pub(super) struct RunningWorker {
    pub(super) config: WorkerConfig,
    tasks: TaskGroup,
}

#[derive(Debug)]
pub(super) struct RunningMirror {
    pub(super) options: MirrorOptions,
    status: watch::Receiver<Option<MirrorStatus>>,
    target: watch::Receiver<Option<Arc<dyn Target>>>,
    ensured: Option<EnsuredMirror>,
    tasks: TaskGroup,
}

#[derive(Debug)]
pub(super) struct NewMirror {
    options: MirrorOptions,
    service: MirrorService,
}

/// Those of the config's mirrors that `is_wanted` selects.
pub(super) fn new_mirrors(
    config: &Config,
    store: &Arc<dyn ConsumerLog>,
    refetch: &Refetch,
    is_wanted: impl Fn(&MirrorOptions) -> bool,
) -> Vec<NewMirror> {
    let running = config.destinations.iter().filter(|destination| destination.runs());
    let options = running.filter_map(|destination| destination.mirror_options(&config.sources));
    let new = |options: MirrorOptions| {
        let service = MirrorService::new(Arc::clone(store), options.clone());
        let service = service.reading_from(Arc::new(refetch.clone()));
        NewMirror { options, service }
    };
    options.filter(is_wanted).map(new).collect()
}

/// Opens their databases. Mistakes in the config are errors; a database that cannot be opened for
/// another reason is opened later.
pub(super) async fn open_mirrors(mirrors: &mut [NewMirror]) -> Result<(), StartError> {
    join_all(mirrors.iter_mut().map(open)).await.into_iter().collect()
}

async fn open(mirror: &mut NewMirror) -> Result<(), StartError> {
    match timeout(OPEN_MAX, mirror.service.open()).await {
        Ok(Err(source)) if source.is_options_error() => {
            Err(StartError::Mirror { destination: mirror.options.destination.clone(), source })
        }
        _ => Ok(()),
    }
}

impl NewMirror {
    /// The mirror as entities are looked for in it; `None` where its options make no sense, which was
    /// checked before.
    fn ensured(&self) -> Option<EnsuredMirror> {
        let Self { options, service } = self;
        let rows = Arc::new(RowReader::new(options).ok()?);
        let (target, progress) = (service.target(), service.progress());
        Some(EnsuredMirror { options: options.clone(), target, progress, rows })
    }
}

/// What looks for entities in these mirrors.
pub(super) fn ensure(
    mirrors: &[NewMirror],
    store: &Arc<dyn ConsumerLog>,
    readable: &[BackfillSource],
) -> Ensure {
    let mirrors = mirrors.iter().filter_map(NewMirror::ensured).collect();
    Ensure::new(Arc::clone(store), readable.to_vec(), mirrors)
}

pub(super) fn statuses(mirrors: &[NewMirror], store: &Arc<dyn ConsumerLog>) -> RunningMirrors {
    let mut running = RunningMirrors::new(Arc::clone(store));
    for NewMirror { options, service } in mirrors {
        running.add(&options.destination, service.status());
    }
    running
}

#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) config: &'a Config,
    pub(super) store: &'a Arc<dyn Store>,
    pub(super) log: &'a LogHandle,
    pub(super) refused: &'a Arc<RefusedRequests>,
    /// The sources whose objects Clerk's Backend API gives.
    pub(super) readable: &'a [BackfillSource],
}

impl Parts {
    pub(super) fn start(
        shared: Shared<'_>,
        delivering: Delivering,
        mirrors: Vec<NewMirror>,
        stopping: CancellationToken,
    ) -> Self {
        let (workers, running) = (BTreeMap::new(), BTreeMap::new());
        let common = TaskGroup::default();
        let mut parts = Self { stopping, common, workers, mirrors: running };
        parts.start_mirrors(mirrors);
        parts.start_common(shared, &delivering);
        parts.start_workers(delivering, shared.store);
        parts
    }

    pub(super) fn start_mirrors(&mut self, mirrors: Vec<NewMirror>) {
        for mirror in mirrors {
            let ensured = mirror.ensured();
            let NewMirror { options, service } = mirror;
            let (status, target) = (service.status(), service.target());
            let name = options.destination.clone();
            let tasks = tasks::start_mirror(&name, service);
            self.mirrors.insert(name, RunningMirror { options, status, target, ensured, tasks });
        }
    }

    /// Starts the workers that do not run yet.
    pub(super) fn start_workers(&mut self, delivering: Delivering, store: &Arc<dyn Store>) {
        for (config, worker) in delivering.into_workers(store) {
            let name = config.name().to_owned();
            if self.workers.contains_key(&name) {
                continue;
            }
            let tasks = tasks::start_worker(&name, worker);
            self.workers.insert(name, RunningWorker { config, tasks });
        }
    }

    /// Starts what serves all destinations, as these are now.
    pub(super) fn start_common(&mut self, shared: Shared<'_>, delivering: &Delivering) {
        let Shared { config, store, log, refused, readable } = shared;
        let followed = self.mirrors.values().map(|mirror| FollowedMirror {
            options: mirror.options.clone(),
            target: mirror.target.clone(),
        });
        let every = config.alerts.reconcile.interval();
        let trust = TrustService::new(store.clone(), readable.to_vec(), followed.collect(), every);
        let shared_config = Arc::new(config.clone());
        let (log_id, names) = (store.log_id(), delivering.names());
        let consumed: Arc<dyn ConsumerLog> = store.clone();
        let running = Arc::new(self.running_mirrors(&consumed));
        let destinations = names.iter().map(|name| name.as_str().into()).collect();
        let sources = config.source_names();
        self.common = tasks::start_common(CommonTasks {
            store: Arc::clone(store),
            indexer: SubjectIndexer::new(store.clone()),
            pruner: Pruner::new(
                store.clone(),
                log_id,
                &config.store,
                names,
                self.pruned_for(config),
            ),
            alerts: Alerts::new(config, Arc::clone(store), log.clone(), running, destinations),
            refused: Arc::clone(refused),
            commands: CommandRunner::new(
                Arc::clone(&shared_config),
                store.clone(),
                delivering.replayer(store, sources),
                readable.to_vec(),
            ),
            router: delivering.router(store),
            endpoints: EndpointWatch::new(
                store.clone(),
                backend_api::watched_sources(&shared_config, readable),
                LOOK_EVERY,
            ),
            pull: MessagePull::new(
                store.clone(),
                backend_api::pulled_sources(&shared_config, readable),
                PULL_EVERY,
            ),
            trust,
        });
    }

    /// The mirrors that need the log: those that run, and paused ones, whose checkpoints are not known
    /// and which keep all of it.
    fn pruned_for(&self, config: &Config) -> Vec<pruner::Mirror> {
        let running = self.mirrors.values().map(|mirror| pruner::Mirror {
            target: mirror.target.clone(),
            options: mirror.options.clone(),
        });
        let paused = config.destinations.iter().filter(|destination| destination.is_paused);
        let paused = paused.filter_map(|one| one.mirror_options(&config.sources));
        let paused =
            paused.map(|options| pruner::Mirror { target: watch::channel(None).1, options });
        running.chain(paused).collect()
    }

    /// Tells handlers when the program begins to stop.
    pub(super) fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Stops what serves all destinations, to start it for others.
    pub(super) async fn stop_common(&mut self) {
        let stopped = std::mem::take(&mut self.common);
        stop_and_log([stopped]).await;
    }

    /// Stops these destinations at the same time: they give their claims and leases back.
    pub(super) async fn stop(&mut self, names: &[String]) {
        let mut stopping = Vec::new();
        for name in names {
            stopping.extend(self.workers.remove(name).map(|worker| worker.tasks));
            stopping.extend(self.mirrors.remove(name).map(|mirror| mirror.tasks));
        }
        stop_and_log(stopping).await;
    }

    pub(super) fn running_mirrors(&self, store: &Arc<dyn ConsumerLog>) -> RunningMirrors {
        let mut running = RunningMirrors::new(Arc::clone(store));
        for (name, mirror) in &self.mirrors {
            running.add(name, mirror.status.clone());
        }
        running
    }

    /// The mirrors as entities are looked for in them, in the order of the config.
    pub(super) fn ensured_mirrors(&self, config: &Config) -> Vec<EnsuredMirror> {
        let names = config.destinations.iter().map(|destination| &destination.name);
        let running = names.filter_map(|name| self.mirrors.get(name));
        running.filter_map(|mirror| mirror.ensured.clone()).collect()
    }

    /// Waits until one of the tasks has ended.
    pub(super) async fn ended(&mut self) {
        let workers = self.workers.values_mut().map(|worker| &mut worker.tasks);
        let mirrors = self.mirrors.values_mut().map(|mirror| &mut mirror.tasks);
        let groups = [&mut self.common].into_iter().chain(workers).chain(mirrors);
        select_all(groups.map(|group| Box::pin(group.ended()))).await;
    }

    /// The tasks that may write to the log, and the mirrors.
    pub(super) fn into_groups(self) -> (Vec<TaskGroup>, Vec<TaskGroup>) {
        self.stopping.cancel();
        let workers = self.workers.into_values().map(|worker| worker.tasks);
        let mirrors = self.mirrors.into_values().map(|mirror| mirror.tasks);
        ([self.common].into_iter().chain(workers).collect(), mirrors.collect())
    }
}

/// Stops these; that one had failed before is logged, and ends nothing else.
async fn stop_and_log(groups: impl IntoIterator<Item = TaskGroup>) {
    if let Err(error) = tasks::stop_all(groups).await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "a background task had failed");
    }
}
