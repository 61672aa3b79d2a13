//! What there is to be read: each list once, for all mirrors that are equally far.

use super::mirror::BackfillMirror;
use super::state::{BackfillState, WalkState, WalkStatus};
use crate::readings::{self, Readable};

/// Which walks are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those that have never been done whole.
    Missing,
    /// All, those that are done from their beginning.
    All,
    /// All from their beginning.
    Again,
}

/// A list to be read, for these mirrors.
#[derive(Debug, Clone)]
pub(crate) struct PlannedWalk {
    pub(crate) readable: Readable,
    /// The indexes of the mirrors.
    pub(crate) mirrors: Vec<usize>,
    /// As far as all of them are.
    pub(crate) from: WalkState,
}

/// The walks for these mirrors; of these entities, or of all where there are none.
pub(crate) fn plan(
    mirrors: &[BackfillMirror],
    entities: &[String],
    scope: Scope,
    state: &BackfillState,
) -> Vec<PlannedWalk> {
    let mut walks: Vec<PlannedWalk> = Vec::new();
    for readable in readings::all() {
        let entity = readable.entity;
        if !entities.is_empty() && !entities.iter().any(|name| name == entity.name) {
            continue;
        }
        for (index, mirror) in mirrors.iter().enumerate() {
            if !mirror.takes(readable, entities) {
                continue;
            }
            let known = state.of(&mirror.destination, entity.name);
            if scope == Scope::Missing && known.is_some_and(|known| mirror.is_blocked_for(known)) {
                continue;
            }
            let Some(from) = from(known, scope) else { continue };
            let is_same = |walk: &&mut PlannedWalk| {
                walk.readable.entity == entity && walk.from.cursor == from.cursor
            };
            match walks.iter_mut().find(is_same) {
                Some(walk) => walk.mirrors.push(index),
                None => walks.push(PlannedWalk { readable, mirrors: vec![index], from }),
            }
        }
    }
    walks
}

/// Where to begin; `None` where there is nothing to be done.
fn from(known: Option<&WalkState>, scope: Scope) -> Option<WalkState> {
    let is_on_its_way =
        |known: &&WalkState| matches!(known.status, WalkStatus::Running | WalkStatus::Failed);
    match (scope, known) {
        (Scope::Missing, Some(known)) if known.status.is_settled() => None,
        (Scope::Missing | Scope::All, known) => {
            let known = known.filter(is_on_its_way).cloned();
            let known = known.unwrap_or_default();
            Some(WalkState { status: WalkStatus::Running, error: None, ..known })
        }
        (Scope::Again, _) => Some(WalkState::default()),
    }
}
