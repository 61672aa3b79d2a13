//! What can be checked of the destinations before they are opened.

use tokio_util::sync::CancellationToken;

use super::StartError;
use crate::config::{Config, DestinationKind};
use crate::delivering::Delivering;

/// Checks the config's destinations as far as possible without their databases: names, and every
/// expression. Returns warnings.
///
/// # Errors
/// The first invalid destination, and why.
pub fn check_destinations(config: &Config) -> Result<Vec<String>, StartError> {
    check_mirrors(config)?;
    let delivering = Delivering::new(config, Vec::new(), &CancellationToken::new())?;
    Ok(delivering.warnings().to_vec())
}

/// Checks the enabled mirrors against their databases as they are, and changes nothing. Returns every
/// one that does not fit or cannot be reached.
pub async fn check_databases(config: &Config) -> Vec<StartError> {
    let mut errors = Vec::new();
    for destination in config.destinations.iter().filter(|destination| destination.enabled) {
        let Some(options) = destination.mirror_options(&config.sources) else { continue };
        let name = || destination.name.clone();
        match deskbell_sync::check_live(&options).await {
            Ok(unfit) => errors.extend(
                unfit
                    .into_iter()
                    .map(Box::new)
                    .map(|source| StartError::Unfit { destination: name(), source }),
            ),
            Err(source) => errors.push(StartError::Mirror { destination: name(), source }),
        }
    }
    errors
}

pub(super) fn check_mirrors(config: &Config) -> Result<(), StartError> {
    for destination in &config.destinations {
        let DestinationKind::Database(database) = &destination.kind else { continue };
        deskbell_sync::check(database).map_err(|source| StartError::Mirror {
            destination: destination.name.clone(),
            source,
        })?;
    }
    Ok(())
}
