//! The mirror's tables as models and types of the application's language.

mod drizzle;
mod header;
mod kysely;
mod names;
mod prisma;
mod row_type;
mod tables;
mod typescript;

use crate::config::DatabaseConfig;
use crate::db::Dialect;
use crate::mapping::Mappings;
use crate::mirror_target::{ConnectError, check_schema_name};
use crate::schema;
use tables::ModelTables;

/// What the models are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFormat {
    /// Models of Prisma, with every column and table.
    Prisma,
    /// Tables of Drizzle.
    Drizzle,
    /// Interfaces of rows, as the drivers return them.
    Typescript,
    /// The interface `Database` of Kysely, of columns that can only be selected.
    Kysely,
}

/// The mirror's tables in this format, as the text of a file. `None` if nothing is mirrored.
///
/// # Errors
/// The config makes no sense.
pub fn models(
    format: ModelFormat,
    dialect: Dialect,
    config: &DatabaseConfig,
) -> Result<Option<String>, ConnectError> {
    check_schema_name(&config.schema)?;
    let all = schema::tables(&Mappings::for_config(config)?);
    let tables = ModelTables::new(dialect, &config.schema, &all);
    if tables.mirrored().next().is_none() {
        return Ok(None);
    }
    Ok(Some(match format {
        ModelFormat::Prisma => prisma::write(&tables),
        ModelFormat::Drizzle => drizzle::write(&tables),
        ModelFormat::Typescript => typescript::write(&tables),
        ModelFormat::Kysely => kysely::write(&tables),
    }))
}
