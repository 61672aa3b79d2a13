//! Reloading the config: what has changed is stopped and started again.

use std::sync::Arc;

use deskbell_server::Tls;
use deskbell_store::ConsumerLog;
use deskbell_sync::MirrorOptions;

use super::check::check_mirrors;
use super::parts::Shared;
use super::routes::AdminParts;
use super::running::Running;
use super::{StartError, parts, routes};
use crate::admin::EndpointsState;
use crate::backend_api;
use crate::config::{Config, SourceConfig};
use crate::delivering::{Delivering, WorkerConfig};
use crate::endpoints::Declared;
use crate::mirrored::Mirrored;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reloaded {
    /// The destinations that were started, stopped, or stopped and started again.
    pub(crate) destinations: Vec<String>,
    /// The keys whose new values need a restart.
    pub(crate) after_restart: Vec<&'static str>,
}

impl Running {
    /// Applies this config file. Only the destinations that changed are stopped, and finish what is in
    /// flight; events are accepted all the while.
    ///
    /// # Errors
    /// The config is invalid. The one before stays in use, whole.
    pub(super) async fn reload(&mut self, new: &Config) -> Result<Reloaded, StartError> {
        let (file_config, after_restart) = applicable(&self.file_config, new);
        let destinations = self.apply(file_config).await?;
        Ok(Reloaded { destinations, after_restart })
    }

    /// Applies what was declared through the admin API meanwhile.
    ///
    /// # Errors
    /// The store could not be read. What was in use stays in use.
    pub(super) async fn reload_declared(&mut self) -> Result<Reloaded, StartError> {
        let destinations = self.apply(self.file_config.clone()).await?;
        Ok(Reloaded { destinations, after_restart: Vec::new() })
    }

    /// The destinations that were started, stopped, or both.
    async fn apply(&mut self, file_config: Config) -> Result<Vec<String>, StartError> {
        let declared = Declared::read(&*self.store, &self.key).await?;
        let config = declared.applied_to(&file_config);
        let stopping = self.parts.stopping();
        let delivering = Delivering::new(&config, self.handlers.clone(), &stopping)?;
        check_mirrors(&config)?;
        let sources = routes::sources(&config.sources)?;
        let readable = backend_api::sources(&config)?;
        let admin = routes::admin(&config)?;
        let consumed: Arc<dyn ConsumerLog> = self.store.clone();
        let runs = |options: &MirrorOptions| {
            let running = self.parts.mirrors.get(&options.destination);
            running.is_some_and(|running| running.options == *options)
        };
        let mut mirrors =
            parts::new_mirrors(&config, &consumed, &self.refetch, |options| !runs(options));
        parts::open_mirrors(&mut mirrors).await?;
        delivering.register(&*self.store).await?;
        // From here on nothing fails.
        let changed = self.changed(&config, &delivering);
        // The router goes on while these finish what is in flight.
        self.parts.stop(&changed).await;
        self.parts.stop_common().await;
        let Self {
            store, log, refused, parts, ensure, refetch, key, minutes, applied, state, ..
        } = &mut *self;
        let shared = Shared { config: &config, store, log, refused, readable: &readable };
        let replayer = delivering.replayer(store, config.source_names());
        parts.start_mirrors(mirrors);
        parts.start_common(shared, &delivering);
        parts.start_workers(delivering, shared.store);
        refetch.replace(readable.clone());
        ensure.replace(readable.clone(), parts.ensured_mirrors(&config));
        let local = routes::local_admin(
            shared,
            AdminParts {
                replayer,
                statuses: parts.running_mirrors(&consumed),
                endpoints: EndpointsState::new(key.clone(), &declared, applied.clone()),
                minutes: Arc::clone(minutes),
            },
        );
        let mirrored = Mirrored::new(ensure.clone());
        let routers = routes::routers(shared, sources, admin, mirrored, local, state);
        self.listeners.replace(routers);
        reload_tls(self.tls.as_ref());
        (self.config, self.file_config) = (config, file_config);
        self.applied.set(declared.revision);
        Ok(changed)
    }

    /// The destinations that are new, changed or removed in this config.
    fn changed(&self, config: &Config, delivering: &Delivering) -> Vec<String> {
        let workers: Vec<&WorkerConfig> = delivering.worker_configs().collect();
        let running = config.destinations.iter().filter(|destination| destination.runs());
        let options = running.filter_map(|one| one.mirror_options(&config.sources));
        let mirrors: Vec<MirrorOptions> = options.collect();
        let mut changed = Vec::new();
        for (name, running) in &self.parts.workers {
            if !workers.contains(&&running.config) {
                changed.push(name.clone());
            }
        }
        for (name, running) in &self.parts.mirrors {
            if !mirrors.contains(&running.options) {
                changed.push(name.clone());
            }
        }
        let names = workers.iter().map(|worker| worker.name());
        let names = names.chain(mirrors.iter().map(|options| &*options.destination));
        let is_new = |name: &&str| {
            !self.parts.workers.contains_key(*name) && !self.parts.mirrors.contains_key(*name)
        };
        changed.extend(names.filter(is_new).map(str::to_owned));
        changed.sort();
        changed.dedup();
        changed
    }
}

/// Reads the files of a certificate now. A mistake in them is logged, and the one before stays in use.
pub(super) fn reload_tls(tls: Option<&Tls>) {
    if let Some(Err(error)) = tls.map(Tls::reload) {
        let error = &error as &dyn std::error::Error;
        tracing::error!(error, "cannot use the new certificate; the previous one stays in use");
    }
}

/// The new config without what needs a restart, and the keys that do.
fn applicable(old: &Config, new: &Config) -> (Config, Vec<&'static str>) {
    let mut config = new.clone();
    let mut after_restart = Vec::new();
    if new.server.listen != old.server.listen {
        after_restart.push("server.listen");
        config.server.listen = old.server.listen.clone();
    }
    if new.server.tls != old.server.tls {
        after_restart.push("server.tls");
        config.server.tls = old.server.tls.clone();
    }
    if new.server.admin_listen != old.server.admin_listen {
        after_restart.push("server.admin_listen");
        config.server.admin_listen = old.server.admin_listen.clone();
    }
    if new.endpoints.secret_key != old.endpoints.secret_key {
        after_restart.push("endpoints.secret_key");
        config.endpoints.secret_key = old.endpoints.secret_key.clone();
    }
    if new.store != old.store {
        after_restart.push("store");
        config.store = old.store.clone();
    }
    let paths = |sources: &[SourceConfig]| -> Vec<_> {
        sources.iter().map(|source| (source.name.clone(), source.path.clone())).collect()
    };
    if paths(&new.sources) != paths(&old.sources) {
        after_restart.push("source.path");
        config.sources = with_paths_of(&old.sources, &new.sources);
    }
    (config, after_restart)
}

/// The old sources at their old paths, with their other new keys.
fn with_paths_of(old: &[SourceConfig], new: &[SourceConfig]) -> Vec<SourceConfig> {
    let changed = |old: &SourceConfig| {
        let found = new.iter().find(|source| source.name == old.name).unwrap_or(old);
        SourceConfig { path: old.path.clone(), ..found.clone() }
    };
    old.iter().map(changed).collect()
}
