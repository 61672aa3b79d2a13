//! Whether a database can be what the config asks for, as far as that can be told without it.

use deskbell_config::{Fault, Step};
use deskbell_sync::{ConnectError, Dialect, MirrorOptions, migration};

use super::DatabaseConfig;
use crate::config::destination::{DestinationConfig, DestinationKind};
use crate::config::{Config, DatabaseUrl, SourceConfig, statement, table};

/// Where an event log is in a PostgreSQL database.
const STORE_SCHEMA: &str = "deskbell";

/// Whether the database can be, beside the log and the destinations before it. `place` is the
/// destination's.
pub(in crate::config) fn check(
    database: &DatabaseConfig,
    destination: &DestinationConfig,
    config: &Config,
    others: &[DestinationConfig],
    place: &[Step],
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let url = [place, &[Step::Key("url")]].concat();
    let in_the_store = database.url.is_same_database(&config.store.url);
    if in_the_store && matches!(database.url, DatabaseUrl::Sqlite(_)) {
        return Err(Fault::at(url, "the mirror cannot be in the event log's file")
            .with_help("give it a file of its own, for example sqlite://clerk.db"));
    }
    if in_the_store && database.schema == STORE_SCHEMA {
        let schema = [place, &[Step::Key("schema")]].concat();
        return Err(Fault::at(schema, "the event log is in this schema of the same database")
            .with_help("give the mirror another one, for example schema = \"clerk\""));
    }
    check_mirror(database, place)?;
    table::check(&database.tables, place, warnings)?;
    statement::check(&database.statements, dialect(&database.url), place, warnings)?;
    if !destination.enabled {
        return Ok(());
    }
    check_instances(database, destination, config, place)?;
    check_against(database, others, place)
}

/// A mirror has the rows of one Clerk instance: another one's deletes would take its rows away.
fn check_instances(
    database: &DatabaseConfig,
    destination: &DestinationConfig,
    config: &Config,
    place: &[Step],
) -> Result<(), Fault> {
    let takes = |source: &&SourceConfig| {
        destination.sources.as_ref().is_none_or(|names| names.contains(&source.name))
    };
    if !database.mirror {
        return Ok(());
    }
    let taken = config.sources.iter().filter(takes);
    let mut known = taken.filter_map(|source| Some((source, source.instance_id.as_ref()?)));
    let Some((first, instance)) = known.next() else { return Ok(()) };
    let Some((other, _)) = known.find(|(_, other)| *other != instance) else { return Ok(()) };
    let message = format!(
        "the sources `{}` and `{}` are of different Clerk instances, and this mirror takes both",
        first.name, other.name
    );
    Err(Fault::at([place, &[Step::Key("sources")]].concat(), message).with_help(format!(
        "give each instance a destination of its own: sources = [\"{}\"], and another `schema` or \
         database for sources = [\"{}\"]",
        first.name, other.name
    )))
}

fn check_mirror(database: &DatabaseConfig, place: &[Step]) -> Result<(), Fault> {
    let at = |key| [place, &[Step::Key(key)]].concat();
    if !database.mirror && database.tables.is_empty() && database.statements.is_empty() {
        return Err(Fault::at(at("mirror"), "this destination would do nothing").with_help(
            "without a mirror it needs a [[destination.table]] or a [[destination.statement]]",
        ));
    }
    for (number, name) in database.entities.iter().flatten().enumerate() {
        table::check_entity(name, [at("entities"), vec![Step::Index(number)]].concat())?;
    }
    let options = MirrorOptions {
        schema: database.schema.clone(),
        exclude_columns: database.exclude_columns.clone().unwrap_or_default(),
        include_columns: database.include_columns.clone().unwrap_or_default(),
        ..MirrorOptions::default()
    };
    // What the tables are does not depend on where they are.
    match migration::from_nothing(Dialect::Sqlite, &options) {
        Ok(_) => Ok(()),
        Err(error @ ConnectError::SchemaName { .. }) => {
            Err(Fault::at(at("schema"), error.to_string()))
        }
        Err(error) => {
            let included = migration::from_nothing(
                Dialect::Sqlite,
                &MirrorOptions { exclude_columns: Vec::new(), ..options },
            );
            let key = if included.is_err() { "include_columns" } else { "exclude_columns" };
            Err(Fault::at(at(key), error.to_string()))
        }
    }
}

fn dialect(url: &DatabaseUrl) -> Dialect {
    match url {
        DatabaseUrl::Sqlite(_) => Dialect::Sqlite,
        DatabaseUrl::Postgres(_) => Dialect::Postgres,
    }
}

/// The tables of a mirror are one destination's: each keeps what it knows of the rows beside them.
fn check_against(
    database: &DatabaseConfig,
    others: &[DestinationConfig],
    place: &[Step],
) -> Result<(), Fault> {
    let is_in_the_same_tables = |other: &&DestinationConfig| match &other.kind {
        DestinationKind::Database(other_database) => {
            other.enabled && shares_tables(database, other_database)
        }
        _ => false,
    };
    let Some(other) = others.iter().find(is_in_the_same_tables) else { return Ok(()) };
    let message = format!("`{}` mirrors into the same tables", other.name);
    Err(Fault::at([place, &[Step::Key("url")]].concat(), message).with_help(
        "give one of them another `schema`, or mirror = false where it has only tables and \
         statements of yours",
    ))
}

fn shares_tables(one: &DatabaseConfig, other: &DatabaseConfig) -> bool {
    one.mirror && other.mirror && one.schema == other.schema && one.url.is_same_database(&other.url)
}
