//! Letting the application's statements go on, after they were held back.
//!
//! A mirror reads another log from its beginning, which versions make safe. Statements have no
//! versions that undo: whether those of another log's events have run, only a person can tell.

use std::collections::BTreeMap;

use crate::config::StatementConfig;
use crate::db::{Limits, Param};
use crate::mapping::{self, Mappings};
use crate::mirror_target::{ConnectError, check_schema_name, database};
use crate::options::MirrorOptions;
use crate::sql::Statements;

/// The event after which statements continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// At the log's first event: they run for all of it.
    Beginning,
    /// After the mirror's checkpoint: they do not run for earlier events.
    Now,
}

/// The titles of statements (the name, or where the config declares it and its first words), by
/// their identities.
#[must_use]
pub fn titles(statements: &[StatementConfig]) -> BTreeMap<String, String> {
    statements.iter().map(|one| (mapping::identity(one), mapping::title(one))).collect()
}

/// Lets the held statements of this destination go on, from its next start; from now, it forgets those
/// that are blocked and no longer in the config. Whether there were any.
///
/// # Errors
/// The options make no sense, or the database failed.
pub async fn resume(options: &MirrorOptions, from: From) -> Result<bool, ConnectError> {
    let MirrorOptions { database: config, destination, .. } = options;
    check_schema_name(&config.schema)?;
    let (schema, database) = (config.schema.as_str(), database(&config.url)?);
    let mappings = Mappings::for_config(config)?;
    let statements = Statements::new(database.dialect(), schema, destination, &mappings);
    let known: Vec<_> = mappings.statements().iter().map(|one| one.names().0).collect();
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    let is_now = from == From::Now;
    let from = match from {
        From::Beginning => "beginning",
        From::Now => "now",
    };
    let mut session = database.connect().await?;
    session.begin(schema, Limits::Unlimited).await?;
    let parameters = [Param::Text(destination), Param::Text(from)];
    let mut released = session.execute(&statements.release_statements, &parameters).await?;
    if is_now {
        let parameters = [Param::Texts(&known), Param::Text(destination)];
        released += session.execute(&statements.blocked.forget_former, &parameters).await?;
    }
    session.commit().await?;
    session.close().await?;
    Ok(released > 0)
}
