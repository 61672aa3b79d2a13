//! The rows that a mirror must hold once every message of a world has arrived, in whatever order.
//!
//! Written by hand from the simulated entities' state, not from payloads, and without the code that is judged by it.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// A row's columns. Times are ISO-8601 text in UTC with milliseconds and `Z`, JSON columns are JSON, booleans are booleans.
pub type Row = BTreeMap<&'static str, Value>;

pub(crate) const USERS: &str = "users";
pub(crate) const ORGANIZATIONS: &str = "organizations";
pub(crate) const ORGANIZATION_MEMBERSHIPS: &str = "organization_memberships";
pub(crate) const ORGANIZATION_DOMAINS: &str = "organization_domains";
pub(crate) const ORGANIZATION_INVITATIONS: &str = "organization_invitations";
pub(crate) const INVITATIONS: &str = "invitations";
pub(crate) const SESSIONS: &str = "sessions";
pub(crate) const ROLES: &str = "roles";
pub(crate) const PERMISSIONS: &str = "permissions";
pub(crate) const WAITLIST_ENTRIES: &str = "waitlist_entries";
pub(crate) const SUBSCRIPTIONS: &str = "subscriptions";
pub(crate) const SUBSCRIPTION_ITEMS: &str = "subscription_items";
pub(crate) const PAYMENT_ATTEMPTS: &str = "payment_attempts";
pub(crate) const EMAILS: &str = "emails";
pub(crate) const SMS: &str = "sms";

/// The expected rows by table (named without prefix or schema) and id.
#[derive(Debug, Clone)]
pub struct Truth {
    tables: BTreeMap<&'static str, Table>,
}

#[derive(Debug, Clone, Default)]
struct Table {
    rows: BTreeMap<String, (Version, Row)>,
    deleted: HashSet<String>,
    /// Touched by a message of which nobody knows whether it arrived: any row is right, and none.
    unsettled: HashSet<String>,
}

/// What decides between two states of one entity: its own `updated_at`, the event's time, whether
/// it is more than the creation, the message id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub(crate) updated_at: i64,
    pub(crate) occurred_at: i64,
    pub(crate) is_change: bool,
    pub(crate) message_id: String,
}

/// What a message means for the mirrored tables.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    /// Nothing: the message is about something that is not mirrored.
    Nothing,
    /// The entity is as the row says, unless a greater version is known or it was deleted.
    Upsert { table: &'static str, id: String, version: Version, row: Row },
    /// The entity is gone for good, and these with it: their table and id.
    Delete { table: &'static str, id: String, dependants: Vec<(&'static str, String)> },
    /// The first is what the message is about, and the others are inside it.
    Several(Vec<Effect>),
}

impl Truth {
    /// The tables of the truth, with `id -> row` in each.
    pub fn tables(&self) -> impl Iterator<Item = (&'static str, BTreeMap<&str, &Row>)> {
        self.tables.iter().map(|(&name, table)| {
            (name, table.rows.iter().map(|(id, (_, row))| (id.as_str(), row)).collect())
        })
    }

    /// The row of an entity, if it is alive.
    #[must_use]
    pub fn row(&self, table: &str, id: &str) -> Option<&Row> {
        self.tables.get(table)?.rows.get(id).map(|(_, row)| row)
    }

    /// How many rows a table must have.
    #[must_use]
    pub fn count(&self, table: &str) -> usize {
        self.tables.get(table).map_or(0, |table| table.rows.len())
    }

    /// How many entities are left out, as nobody knows what must hold of them.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.tables.values().map(|table| table.unsettled.len()).sum()
    }

    /// Whether the entity is one that this truth can judge: alive or deleted, and not left out.
    #[must_use]
    pub fn knows(&self, table: &str, id: &str) -> bool {
        let known = |table: &Table| table.rows.contains_key(id) || table.deleted.contains(id);
        self.tables.get(table).is_some_and(known)
    }

    /// Leaves tables out that a mirror need not have.
    pub fn retain_tables(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.tables.retain(|name, _| keep(name));
    }

    pub(crate) fn empty() -> Self {
        let tables = [USERS, ORGANIZATIONS, ORGANIZATION_MEMBERSHIPS];
        Self { tables: tables.map(|name| (name, Table::default())).into() }
    }

    pub(crate) fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Nothing => {}
            Effect::Upsert { table, id, version, row } => self.upsert(table, id, version, row),
            Effect::Delete { table, id, dependants } => {
                self.delete(table, id);
                for (table, id) in dependants {
                    self.delete(table, id);
                }
            }
            Effect::Several(effects) => effects.into_iter().for_each(|effect| self.apply(effect)),
        }
    }

    /// Nobody knows whether the message arrived: neither the row nor its absence is wrong.
    pub(crate) fn unsettle(&mut self, effect: Effect) {
        let (table, id, dependants) = match effect {
            Effect::Nothing => return,
            Effect::Several(effects) => {
                return effects.into_iter().for_each(|effect| self.unsettle(effect));
            }
            Effect::Upsert { table, id, .. } => (table, id, Vec::new()),
            Effect::Delete { table, id, dependants } => (table, id, dependants),
        };
        self.tables.entry(table).or_default().unsettled.insert(id);
        for (table, id) in dependants {
            self.tables.entry(table).or_default().unsettled.insert(id);
        }
    }

    pub(crate) fn leave_out_unsettled(&mut self) {
        for table in self.tables.values_mut() {
            table.rows.retain(|id, _| !table.unsettled.contains(id));
            table.deleted.retain(|id| !table.unsettled.contains(id));
        }
    }

    fn upsert(&mut self, table: &'static str, id: String, version: Version, row: Row) {
        let table = self.tables.entry(table).or_default();
        if table.deleted.contains(&id) {
            return;
        }
        match table.rows.get_mut(&id) {
            Some((known, _)) if *known >= version => {}
            Some(current) => *current = (version, row),
            None => {
                table.rows.insert(id, (version, row));
            }
        }
    }

    fn delete(&mut self, table: &'static str, id: String) {
        let table = self.tables.entry(table).or_default();
        table.rows.remove(&id);
        table.deleted.insert(id);
    }
}

/// A time as a mirror shows it: `2026-01-01T00:00:00.000Z`.
pub(crate) fn time(at_ms: i64) -> Value {
    Timestamp::from_millisecond(at_ms)
        .map_or(Value::Null, |at| at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string().into())
}

pub(crate) fn time_or_null(at_ms: Option<i64>) -> Value {
    at_ms.map_or(Value::Null, time)
}

pub(crate) fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upsert(id: &str, updated_at: i64, occurred_at: i64, message_id: &str) -> Effect {
        let is_change = message_id != "created";
        let message_id = message_id.to_owned();
        let version =
            Version { updated_at, occurred_at, is_change, message_id: message_id.clone() };
        let row = Row::from([("id", id.into()), ("name", message_id.as_str().into())]);
        Effect::Upsert { table: USERS, id: id.to_owned(), version, row }
    }

    fn name(truth: &Truth) -> Option<&Value> {
        truth.row(USERS, "u").map(|row| &row["name"])
    }

    #[test]
    fn the_greater_version_stays_whichever_comes_last() {
        let mut truth = Truth::empty();
        for (effect, expected) in [
            (upsert("u", 5, 5, "b"), "b"),
            (upsert("u", 5, 5, "a"), "b"),
            (upsert("u", 5, 6, "a"), "a"),
            (upsert("u", 4, 9, "z"), "a"),
            (upsert("u", 6, 1, "c"), "c"),
            (upsert("u", 6, 1, "created"), "c"),
        ] {
            let shown = format!("{effect:?}");
            truth.apply(effect);
            assert_eq!(name(&truth), Some(&expected.into()), "after {shown}");
        }
    }

    #[test]
    fn a_delete_wins_over_every_version_and_takes_memberships_along() {
        let mut truth = Truth::empty();
        truth.apply(upsert("u", 5, 5, "a"));
        truth.apply(Effect::Delete {
            table: USERS,
            id: "u".to_owned(),
            dependants: vec![(ORGANIZATION_MEMBERSHIPS, "m".to_owned())],
        });
        truth.apply(upsert("u", 9, 9, "z"));
        assert_eq!(name(&truth), None);
        assert!(truth.tables[ORGANIZATION_MEMBERSHIPS].deleted.contains("m"));
    }

    #[test]
    fn times_have_milliseconds_and_z() {
        assert_eq!(time(1_654_012_591_514), "2022-05-31T15:56:31.514Z");
        assert_eq!(time(1_767_225_600_000), "2026-01-01T00:00:00.000Z");
        assert_eq!(time_or_null(None), Value::Null);
    }
}
