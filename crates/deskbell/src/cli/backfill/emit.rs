//! `deskbell backfill --emit`: events of what Clerk has, for chosen destinations.

use deskbell_trust::{BackfillRequest, BackfillSource, EmitRequest, emittable_types};
use miette::Diagnostic;

use super::super::clerk::error::Error as ClerkError;
use super::super::clerk::task::Task;
use super::super::{exit, named, store};
use crate::backend_api;
use crate::config::{Config, nearest};

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("no event of type `{event_type}` can be made of what Clerk has")]
    Type {
        event_type: String,
        #[help]
        help: String,
    },
    #[error("no source with a secret key is one that all of these destinations take")]
    #[diagnostic(help(
        "compare their `sources`, or run the command for one destination at a time"
    ))]
    NoSource,
}

/// What is asked for. Refuses types that cannot be made, and destinations without deliveries.
pub(super) async fn task(
    event_type: String,
    destinations: Vec<String>,
    config: Config,
) -> Result<Task, exit::Failure> {
    let known = emittable_types();
    if !known.contains(&&*event_type) {
        let help = nearest::suggest(&event_type, &known, "these can be");
        return Err(exit::Failure::usage(Error::Type { event_type, help }));
    }
    let store = store::to_read_if_there(&config).await?;
    for name in &destinations {
        named::require_delivered_to(name, &config, store.as_deref().map(|store| store as _))
            .await?;
    }
    if let Some(store) = store {
        store.close().await;
    }
    let sources = backend_api::sources(&config).map_err(ClerkError::BackendApi);
    let mut sources = sources.map_err(exit::Failure::config)?;
    if sources.is_empty() {
        return Err(exit::Failure::config(ClerkError::NoKey));
    }
    sources.retain(|source| is_taken(source, &destinations, &config));
    if sources.is_empty() {
        return Err(exit::Failure::usage(Error::NoSource));
    }
    let names = sources.iter().map(|source| source.name.clone()).collect();
    let emit = EmitRequest { event_type, sources: names, destinations };
    // A `serve` of a release that does not know `emit` finds no such entity, and does nothing.
    let entities = vec![emit.event_type.clone()];
    let request = BackfillRequest { entities, emit: Some(emit), ..BackfillRequest::default() };
    Ok(Task { config, sources, mirrors: Vec::new(), request })
}

/// Whether all of these destinations take events of the source.
fn is_taken(source: &BackfillSource, destinations: &[String], config: &Config) -> bool {
    destinations.iter().all(|name| {
        let found = config.destinations.iter().find(|destination| destination.name == *name);
        let sources = found.and_then(|destination| destination.sources.as_ref());
        sources.is_none_or(|names| names.contains(&source.name))
    })
}
