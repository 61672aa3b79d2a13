//! What can be checked of the destinations without their databases.

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
