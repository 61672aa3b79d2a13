//! Opening a mirror: the options are checked, the database is looked at, then its tables are made.

use std::sync::Arc;

use crate::config::DatabaseConfig;
use crate::mapped::MappedTableError;
use crate::mapping::Mappings;
use crate::mirror::Mirror;
use crate::mirror_target::{ConnectError, Target, check_schema_name};
use crate::options::MirrorOptions;

/// Checks the config as far as that can be done without the database: names, and every expression.
///
/// # Errors
/// [`ConnectError`]: what makes no sense.
pub fn check(config: &DatabaseConfig) -> Result<(), ConnectError> {
    check_schema_name(&config.schema)?;
    Mappings::for_config(config)?;
    Ok(())
}

/// Checks the config against the database as it is, and changes nothing. Returns the application's
/// tables and statements that do not fit.
///
/// # Errors
/// [`ConnectError`]: the mirror's tables are not ours, or the database is away.
pub async fn check_live(options: &MirrorOptions) -> Result<Vec<MappedTableError>, ConnectError> {
    Mirror::check(options).await
}

/// Opens the mirror's database, checks that its tables are ours or not there, and makes what is
/// missing of them.
///
/// # Errors
/// [`ConnectError`]: the options make no sense, the database is somebody else's or newer than this
/// program, or it is away. Nothing was changed then.
pub async fn connect(options: &MirrorOptions) -> Result<Arc<dyn Target>, ConnectError> {
    Ok(Arc::new(Mirror::open(options).await?))
}
