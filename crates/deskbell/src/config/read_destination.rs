//! Reading a destination: which keys it has, by its type, and what is said of others.

use deskbell_config::{KEYS_HERE, Node, ReadError, keys_of, nearest};
use deskbell_delivery::DeliveryConfig;
use serde::Deserialize;

use super::destination::{DestinationConfig, DestinationType};

impl DestinationConfig {
    /// Reads one: its type first, which says what other keys it has.
    pub(super) fn read(node: Node<'_>) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Type {
            r#type: DestinationType,
        }

        let node = node.shared();
        let Type { r#type } = Type::deserialize(node)?;
        check(node, r#type)?;
        let mut read = Self::deserialize(node)?;
        read.kind = r#type.read(node)?;
        if read.kind.channel_config().is_some() {
            read.delivery = Some(DeliveryConfig::deserialize(node)?);
        }
        read.set_defaults();
        Ok(read)
    }
}

/// Refuses a key that this type does not have.
fn check(node: Node<'_>, kind: DestinationType) -> Result<(), ReadError> {
    let common = keys_of(|node| DestinationConfig::deserialize(node));
    let known = [&["type"], common, own_keys(kind), delivery_keys(kind)].concat();
    match node.keys().find(|(key, _)| !known.contains(key)) {
        Some((key, bytes)) => Err(ReadError::new(format!("unknown key `{key}`"), bytes)
            .with_help(help_for(key, kind, &known))),
        None => Ok(()),
    }
}

/// The keys that only this type has.
fn own_keys(kind: DestinationType) -> &'static [&'static str] {
    keys_of(|node| kind.read(node))
}

/// The keys that a destination of this type has for its deliveries.
fn delivery_keys(kind: DestinationType) -> &'static [&'static str] {
    match kind {
        DestinationType::Database => &[],
        _ => keys_of(|node| DeliveryConfig::deserialize(node)),
    }
}

fn help_for(key: &str, kind: DestinationType, known: &[&str]) -> String {
    let of_deliveries = delivery_keys(DestinationType::Http);
    if kind == DestinationType::Database && (key == "from" || of_deliveries.contains(&key)) {
        return format!(
            "a database is kept from every event, in the order of the log: `{key}` is a key of the \
             types that deliver events one by one"
        );
    }
    if key == "start" {
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
