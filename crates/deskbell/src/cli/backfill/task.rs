//! What is to be filled, and from where.

use deskbell_sync::MirrorOptions;
use deskbell_trust::{BackfillRequest, BackfillSource, readable_entities};

use super::super::{exit, named};
use super::error::Error;
use crate::backend_api;
use crate::config::{Config, nearest};

/// What is to be filled, and from where.
pub(super) struct Task {
    pub(super) config: Config,
    pub(super) sources: Vec<BackfillSource>,
    pub(super) mirrors: Vec<MirrorOptions>,
    pub(super) request: BackfillRequest,
}

impl Task {
    /// Refuses names that are unknown, and a config without a key or a mirror.
    pub(super) fn new(request: BackfillRequest, config: Config) -> Result<Self, exit::Failure> {
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
        Ok(Self { config, sources, mirrors, request })
    }
}
