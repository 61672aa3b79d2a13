//! What the application's table should hold, computed from the records. Pure; knows no SQL.

use std::collections::{BTreeMap, BTreeSet};

use super::record::Record;

/// The earliest delete that ends an entity: its own or a parent's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gone {
    pub(super) occurred_at_ms: i64,
    pub(super) message_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeleteActionKind {
    Delete,
    Keep,
    Set,
}

/// The action for one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) key: String,
    /// The entity whose row is there now, as far as we have written it.
    pub(super) occupant: Option<String>,
    pub(super) action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// No row. `owner` is gone; `None` where no entity maps to the key any more.
    Remove { owner: Option<String> },
    /// A row with the values of `content`; `from` is the key that the entity's row has now, where it
    /// has to move: there is no other task for that key. `unflag`: it was set as deleted, and is not any more.
    Write { owner: String, content: String, from: Option<String>, unflag: bool },
    /// A row that is set as deleted, with the values of `content`. Without any, only a row that was
    /// there before us.
    Flag { owner: String, content: Option<String>, gone: Gone },
}

#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) tasks: Vec<Task>,
    /// The keys of what is done afterwards: another row leaves the key first.
    pub(super) deferred: BTreeSet<String>,
}

/// The tasks for these keys. `records` has every entity that maps to one of them or is shown there.
/// `defers`: what replaces a row that moves is left for later.
pub(super) fn plan(
    records: &BTreeMap<String, Record>,
    keys: &BTreeSet<String>,
    gone: impl Fn(&Record) -> Option<Gone>,
    delete_action: DeleteActionKind,
    defers: bool,
) -> Plan {
    let mut claimants: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    let mut shown: BTreeMap<&str, &Record> = BTreeMap::new();
    for record in records.values() {
        if let Some(key) = &record.key {
            claimants.entry(key).or_default().push(record);
        }
        if let Some(key) = &record.shown {
            shown.insert(key, record);
        }
    }
    let mut tasks = Vec::new();
    for key in keys {
        let occupant = shown.get(key.as_str()).copied();
        let claimants = claimants.get(key.as_str()).map(Vec::as_slice).unwrap_or_default();
        let Some(action) = action(key, occupant, claimants, &gone, delete_action) else { continue };
        let occupant = occupant.map(|record| record.id.clone());
        tasks.push(Task { key: key.clone(), occupant, action });
    }
    move_rows(tasks, defers)
}

fn action(
    key: &str,
    occupant: Option<&Record>,
    claimants: &[&Record],
    gone: impl Fn(&Record) -> Option<Gone>,
    delete_action: DeleteActionKind,
) -> Option<Action> {
    let Some(owner) = claimants.iter().max_by_key(|record| record.seniority()) else {
        return occupant.map(|_| Action::Remove { owner: None });
    };
    // The owner's values; while only its delete has arrived, those of the one before it.
    let versions = claimants.iter().filter(|record| record.version.is_some());
    let content = versions.max_by_key(|record| record.seniority()).map(|record| record.id.clone());
    let id = owner.id.clone();
    let gone = gone(owner);
    match gone {
        Some(_) if delete_action == DeleteActionKind::Delete => {
            Some(Action::Remove { owner: Some(id) })
        }
        // A row of ours whose values nobody has any more.
        Some(_) if content.is_none() && occupant.is_some() => {
            Some(Action::Remove { owner: Some(id) })
        }
        Some(gone) if delete_action == DeleteActionKind::Set => {
            Some(Action::Flag { owner: id, content, gone })
        }
        _ => {
            let from = owner.shown.clone().filter(|from| from != key);
            // A row that moves brings its flag along.
            let unflag = occupant.is_some_and(|occupant| occupant.flagged)
                || from.is_some() && owner.flagged;
            content.map(|content| Action::Write { owner: id, content, from, unflag })
        }
    }
}

/// A row is moved, and keeps what the application has in it, where its new key is empty, or will be
/// once another row has moved; otherwise its old one is removed and the new one written. A row that
/// is moved is not removed by itself, and nothing replaces it before: that would lose what the
/// application has in it.
fn move_rows(tasks: Vec<Task>, defers: bool) -> Plan {
    let Moves { keys, left, left_at_once } = Moves::among(&tasks, defers);
    let mut plan = Plan::default();
    for mut task in tasks {
        if left.contains(&task.key) {
            let is_of_the_move = matches!(task.action, Action::Remove { owner: None });
            if !is_of_the_move || !left_at_once.contains(&task.key) {
                plan.deferred.insert(task.key);
            }
            continue;
        }
        if let Action::Write { from, unflag, .. } = &mut task.action
            && !keys.contains(&task.key)
        {
            *from = None;
            *unflag &= task.occupant.is_some();
        }
        plan.tasks.push(task);
    }
    plan
}

/// The rows that move.
#[derive(Default)]
struct Moves {
    keys: BTreeSet<String>,
    /// The keys that they leave.
    left: BTreeSet<String>,
    /// Of these, those of rows whose new key is empty already.
    left_at_once: BTreeSet<String>,
}

impl Moves {
    fn among(tasks: &[Task], defers: bool) -> Self {
        let at: BTreeMap<&str, &Task> = tasks.iter().map(|task| (&*task.key, task)).collect();
        let may_move = |task: &&Task| {
            let Action::Write { owner, from: Some(from), .. } = &task.action else { return false };
            let leaves = at.get(from.as_str()).filter(|left| left.occupant.as_ref() == Some(owner));
            leaves
                .is_some_and(|left| defers || matches!(left.action, Action::Remove { owner: None }))
        };
        let mut waiting: Vec<_> = tasks.iter().filter(may_move).collect();
        let mut moves = Self::default();
        // One row after another, from the ends of chains; of rings none can be first.
        loop {
            let is_free =
                |task: &&Task| task.occupant.is_none() || defers && moves.left.contains(&task.key);
            let (free, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_free);
            if free.is_empty() {
                return moves;
            }
            for task in free {
                moves.keys.insert(task.key.clone());
                moves.left.extend(task.from().cloned());
                moves.left_at_once.extend(task.from().filter(|_| task.occupant.is_none()).cloned());
            }
            waiting = others;
        }
    }
}
