//! Whether the sections fit together, as far as that can be told without reaching anything.

use std::collections::{BTreeMap, BTreeSet};

use deskbell_config::{Fault, Step, nearest};
use deskbell_delivery::ChannelConfig;
use deskbell_server::SourceConfig;

use super::Config;
use super::destination::{self, DestinationKind};

/// Who can take alerts.
pub(super) const RECIPIENTS: &str =
    "name a destination of type = \"email\", type = \"slack\" or type = \"http\"";

/// Checks each section, then all of them together; gives warnings. `left_out` are the names of
/// destinations that the file has and the config has not.
pub(super) fn check(config: &Config, left_out: &[&str]) -> Result<Vec<Fault>, Fault> {
    config.store.validate().map_err(|fault| fault.below(&[Step::Key("store")]))?;
    check_all_sources(&config.sources)?;
    config.alerts.validate().map_err(|fault| fault.below(&[Step::Key("alerts")]))?;
    for (number, name) in config.alerts.to.iter().enumerate() {
        if !left_out.contains(&&**name) {
            let at = vec![Step::Key("alerts"), Step::Key("to"), Step::Index(number)];
            check_recipient(config, name, at)?;
        }
    }
    destination::check(config)
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

pub(super) fn takes_alerts(kind: &DestinationKind) -> bool {
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
