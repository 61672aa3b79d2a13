//! What can be wrong with what `deskbell schema` is asked for.

use deskbell_sync::{ConnectError, MirrorOptions};
use miette::Diagnostic;

use crate::cli::exit;
use crate::config::{Config, nearest};

/// A command that could not be done.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(super) enum SchemaError {
    #[error("destination `{name}` not found")]
    NoSuchDestination {
        name: String,
        #[help]
        help: String,
    },
    #[error("no destination of type \"database\" is enabled")]
    NoDestination,
    #[error("cannot inspect the mirror of destination `{destination}`")]
    Mirror { destination: String, source: ConnectError },
}

impl SchemaError {
    /// That no destination was meant.
    pub(super) fn none(config: &Config, name: Option<&str>) -> Self {
        let Some(name) = name else { return Self::NoDestination };
        let known: Vec<_> = config.destinations.iter().map(|one| &*one.name).collect();
        let help = nearest::suggest(name, &known, "the destinations are");
        Self::NoSuchDestination { name: name.to_owned(), help }
    }

    /// That its database failed.
    pub(super) fn mirror(options: &MirrorOptions, source: ConnectError) -> exit::Failure {
        exit::Failure::failed(Self::Mirror { destination: options.destination.clone(), source })
    }
}
