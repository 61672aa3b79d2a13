//! A naive mirror: what the tables must hold, worked out from the set of all events at once. Shares
//! no code with the fold and knows no batches.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::{Rows, event, stored};
use deskbell_store::StoredEvent;

/// Something that happens in a small world, where collisions are the rule.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) message_id: String,
    pub(crate) at: i64,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Upsert { entity: &'static str, id: String, updated_at: UpdatedAt, parents: (u8, u8) },
    Delete { entity: &'static str, id: String },
    Unusable { entity: &'static str },
    Unknown,
}

/// The forms in which a payload may bear its version.
#[derive(Debug, Clone, Copy)]
pub(crate) enum UpdatedAt {
    Missing,
    Millis(i64),
    Seconds(i64),
    Iso(i64),
    Nonsense,
}

/// Times lie a second apart, so that each has all three forms; few, so that they collide.
const EPOCH_S: i64 = 1_700_000_000;

impl UpdatedAt {
    fn millis(self) -> Option<i64> {
        match self {
            Self::Missing | Self::Nonsense => None,
            Self::Millis(n) | Self::Seconds(n) | Self::Iso(n) => Some((EPOCH_S + n) * 1000),
        }
    }

    fn json(self) -> Value {
        match self {
            Self::Missing => Value::Null,
            Self::Nonsense => json!("a while ago"),
            Self::Millis(n) => json!((EPOCH_S + n) * 1000),
            Self::Seconds(n) => json!(EPOCH_S + n),
            Self::Iso(n) => json!(format!("2023-11-14T22:13:{:02}Z", 20 + n)),
        }
    }
}

const ENTITIES: [&str; 3] = ["user", "organization", "organization_membership"];

/// Up to `events_max` happenings with different message ids.
pub(crate) fn happenings(events_max: usize) -> impl Strategy<Value = Vec<Happening>> {
    let updated_at = prop_oneof![
        Just(UpdatedAt::Missing),
        Just(UpdatedAt::Nonsense),
        (0..4_i64).prop_map(UpdatedAt::Millis),
        (0..4_i64).prop_map(UpdatedAt::Seconds),
        (0..4_i64).prop_map(UpdatedAt::Iso),
    ];
    let id = prop_oneof![4 => (0..3_u8).prop_map(|n| n.to_string()), 1 => Just("é\u{1F600} '\"\\".to_owned())];
    let entity = prop::sample::select(&ENTITIES[..]);
    let upsert = (entity.clone(), id.clone(), updated_at, (0..3_u8, 0..3_u8)).prop_map(
        |(entity, id, updated_at, parents)| What::Upsert { entity, id, updated_at, parents },
    );
    let delete = (entity.clone(), id).prop_map(|(entity, id)| What::Delete { entity, id });
    let what = prop_oneof![
        8 => upsert,
        2 => delete,
        1 => entity.prop_map(|entity| What::Unusable { entity }),
        1 => Just(What::Unknown),
    ];
    prop::collection::vec((what, 0..4_i64, any::<u8>()), 1..events_max).prop_map(|all| {
        let number = |(index, (what, at, salt)): (usize, (What, i64, u8))| Happening {
            message_id: format!("msg_{salt:02x}{index}"),
            at: (EPOCH_S + at) * 1000,
            what,
        };
        all.into_iter().enumerate().map(number).collect()
    })
}

impl Happening {
    pub(crate) fn event(&self) -> StoredEvent {
        let prefix = |entity: &str| {
            if entity == ENTITIES[2] { "organizationMembership" } else { entity }.to_owned()
        };
        let (event_type, data) = match &self.what {
            What::Upsert { entity, id, updated_at, parents } => (
                prefix(entity) + if self.at % 2000 == 0 { ".created" } else { ".updated" },
                json!({
                    "id": id, "updated_at": updated_at.json(), "locale": self.message_id,
                    "slug": self.message_id, "role": self.message_id,
                    "organization": { "id": parents.0.to_string() },
                    "public_user_data": { "user_id": parents.1.to_string() },
                }),
            ),
            What::Delete { entity, id } => {
                (prefix(entity) + ".deleted", json!({ "id": id, "deleted": true }))
            }
            What::Unusable { entity } => (prefix(entity) + ".updated", json!({ "no": "id" })),
            What::Unknown => ("user.exploded".to_owned(), json!({ "id": "0" })),
        };
        if matches!(self.what, What::Unusable { .. }) && self.at % 2000 == 0 {
            return stored(
                &self.message_id,
                &event_type,
                self.at,
                "{\"type\":\"user.updated\",\"data\":[]}",
            );
        }
        event(&self.message_id, &event_type, self.at, &data)
    }
}

/// An entity's name and id.
type Key<'a> = (&'a str, &'a str);
/// An entity's time, the event's time, and the message id.
type Version<'a> = (i64, i64, &'a str);

/// The tables that these happenings must end in, each row down to what tells it from others.
pub(crate) fn expected(happenings: &[Happening]) -> BTreeMap<&'static str, Vec<Value>> {
    let mut tombstones: BTreeMap<Key<'_>, (i64, &str)> = BTreeMap::new();
    let mut newest: BTreeMap<Key<'_>, (Version<'_>, (u8, u8))> = BTreeMap::new();
    let mut dead_letters: Vec<Value> = Vec::new();
    for Happening { message_id, at, what } in happenings {
        match what {
            What::Delete { entity, id } => {
                let earliest = tombstones.entry((entity, id)).or_insert((*at, message_id));
                *earliest = (*earliest).min((*at, message_id));
            }
            What::Upsert { entity, id, updated_at, parents } => {
                let version = (updated_at.millis().unwrap_or(*at), *at, message_id.as_str());
                let newest = newest.entry((entity, id)).or_insert((version, *parents));
                *newest = (*newest).max((version, *parents));
            }
            What::Unusable { .. } => dead_letters.push(json!(message_id)),
            What::Unknown => {}
        }
    }
    dead_letters.sort_by_key(ToString::to_string);
    let gone = |entity: &str, id: &str| tombstones.keys().any(|key| *key == (entity, id));
    let mut tables: BTreeMap<&str, Vec<Value>> = BTreeMap::from([
        ("users", Vec::new()),
        ("organizations", Vec::new()),
        ("organization_memberships", Vec::new()),
        ("_suppressed", Vec::new()),
        ("_dead_letters", dead_letters),
    ]);
    for ((entity, id), (version, parents)) in &newest {
        let (organization, user) = (parents.0.to_string(), parents.1.to_string());
        let orphan =
            *entity == ENTITIES[2] && (gone("organization", &organization) || gone("user", &user));
        let table = match *entity {
            _ if gone(entity, id) => continue,
            _ if orphan => "_suppressed",
            "user" => "users",
            "organization" => "organizations",
            _ => "organization_memberships",
        };
        tables.get_mut(table).unwrap().push(json!([id, version]));
    }
    let stones =
        tombstones.iter().map(|((entity, id), (_, message_id))| json!([entity, id, message_id]));
    tables.insert("_tombstones", stones.collect());
    tables
}

/// The tables of a mirror, each row down to the same.
pub(crate) fn reduced(tables: &BTreeMap<&'static str, Rows>) -> BTreeMap<&'static str, Vec<Value>> {
    let reduce = |table: &str, row: &Map<String, Value>| match table {
        "_tombstones" => json!([row["entity"], row["id"], row["message_id"]]),
        "_dead_letters" => row["message_id"].clone(),
        _ => {
            json!([row["id"], [row["_updated_at_ms"], row["_occurred_at_ms"], row["_message_id"]]])
        }
    };
    let mut reduced = BTreeMap::new();
    for (table, rows) in tables {
        let mut rows: Vec<_> = rows.iter().map(|row| reduce(table, row)).collect();
        rows.sort_by_key(|row| row[0].to_string());
        if *table == "_dead_letters" || *table == "_tombstones" {
            rows.sort_by_key(ToString::to_string);
        }
        reduced.insert(*table, rows);
    }
    reduced
}

/// Whether each row's columns are those of its own version, and of no other.
pub(crate) fn rows_are_whole(tables: &BTreeMap<&'static str, Rows>) -> bool {
    let marks =
        [("users", "locale"), ("organizations", "slug"), ("organization_memberships", "role")];
    marks.iter().all(|(table, column)| {
        tables[table].iter().all(|row| {
            row[*column] == row["_message_id"] && row["raw"][*column] == row["_message_id"]
        })
    })
}
