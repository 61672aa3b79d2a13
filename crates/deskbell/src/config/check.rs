//! Whether the sections fit together, as far as that can be told without reaching anything.

use std::collections::{BTreeMap, BTreeSet};

use deskbell_config::{DatabaseUrl, Fault, NOTICE_TYPE, Step, nearest};
use deskbell_delivery::{ChannelConfig, DeliveryConfig};
use deskbell_server::SourceConfig;
use deskbell_sync::DatabaseConfig;

use super::destination::{DestinationConfig, DestinationKind};
use super::sections::Config;

/// Where an event log is in a PostgreSQL database.
const STORE_SCHEMA: &str = "deskbell";
/// Who can take alerts.
const RECIPIENTS: &str =
    "name a destination of type = \"email\", type = \"slack\" or type = \"http\"";

/// Checks each section, then all of them together; gives warnings. `left_out` are the names of
/// destinations that the file has and the config has not.
pub(super) fn check(config: &Config, left_out: &[&str]) -> Result<Vec<Fault>, Fault> {
    config.store.validate().map_err(|fault| fault.below(&[Step::Key("store")]))?;
    check_all_sources(&config.sources)?;
    config.alerts.validate().map_err(|fault| fault.below(&[Step::Key("alerts")]))?;
    config.endpoints.validate().map_err(|fault| fault.below(&[Step::Key("endpoints")]))?;
    for (number, name) in config.alerts.to.iter().enumerate() {
        if !left_out.contains(&&**name) {
            let at = vec![Step::Key("alerts"), Step::Key("to"), Step::Index(number)];
            check_recipient(config, name, at)?;
        }
    }
    check_destinations(config)
}

/// What is read from Clerk's Backend API needs the key of each source.
pub(super) fn check_refetch(config: &Config) -> Result<(), Fault> {
    for (index, destination) in config.destinations.iter().enumerate() {
        let DestinationKind::Database(database) = &destination.kind else { continue };
        if !database.refetch || !destination.enabled {
            continue;
        }
        let mut taken = config.sources.iter().filter(|source| destination.takes(source));
        let Some(source) = taken.find(|source| source.secret_key.is_none()) else { continue };
        let at = vec![Step::Key("destination"), Step::Index(index), Step::Key("refetch")];
        let message = format!(
            "`{}` reads what has changed from Clerk, and its source `{}` has no secret key",
            destination.name, source.name
        );
        let only = match &config.sources[..] {
            [_] => ", or export CLERK_SECRET_KEY=sk_…",
            _ => "",
        };
        return Err(Fault::at(at, message).with_help(format!(
            "set `secret_key` in the [[source]] `{}`{only}; without a key, leave `refetch` out",
            source.name
        )));
    }
    Ok(())
}

/// Whether the sources can be told apart.
fn check_all_sources(sources: &[SourceConfig]) -> Result<(), Fault> {
    let mut names = BTreeSet::new();
    let mut paths = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        let place = [Step::Key("source"), Step::Index(index)];
        let at = |key| [&place[..], &[Step::Key(key)]].concat();
        source.validate().map_err(|fault| fault.below(&place))?;
        if !names.insert(&source.name) {
            return Err(Fault::at(at("name"), format!("two sources are named `{}`", source.name))
                .with_help("events bear their source's name: give each one of its own"));
        }
        for (number, path) in source.path.iter().enumerate() {
            if let Some(other) = paths.insert(path, &source.name) {
                let message = format!("`{path}` is a path of the source `{other}` already");
                let place = [at("path"), vec![Step::Index(number)]].concat();
                return Err(Fault::at(place, message)
                    .with_help("give each source a path of its own, and its endpoint that URL"));
            }
        }
    }
    Ok(())
}

fn takes_alerts(kind: &DestinationKind) -> bool {
    kind.channel_config().is_some_and(ChannelConfig::takes_alerts)
}

fn check_recipient(config: &Config, name: &str, at: Vec<Step>) -> Result<(), Fault> {
    let Some(found) = config.destinations.iter().find(|one| one.name == name) else {
        let known: Vec<_> = config.destinations.iter().map(|one| &*one.name).collect();
        let help = nearest::suggest(name, &known, "the destinations are");
        return Err(Fault::at(at, format!("there is no destination `{name}`")).with_help(help));
    };
    if !takes_alerts(&found.kind) {
        let kind = found.kind.destination_type();
        let message = format!("`{name}` has type = \"{kind}\", which takes no alerts");
        return Err(Fault::at(at, message).with_help(RECIPIENTS));
    }
    if !found.enabled {
        return Err(Fault::at(at, format!("`{name}` has enabled = false"))
            .with_help("enable it, or take it from this list"));
    }
    Ok(())
}

fn check_destinations(config: &Config) -> Result<Vec<Fault>, Fault> {
    let mut warnings = Vec::new();
    let mut names = BTreeSet::new();
    for (index, destination) in config.destinations.iter().enumerate() {
        let place = [Step::Key("destination"), Step::Index(index)];
        let at = |key| [&place[..], &[Step::Key(key)]].concat();
        let name = &destination.name;
        if name.trim().is_empty() {
            return Err(Fault::at(at("name"), "a destination needs a name"));
        }
        if !names.insert(name) {
            return Err(Fault::at(at("name"), format!("two destinations are named `{name}`"))
                .with_help("checkpoints are kept by name: give each one of its own"));
        }
        check_sources(config, destination, &at("sources"))?;
        let own = destination.validate().map_err(|fault| fault.below(&place))?;
        warnings.extend(own.into_iter().map(|fault| fault.below(&place)));
        if let Some(delivery) = &destination.delivery {
            check_alerts(config, destination, delivery, &at("events"))?;
        }
        if let DestinationKind::Database(database) = &destination.kind {
            let others = &config.destinations[..index];
            check_database(database, destination, config, others)
                .map_err(|fault| fault.below(&place))?;
        }
    }
    Ok(warnings)
}

/// Whether what takes no event, or names alerts, can take alerts.
fn check_alerts(
    config: &Config,
    destination: &DestinationConfig,
    delivery: &DeliveryConfig,
    at: &[Step],
) -> Result<(), Fault> {
    let Some(events) = &delivery.events else { return Ok(()) };
    if events.is_empty() && !config.alerts.to.contains(&destination.name) {
        return Err(Fault::at(at.to_vec(), "this destination takes no event").with_help(
            "leave the key out for all events, or name the destination in [alerts] `to` if it is \
             for alerts alone",
        ));
    }
    let notice = events.iter().position(|event| event == NOTICE_TYPE);
    let Some(number) = notice.filter(|_| !takes_alerts(&destination.kind)) else { return Ok(()) };
    let kind = destination.kind.destination_type();
    let message = format!("a destination of type = \"{kind}\" takes no alerts");
    Err(Fault::at([at, &[Step::Index(number)]].concat(), message).with_help(RECIPIENTS))
}

fn check_sources(
    config: &Config,
    destination: &DestinationConfig,
    at: &[Step],
) -> Result<(), Fault> {
    let Some(wanted) = &destination.sources else { return Ok(()) };
    if wanted.is_empty() {
        return Err(Fault::at(at.to_vec(), "this destination takes events of no source")
            .with_help("leave the key out for all sources, or write enabled = false"));
    }
    let known: Vec<_> = config.sources.iter().map(|source| &*source.name).collect();
    for (number, name) in wanted.iter().enumerate() {
        if !known.contains(&&**name) {
            let help = nearest::suggest(name, &known, "the sources are");
            let place = [at, &[Step::Index(number)]].concat();
            return Err(Fault::at(place, format!("there is no source `{name}`")).with_help(help));
        }
    }
    Ok(())
}

/// Whether the database can be, beside the log and the destinations before it.
fn check_database(
    database: &DatabaseConfig,
    destination: &DestinationConfig,
    config: &Config,
    others: &[DestinationConfig],
) -> Result<(), Fault> {
    let at = |key| vec![Step::Key(key)];
    let in_the_store = database.url.is_same_database(&config.store.url);
    if in_the_store && matches!(database.url, DatabaseUrl::Sqlite(_)) {
        return Err(Fault::at(at("url"), "the mirror cannot be in the event log's file")
            .with_help("give it a file of its own, for example sqlite://clerk.db"));
    }
    if in_the_store && database.schema == STORE_SCHEMA {
        let message = "the event log is in this schema of the same database";
        return Err(Fault::at(at("schema"), message)
            .with_help("give the mirror another one, for example schema = \"clerk\""));
    }
    if !destination.enabled {
        return Ok(());
    }
    check_instances(database, destination, config)?;
    check_against(database, others)
}

/// A mirror has the rows of one Clerk instance: another one's deletes would take its rows away.
fn check_instances(
    database: &DatabaseConfig,
    destination: &DestinationConfig,
    config: &Config,
) -> Result<(), Fault> {
    if !database.mirror {
        return Ok(());
    }
    let taken = config.sources.iter().filter(|source| destination.takes(source));
    let mut known = taken.filter_map(|source| Some((source, source.instance_id.as_ref()?)));
    let Some((first, instance)) = known.next() else { return Ok(()) };
    let Some((other, _)) = known.find(|(_, other)| *other != instance) else { return Ok(()) };
    let message = format!(
        "the sources `{}` and `{}` are of different Clerk instances, and this mirror takes both",
        first.name, other.name
    );
    Err(Fault::at(vec![Step::Key("sources")], message).with_help(format!(
        "give each instance a destination of its own: sources = [\"{}\"], and another `schema` or \
         database for sources = [\"{}\"]",
        first.name, other.name
    )))
}

/// The tables of a mirror are one destination's: each keeps what it knows of the rows beside them.
fn check_against(database: &DatabaseConfig, others: &[DestinationConfig]) -> Result<(), Fault> {
    let is_in_the_same_tables = |other: &&DestinationConfig| match &other.kind {
        DestinationKind::Database(other_database) => {
            other.enabled && shares_tables(database, other_database)
        }
        _ => false,
    };
    let Some(other) = others.iter().find(is_in_the_same_tables) else { return Ok(()) };
    let message = format!("`{}` mirrors into the same tables", other.name);
    Err(Fault::at(vec![Step::Key("url")], message).with_help(
        "give one of them another `schema`, or mirror = false where it has only tables and \
         statements of yours",
    ))
}

fn shares_tables(one: &DatabaseConfig, other: &DatabaseConfig) -> bool {
    one.mirror && other.mirror && one.schema == other.schema && one.url.is_same_database(&other.url)
}
