//! A small world, where collisions are the rule: happenings of every entity, and their events.

use deskbell_store::StoredEvent;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::shapes::{ITEM, SHAPES, Shape};
use super::support::{event, stored};

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) struct Happening {
    pub(crate) message_id: String,
    pub(crate) at: i64,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Upsert(Upsert),
    Delete { shape: &'static Shape, id: String },
    Unusable { shape: &'static Shape },
    Unknown,
}

/// A version of an entity.
#[derive(Debug, Clone)]
pub(crate) struct Upsert {
    pub(crate) shape: &'static Shape,
    pub(crate) id: String,
    pub(crate) updated_at: UpdatedAt,
    pub(crate) parents: [Option<u8>; 2],
    /// Which of three elements its lists have.
    pub(crate) elements: [bool; 3],
    /// A subscription's items, the same one twice among them.
    pub(crate) items: Vec<(String, UpdatedAt)>,
    /// Chooses the event type, and in which form parents are named.
    salt: u8,
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
/// Stands in every code and text that must not be kept.
pub(crate) const SECRET: &str = "hush-hush";

impl UpdatedAt {
    pub(crate) fn millis(self) -> Option<i64> {
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

/// A happening's time as the tables show it.
pub(crate) fn shown(at: i64) -> Value {
    json!(format!("2023-11-14T22:13:{:02}.000Z", 20 + at / 1000 - EPOCH_S))
}

/// The shapes that one case is about: few, so that the same entities happen again and again.
fn company() -> impl Strategy<Value = Vec<&'static Shape>> {
    let all: Vec<&'static Shape> = SHAPES.iter().collect();
    let of = |names: &[&str]| {
        all.iter().copied().filter(|shape| names.contains(&shape.entity)).collect::<Vec<_>>()
    };
    let organized = of(&["user", "organization", "organization_membership"]);
    let parents = ["user", "organization", "organization_domain", "organization_invitation"];
    let within = of(&[&parents[..], &["session"]].concat());
    prop_oneof![
        2 => Just(organized),
        2 => Just(within),
        1 => Just(of(&["subscription", ITEM])),
        1 => Just(of(&["role", "permission", "user"])),
        3 => prop::sample::subsequence(all, 2..6),
    ]
}

fn updated_at() -> impl Strategy<Value = UpdatedAt> {
    prop_oneof![
        Just(UpdatedAt::Missing),
        Just(UpdatedAt::Nonsense),
        (0..4_i64).prop_map(UpdatedAt::Millis),
        (0..4_i64).prop_map(UpdatedAt::Seconds),
        (0..4_i64).prop_map(UpdatedAt::Iso),
    ]
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![4 => (0..3_u8).prop_map(|n| n.to_string()), 1 => Just("é\u{1F600} '\"\\".to_owned())]
}

fn what(company: Vec<&'static Shape>) -> impl Strategy<Value = What> {
    let deletable: Vec<_> =
        company.iter().copied().filter(|shape| shape.delete.is_some()).collect();
    let shape = prop::sample::select(company);
    let parent = || prop::option::weighted(0.8, 0..3_u8);
    let items = prop::collection::vec((id(), updated_at()), 0..3);
    let version =
        (id(), updated_at(), [parent(), parent()], any::<[bool; 3]>(), items, any::<u8>());
    let upsert = (shape.clone(), version).prop_map(|(shape, version)| {
        let (id, updated_at, parents, elements, items, salt) = version;
        What::Upsert(Upsert { shape, id, updated_at, parents, elements, items, salt })
    });
    let delete = if deletable.is_empty() {
        Just(What::Unknown).boxed()
    } else {
        let gone = (prop::sample::select(deletable), id());
        gone.prop_map(|(shape, id)| What::Delete { shape, id }).boxed()
    };
    prop_oneof![
        8 => upsert,
        2 => delete,
        1 => shape.prop_map(|shape| What::Unusable { shape }),
        1 => Just(What::Unknown),
    ]
}

/// Up to `events_max` happenings with different message ids.
pub(crate) fn happenings(events_max: usize) -> impl Strategy<Value = Vec<Happening>> {
    let several =
        move |company| prop::collection::vec((what(company), 0..4_i64, any::<u8>()), 1..events_max);
    company().prop_flat_map(several).prop_map(|all| {
        let number = |(index, (what, at, salt)): (usize, (What, i64, u8))| Happening {
            // In the order of bytes, which is not that of words.
            message_id: format!(
                "msg_{}{index}",
                ["a", "B", "b", "_", "-", "é"][usize::from(salt % 6)]
            ),
            at: (EPOCH_S + at) * 1000,
            what,
        };
        all.into_iter().enumerate().map(number).collect()
    })
}

impl Happening {
    pub(crate) fn event(&self) -> StoredEvent {
        let (event_type, data) = match &self.what {
            What::Upsert(upsert) => (upsert.event_type(), upsert.data(&self.message_id)),
            What::Delete { shape, id } => {
                (shape.delete.unwrap(), json!({ "id": id, "deleted": true }))
            }
            What::Unusable { shape } if self.at % 2000 == 0 => {
                let body = r#"{"type":"user.updated","data":[]}"#;
                return stored(&self.message_id, shape.upserts[0], self.at, body);
            }
            What::Unusable { shape } => (shape.upserts[0], json!({ "no": "id" })),
            What::Unknown => ("user.exploded", json!({ "id": "0" })),
        };
        event(&self.message_id, event_type, self.at, &data)
    }
}

impl Upsert {
    pub(crate) fn event_type(&self) -> &'static str {
        self.shape.upserts[usize::from(self.salt) % self.shape.upserts.len()]
    }

    fn data(&self, message_id: &str) -> Value {
        let mut data = json!({
            "id": self.id, "updated_at": self.updated_at.json(), self.shape.mark: message_id,
        });
        for (index, (parent, id)) in self.shape.parents.iter().zip(self.parents).enumerate() {
            let Some(id) = id else { continue };
            let (object, member) = parent.nested;
            if self.salt & (1 << index) == 0 {
                data[parent.column] = json!(id.to_string());
            } else {
                data[object] = json!({ member: id.to_string() });
            }
        }
        for list in self.shape.lists {
            let element = |n| json!({ "id": list.element(n), list.mark: message_id });
            let there = (0..3).filter(|n| self.elements[*n]).map(element);
            data[list.member] = there.collect();
        }
        match self.shape.entity {
            "subscription" => data["items"] = self.items(message_id),
            "email" | "sms" => {
                for member in ["body", "otp_code", "data", "body_plain", "message", "subject"] {
                    data[member] = json!(SECRET);
                }
            }
            _ => {}
        }
        data
    }

    /// Each with its place in the list, and no word of the subscription.
    fn items(&self, message_id: &str) -> Value {
        let items = self.items.iter().enumerate().map(|(index, (id, updated_at))| {
            json!({
                "id": id, "updated_at": updated_at.json(), "status": message_id,
                "plan": { "slug": index.to_string() },
            })
        });
        items.collect()
    }
}
