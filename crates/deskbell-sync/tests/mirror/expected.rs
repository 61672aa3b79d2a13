//! A naive mirror: what the tables must hold, worked out from the set of all events at once. Shares
//! no code with the fold and knows no batches.

use std::collections::{BTreeMap, BTreeSet};

use deskbell_sync::OnDelete;
use serde_json::{Map, Value, json};

use super::model::{Happening, SECRET, Upsert, What, shown};
use super::shapes::{ITEM, List, SHAPES, Shape};
use super::support::Rows;

/// The tables of a mirror, each row down to what tells it from others.
pub(crate) type Tables = BTreeMap<&'static str, Vec<Value>>;
/// An entity's name and id.
type Key<'a> = (&'static str, &'a str);
/// An entity's time, the event's time, whether it is more than a creation, and the message id.
type Version<'a> = (i64, i64, u8, &'a str);

/// What a version says beside its mark.
struct State<'a> {
    version: Version<'a>,
    parents: Vec<Option<String>>,
    elements: [bool; 3],
    /// An item's plan and subscription.
    plan: Option<(Value, Value)>,
}

/// All that the happenings say, whatever came first.
#[derive(Default)]
struct Said<'a> {
    tombstones: BTreeMap<Key<'a>, (i64, &'a str)>,
    newest: BTreeMap<Key<'a>, State<'a>>,
    dead_letters: BTreeSet<&'a str>,
}

impl<'a> Said<'a> {
    fn by(happenings: &'a [Happening]) -> Self {
        let mut said = Self::default();
        for Happening { message_id, at, what } in happenings {
            match what {
                What::Delete { shape, id } => {
                    let key = (shape.entity, id.as_str());
                    let earliest = said.tombstones.entry(key).or_insert((*at, message_id));
                    *earliest = (*earliest).min((*at, message_id));
                }
                What::Upsert(upsert) => said.take(upsert, *at, message_id),
                What::Unusable { .. } => drop(said.dead_letters.insert(message_id)),
                What::Unknown => {}
            }
        }
        said
    }

    fn take(&mut self, upsert: &'a Upsert, at: i64, message_id: &'a str) {
        let rank = u8::from(!upsert.event_type().ends_with(".created"));
        let version = (upsert.updated_at.millis().unwrap_or(at), at, rank, message_id);
        let parents = upsert.shape.parents.iter().zip(upsert.parents);
        let parents = parents.map(|(_, id)| id.map(|id| id.to_string())).collect();
        let plan = (upsert.shape.entity == ITEM).then_some((Value::Null, Value::Null));
        let state = State { version, parents, elements: upsert.elements, plan };
        self.offer((upsert.shape.entity, &upsert.id), state);
        if upsert.shape.entity == "subscription" {
            for (index, (id, updated_at)) in upsert.items.iter().enumerate() {
                let version = (updated_at.millis().unwrap_or(at), at, rank, message_id);
                let plan = Some((json!(index.to_string()), json!(upsert.id)));
                let state = State { version, parents: Vec::new(), elements: [false; 3], plan };
                self.offer((ITEM, id), state);
            }
        }
    }

    /// Two of the same version are of one event: the later one in its list counts.
    fn offer(&mut self, key: Key<'a>, state: State<'a>) {
        match self.newest.get(&key) {
            Some(known) if known.version > state.version => {}
            _ => drop(self.newest.insert(key, state)),
        }
    }

    /// When this entity, or a parent of the state, went first.
    fn ends(&self, shape: &Shape, id: &str, state: &State<'_>) -> (Option<i64>, Option<i64>) {
        let gone = |entity, id: &str| self.tombstones.get(&(entity, id)).map(|(at, _)| *at);
        let parents = shape.parents.iter().zip(&state.parents);
        let of_parents = parents.filter_map(|(parent, id)| gone(parent.entity, id.as_deref()?));
        (gone(shape.entity, id), of_parents.min())
    }
}

/// The tables that these happenings must end in.
pub(crate) fn expected(happenings: &[Happening], on_delete: OnDelete) -> Tables {
    let said = Said::by(happenings);
    let mut tables: Tables = super::shapes::tables().map(|table| (table, Vec::new())).collect();
    let mut add = |table, row| tables.get_mut(table).unwrap().push(row);
    for ((entity, id), state) in &said.newest {
        let shape = SHAPES.iter().find(|shape| shape.entity == *entity).unwrap();
        let (own, parents) = said.ends(shape, id, state);
        let mut end = None;
        match on_delete {
            OnDelete::Delete if own.is_some() => continue,
            OnDelete::Delete if parents.is_some() => {
                add("_suppressed", json!([entity, id, state.version]));
                continue;
            }
            OnDelete::Delete => {}
            OnDelete::Mark => end = own.into_iter().chain(parents).min(),
        }
        let mark = state.version.3;
        let shown_end = end.map_or(Value::Null, shown);
        add(shape.table, json!([id, state.version, mark, state.parents, state.plan, shown_end]));
        for list in shape.lists {
            for element in (0..3).filter(|n| state.elements[*n]) {
                let element = list.element(element);
                let own = list.of.and_then(|of| said.tombstones.get(&(of, &*element)));
                let ends = own.map(|(at, _)| *at).into_iter().chain(end);
                match on_delete {
                    OnDelete::Delete if own.is_some() => {}
                    _ => {
                        let end = ends.min().map_or(Value::Null, shown);
                        add(list.table, json!([id, element, state.version, mark, end]));
                    }
                }
            }
        }
    }
    for ((entity, id), (at, message_id)) in &said.tombstones {
        add("_tombstones", json!([entity, id, shown(*at), message_id]));
    }
    for message_id in &said.dead_letters {
        add("_dead_letters", json!(message_id));
    }
    sorted(tables)
}

/// The tables of a mirror, reduced to the same; of several engines' dead letters, each once.
pub(crate) fn reduced(tables: &BTreeMap<&'static str, Rows>) -> Tables {
    let reduced = tables.iter().map(|(table, rows)| {
        let mut rows: Vec<_> = rows.iter().map(|row| reduce(table, row)).collect();
        rows.sort_by_key(ToString::to_string);
        if *table == "_dead_letters" {
            rows.dedup();
        }
        (*table, rows)
    });
    sorted(reduced.collect())
}

fn reduce(table: &str, row: &Map<String, Value>) -> Value {
    let version =
        || json!([row["_updated_at_ms"], row["_occurred_at_ms"], row["_rank"], row["_message_id"]]);
    match table {
        "_tombstones" => {
            return json!([row["entity"], row["id"], row["occurred_at"], row["message_id"]]);
        }
        "_dead_letters" => return row["message_id"].clone(),
        "_suppressed" => return json!([row["entity"], row["id"], version()]),
        _ => {}
    }
    let end = row.get("deleted_at").unwrap_or(&Value::Null);
    assert!(!row["raw"].to_string().contains(SECRET), "{table}: {row:?}");
    if let Some(shape) = SHAPES.iter().find(|shape| shape.table == table) {
        assert_eq!(row["raw"][shape.mark], row[shape.mark], "{table}");
        let parents: Vec<_> = shape.parents.iter().map(|parent| &row[parent.column]).collect();
        let plan = (shape.entity == ITEM).then(|| (&row["plan_slug"], &row["subscription_id"]));
        return json!([row["id"], version(), row[shape.mark], parents, plan, end]);
    }
    let mut lists = SHAPES.iter().flat_map(|shape| shape.lists);
    let List { holder, mark, .. } = lists.find(|list| list.table == table).unwrap();
    assert_eq!(row["raw"][*mark], row[*mark], "{table}");
    json!([row[*holder], row["id"], version(), row[*mark], end])
}

fn sorted(mut tables: Tables) -> Tables {
    for rows in tables.values_mut() {
        rows.sort_by_key(ToString::to_string);
    }
    tables
}
