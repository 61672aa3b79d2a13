//! The mirrors that a command is about, and the sources whose objects Clerk's API gives.

use deskbell_sync::MirrorOptions;
use deskbell_trust::{BackfillRequest, BackfillSource, readable_entities};

use super::super::{exit, named};
use super::error::Error;
use crate::backend_api;
use crate::config::{Config, nearest};

/// The mirrors that a command is about, and where their objects are read.
pub(in crate::cli) struct Task {
    pub(in crate::cli) config: Config,
    pub(in crate::cli) sources: Vec<BackfillSource>,
    pub(in crate::cli) mirrors: Vec<MirrorOptions>,
    pub(in crate::cli) request: BackfillRequest,
}

impl Task {
    /// Refuses names that are unknown, and a config without a key or a mirror.
    pub(in crate::cli) fn new(
        request: BackfillRequest,
        config: Config,
    ) -> Result<Self, exit::Failure> {
        let known = readable_entities();
        let unknown = |name: &&String| !known.contains(&name.as_str());
        if let Some(name) = request.entities.iter().find(unknown) {
            let help = nearest::suggest(name, &known, "these can be");
            return Err(exit::Failure::usage(Error::Entity { name: name.clone(), help }));
        }
        for name in &request.destinations {
            named::mirror(name, &config)?;
        }
        let enabled = config.destinations.iter().filter(|one| one.enabled);
        let mirrors = enabled.filter_map(|one| one.mirror_options(&config.sources));
        let mirrors: Vec<_> = mirrors.filter(|one| request.names(&one.destination)).collect();
        if mirrors.is_empty() {
            return Err(exit::Failure::config(Error::NoMirror));
        }
        let sources = backend_api::sources(&config).map_err(Error::BackendApi);
        let sources = sources.map_err(exit::Failure::config)?;
        if sources.is_empty() {
            return Err(exit::Failure::config(Error::NoKey));
        }
        let task = Self { config, sources, mirrors, request };
        let is_read = |mirror: &&MirrorOptions| {
            task.sources.iter().any(|source| mirror.sources.contains_key(&source.name))
        };
        if let Some(mirror) = task.mirrors.iter().find(|mirror| !is_read(mirror)) {
            let destination = mirror.destination.clone();
            return Err(exit::Failure::config(Error::NoKeyFor { destination }));
        }
        Ok(task)
    }

    /// The mirrors whose objects come from this source: the first of their sources with a key.
    pub(in crate::cli) fn mirrors_of(
        &self,
        source: &BackfillSource,
    ) -> impl Iterator<Item = &MirrorOptions> {
        self.mirrors.iter().filter(|mirror| {
            let first = self.sources.iter().find(|one| mirror.sources.contains_key(&one.name));
            first.is_some_and(|first| first.name == source.name)
        })
    }
}
