//! What the application's table should hold, worked out from what is known. Pure; knows no SQL.

use std::collections::{BTreeMap, BTreeSet};

use super::record::Record;

/// The earliest delete that ends an entity: its own or a parent's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gone {
    pub(super) occurred_at_ms: i64,
    pub(super) message_id: String,
}

/// What `on_delete` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnEnd {
    Delete,
    Keep,
    Set,
}

/// What to do about one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub(super) key: String,
    /// The entity whose row is there now, as far as we have written it.
    pub(super) before: Option<String>,
    pub(super) work: Work,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    /// No row. `owner` is gone; `None` where no entity maps to the key any more.
    Remove { owner: Option<String> },
    /// A row with the values of `content`; `from` is the key that the entity's row has now, where it
    /// has to move: there is no other task for that key. `unflag`: it was set as deleted, and is not any more.
    Write { owner: String, content: String, from: Option<String>, unflag: bool },
    /// A row that is set as deleted, with the values of `content`. Without any, only a row that was
    /// there before us.
    Flag { owner: String, content: Option<String>, gone: Gone },
}

/// The tasks for these keys. `records` has every entity that maps to one of them or is shown there.
pub(super) fn plan(
    records: &BTreeMap<String, Record>,
    keys: &BTreeSet<String>,
    gone: impl Fn(&Record) -> Option<Gone>,
    on_end: OnEnd,
) -> Vec<Task> {
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
        let before = shown.get(key.as_str()).copied();
        let claimants = claimants.get(key.as_str()).map(Vec::as_slice).unwrap_or_default();
        let Some(work) = work(key, before, claimants, &gone, on_end) else { continue };
        let before = before.map(|record| record.id.clone());
        tasks.push(Task { key: key.clone(), before, work });
    }
    move_rows(&mut tasks);
    tasks
}

fn work(
    key: &str,
    before: Option<&Record>,
    claimants: &[&Record],
    gone: impl Fn(&Record) -> Option<Gone>,
    on_end: OnEnd,
) -> Option<Work> {
    let Some(owner) = claimants.iter().max_by_key(|record| record.seniority()) else {
        return before.map(|_| Work::Remove { owner: None });
    };
    // The owner's values; while only its delete has arrived, those of the one before it.
    let versions = claimants.iter().filter(|record| record.version.is_some());
    let content = versions.max_by_key(|record| record.seniority()).map(|record| record.id.clone());
    let id = owner.id.clone();
    let gone = gone(owner);
    match gone {
        Some(_) if on_end == OnEnd::Delete => Some(Work::Remove { owner: Some(id) }),
        // A row of ours whose values nobody has any more.
        Some(_) if content.is_none() && before.is_some() => Some(Work::Remove { owner: Some(id) }),
        Some(gone) if on_end == OnEnd::Set => Some(Work::Flag { owner: id, content, gone }),
        _ => {
            let from = owner.shown.clone().filter(|from| from != key);
            // A row that moves brings its flag along.
            let unflag =
                before.is_some_and(|before| before.flagged) || from.is_some() && owner.flagged;
            content.map(|content| Work::Write { owner: id, content, from, unflag })
        }
    }
}

/// A row is moved, and keeps what the application has in it, only where its old key is left empty
/// and its new one was empty; otherwise the old one is removed and the new one written. A row that is
/// moved is not removed by itself: that would take away what the application has in it where the move
/// comes later.
fn move_rows(tasks: &mut Vec<Task>) {
    let emptied = |task: &Task| {
        let is_left = matches!(task.work, Work::Remove { owner: None });
        task.before.clone().filter(|_| is_left).map(|owner| (task.key.clone(), owner))
    };
    let emptied: BTreeMap<String, String> = tasks.iter().filter_map(emptied).collect();
    let mut moved = BTreeSet::new();
    for task in tasks.iter_mut() {
        if let Work::Write { owner, from, unflag, .. } = &mut task.work {
            match from.as_ref().filter(|from| emptied.get(*from) == Some(owner)) {
                Some(from) if task.before.is_none() => {
                    moved.insert(from.clone());
                }
                _ => {
                    *from = None;
                    *unflag &= task.before.is_some();
                }
            }
        }
    }
    tasks.retain(|task| !moved.contains(&task.key));
}
