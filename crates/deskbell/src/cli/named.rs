//! Destinations that a command names.

use deskbell_store::StoreError;
use deskbell_store::deliveries::{DestinationState, Destinations};
use deskbell_sync::MirrorOptions;
use miette::Diagnostic;

use super::exit;
use crate::config::{Config, DestinationConfig, DestinationType, nearest};

/// A name that is not one of those that are meant.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum NameError {
    #[error("destination `{name}` not found")]
    Unknown {
        name: String,
        #[help]
        help: String,
    },
    #[error("`{name}` is a destination of type \"database\", which has no deliveries")]
    #[diagnostic(help("run `deskbell rebuild {name}` to rebuild its mirror"))]
    Database { name: String },
    #[error("`{name}` is a destination of type \"{kind}\", expected type \"database\"")]
    #[diagnostic(help("name a destination with `type = \"database\"`"))]
    NoDatabase { name: String, kind: DestinationType },
    #[error("destination `{name}` has `enabled = false` in the config")]
    #[diagnostic(help("remove `enabled = false` and restart `deskbell serve`"))]
    NotEnabled { name: String },
}

/// The options of this destination's mirror. Refuses a name that is not in the config, or of another
/// type.
pub(super) fn mirror(name: &str, config: &Config) -> Result<MirrorOptions, exit::Failure> {
    let found = find(name, config).ok_or_else(|| unknown(name, config))?;
    found.mirror_options(&config.sources).ok_or_else(|| {
        let kind = found.kind.destination_type();
        exit::Failure::usage(NameError::NoDatabase { name: name.to_owned(), kind })
    })
}

/// Refuses a name that is neither in the config, as that of a destination that deliveries are made
/// to, nor in the store, as those of functions are.
pub(super) async fn require_delivered_to(
    name: &str,
    config: &Config,
    store: Option<&dyn Destinations>,
) -> Result<(), exit::Failure> {
    if let Some(found) = find(name, config) {
        return match found.delivery {
            Some(_) => Ok(()),
            None => Err(exit::Failure::usage(NameError::Database { name: name.to_owned() })),
        };
    }
    let registered = match store {
        Some(store) => store.destinations().await.map_err(exit::Failure::failed)?,
        None => Vec::new(),
    };
    if registered.iter().any(|state| *state.name == *name) {
        return Ok(());
    }
    Err(unknown(name, config))
}

/// As [`require_delivered_to`], and refuses one that the config does not start.
pub(super) async fn require_started(
    name: &str,
    config: &Config,
    store: &dyn Destinations,
) -> Result<(), exit::Failure> {
    require_delivered_to(name, config, Some(store)).await?;
    if find(name, config).is_some_and(|one| !one.enabled) {
        return Err(exit::Failure::usage(NameError::NotEnabled { name: name.to_owned() }));
    }
    Ok(())
}

/// Says which of these destinations are disabled, since deliveries to them wait; `None` for all
/// that the config starts.
pub(super) async fn warn_of_disabled(
    name: Option<&str>,
    config: &Config,
    store: &dyn Destinations,
) -> Result<(), StoreError> {
    let is_meant = |state: &DestinationState| match name {
        Some(name) => *state.name == *name,
        None => config.destinations.iter().any(|one| one.enabled && *one.name == *state.name),
    };
    for state in store.destinations().await? {
        if is_meant(&state) && state.health.disabled.is_some() {
            let name = &state.name;
            errln!(
                "{name} is disabled; its pending deliveries are kept until you run \
                 `deskbell destinations enable {name}`"
            );
        }
    }
    Ok(())
}

fn find<'a>(name: &str, config: &'a Config) -> Option<&'a DestinationConfig> {
    config.destinations.iter().find(|one| one.name == name)
}

/// That there is no such destination.
fn unknown(name: &str, config: &Config) -> exit::Failure {
    let known: Vec<_> = config.destinations.iter().map(|one| &*one.name).collect();
    let help = nearest::suggest(name, &known, "the destinations are");
    exit::Failure::usage(NameError::Unknown { name: name.to_owned(), help })
}
