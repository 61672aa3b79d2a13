//! Whether the destinations fit together, as far as that can be told without reaching them.

use std::collections::BTreeSet;

use deskbell_config::{Fault, NOTICE_TYPE, Step};
use deskbell_delivery::DeliveryConfig;

use super::{DestinationConfig, DestinationKind, database};
use crate::config::{self, Config, nearest};

/// Checks the destinations together, and against the sources and the store; gives warnings.
pub(in crate::config) fn check(config: &Config) -> Result<Vec<Fault>, Fault> {
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
        if let Some(delivery) = &destination.delivery {
            if let Some(channel) = destination.kind.channel_config() {
                channel.validate(delivery).map_err(|fault| fault.below(&place))?;
            }
            let own = delivery.validate().map_err(|fault| fault.below(&place))?;
            warnings.extend(own.into_iter().map(|fault| fault.below(&place)));
            check_alerts(config, destination, delivery, &at("events"))?;
        }
        if let DestinationKind::Database(database) = &destination.kind {
            let others = &config.destinations[..index];
            database::check(database, destination, config, others, &place, &mut warnings)?;
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
    let Some(number) = notice.filter(|_| !config::check::takes_alerts(&destination.kind)) else {
        return Ok(());
    };
    let kind = destination.kind.destination_type();
    let message = format!("a destination of type = \"{kind}\" takes no alerts");
    Err(Fault::at([at, &[Step::Index(number)]].concat(), message)
        .with_help(config::check::RECIPIENTS))
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
