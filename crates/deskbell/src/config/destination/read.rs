//! From a table of the file to a destination: its type first, which says what other keys it has.

use deskbell_config::{KEYS_HERE, Node, ReadError, keys_of, nearest};
use deskbell_delivery::DeliveryConfig;
use serde::Deserialize;

use super::{
    DestinationConfig, DestinationKind, DestinationType, EmailConfig, HttpConfig, LoopsConfig,
    SlackConfig, StartFrom, email, http, slack,
};

/// Where an email begins: its `from` is the sender.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StartKey {
    start: StartFrom,
}

/// The keys of every destination.
#[derive(Deserialize)]
struct CommonKeys {
    name: String,
    #[serde(rename = "type")]
    kind: DestinationType,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    sources: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TypeKey {
    #[serde(rename = "type")]
    kind: DestinationType,
}

fn yes() -> bool {
    true
}

/// Reads one destination.
pub(in crate::config) fn read(node: Node<'_>) -> Result<DestinationConfig, ReadError> {
    let node = node.shared();
    let TypeKey { kind } = TypeKey::deserialize(node)?;
    check_keys(node, kind)?;
    let common = CommonKeys::deserialize(node)?;
    let mut delivery = DeliveryConfig::deserialize(node)?;
    let kind = match common.kind {
        DestinationType::Database => DestinationKind::Database(Deserialize::deserialize(node)?),
        DestinationType::Http => DestinationKind::Http(Deserialize::deserialize(node)?),
        DestinationType::Email => DestinationKind::Email(EmailConfig::read(node, &mut delivery)?),
        DestinationType::Slack => DestinationKind::Slack(Deserialize::deserialize(node)?),
        DestinationType::Loops => DestinationKind::Loops(Deserialize::deserialize(node)?),
    };
    let from = match kind.destination_type() {
        DestinationType::Database => StartFrom::default(),
        DestinationType::Email => StartKey::deserialize(node)?.start,
        _ => kind.channel_config().map(ChannelConfig::start).unwrap_or_default(),
    };
    if let Some(channel) = kind.channel_config() {
        channel.set_defaults(&mut delivery);
    }
    delivery.ordering.get_or_insert_default();
    Ok(DestinationConfig {
        name: common.name,
        enabled: common.enabled,
        sources: common.sources,
        from,
        delivery: (common.kind != DestinationType::Database).then_some(delivery),
        kind,
    })
}

/// The keys that only this type has.
fn own_keys(kind: DestinationType) -> &'static [&'static str] {
    match kind {
        DestinationType::Database => keys_of(|node| super::DatabaseConfig::deserialize(node)),
        DestinationType::Http => keys_of(|node| HttpConfig::deserialize(node)),
        DestinationType::Email => keys_of(|node| email::EmailKeys::deserialize(node)),
        DestinationType::Slack => keys_of(|node| SlackConfig::deserialize(node)),
        DestinationType::Loops => keys_of(|node| LoopsConfig::deserialize(node)),
    }
}

/// The keys that a destination of this type has for its deliveries.
fn delivery_keys(kind: DestinationType) -> Vec<&'static str> {
    let start = match kind {
        DestinationType::Database => return Vec::new(),
        DestinationType::Email => keys_of(|node| StartKey::deserialize(node)),
        _ => &[],
    };
    [start, keys_of(|node| DeliveryConfig::deserialize(node))].concat()
}

/// Refuses a key that this type does not have.
fn check_keys(node: Node<'_>, kind: DestinationType) -> Result<(), ReadError> {
    let known = [
        keys_of(|node| CommonKeys::deserialize(node)),
        own_keys(kind),
        delivery_keys(kind).as_slice(),
    ]
    .concat();
    match node.keys().find(|(key, _)| !known.contains(key)) {
        Some((key, bytes)) => {
            let error = ReadError::new(format!("unknown key `{key}`"), bytes);
            Err(error.with_help(help_for(key, kind, &known)))
        }
        None => Ok(()),
    }
}

fn help_for(key: &str, kind: DestinationType, known: &[&str]) -> String {
    let is_email = kind == DestinationType::Email;
    if kind == DestinationType::Database
        && (key == "from" || keys_of(|node| DeliveryConfig::deserialize(node)).contains(&key))
    {
        return format!(
            "a database is kept from every event, in the order of the log: `{key}` is a key of the \
             types that deliver events one by one"
        );
    }
    if key == "start" && !is_email {
        return "where this type begins in the log is the key `from`".to_owned();
    }
    let others = DestinationType::ALL.into_iter().filter(|other| own_keys(*other).contains(&key));
    let others: Vec<_> = others.map(|other| format!("type = \"{other}\"")).collect();
    if others.is_empty() {
        return nearest::suggest(key, known, KEYS_HERE);
    }
    let listed = format!("known keys of type = \"{kind}\": {}", known.join(", "));
    format!("`{key}` is a key of {}; {listed}", others.join(" and "))
}
