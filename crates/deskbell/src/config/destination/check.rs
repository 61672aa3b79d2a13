//! Whether the destinations fit together, as far as that can be told without reaching them.

use std::collections::BTreeSet;

use deskbell_config::{Fault, Step};
use deskbell_delivery::{DeliveryConfig, NOTICE_TYPE};
use deskbell_expr::Kind;

use super::{DestinationConfig, DestinationKind, database};
use crate::config::{Config, alerts, event_types, expression, nearest};

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
            check_events(config, destination, delivery, &at("events"), &mut warnings)?;
            check_when(delivery, at("when"), &mut warnings)?;
        }
        if let DestinationKind::Database(database) = &destination.kind {
            let others = &config.destinations[..index];
            database::check(database, destination, config, others, &place, &mut warnings)?;
        }
    }
    Ok(warnings)
}

fn check_events(
    config: &Config,
    destination: &DestinationConfig,
    delivery: &DeliveryConfig,
    at: &[Step],
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let Some(events) = &delivery.events else { return Ok(()) };
    if events.is_empty() && !config.alerts.to.contains(&destination.name) {
        return Err(Fault::at(at.to_vec(), "this destination takes no event").with_help(
            "leave the key out for all events, or name the destination in [alerts] `to` if it is \
             for alerts alone",
        ));
    }
    for (number, event_type) in events.iter().enumerate() {
        let at = [at, &[Step::Index(number)]].concat();
        if event_type == NOTICE_TYPE && !alerts::takes_alerts(&destination.kind) {
            let kind = destination.kind.destination_type();
            let message = format!("a destination of type = \"{kind}\" takes no alerts");
            return Err(Fault::at(at, message).with_help(alerts::RECIPIENTS));
        }
        event_types::check_delivered(event_type, at, warnings)?;
    }
    Ok(())
}

/// Compiles the condition, and tries it on a sample of every type of event that it is for.
fn check_when(
    delivery: &DeliveryConfig,
    at: Vec<Step>,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let Some(text) = &delivery.when else { return Ok(()) };
    let events = delivery.events.as_deref();
    let known = event_types::known_only(events);
    let expression = expression::check("the condition `when`", text, &known, at.clone(), warnings)?;
    let absent = expression::absent_root("the condition `when`", &expression, &known, at.clone());
    warnings.extend(absent);
    let checked = expression.check(&event_types::delivered(events));
    if let Some(kind) = checked.kinds.iter().find(|kind| **kind != Kind::Bool) {
        return Err(Fault::at(at, format!("the condition `when` gives {kind}"))
            .with_help("it must give true or false: compare the value with another"));
    }
    match checked.failures.first() {
        Some((event_type, error)) if checked.kinds.is_empty() => {
            let message = format!("the condition `when` fails on a sample of {event_type}");
            Err(Fault::at(at, message).with_help(error.to_string()))
        }
        _ => Ok(()),
    }
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
