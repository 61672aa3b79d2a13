//! Rows that the database refuses: they are retried for a while, then given up.

use std::time::Duration;

use clerk_webhooks::UnixMillis;
use deskbell_store::clock::whole_ms;

use super::plan::{Action, Task};
use super::record::Record;
use crate::batch::{DeadLetter, shortened_reason};
use crate::db::{DatabaseError, DbSession, Dialect, Refusal, RefusalKind};
use crate::entity::Entity;
use crate::value::{Kind, Value};
use crate::version::{Rank, Version};

/// The first wait before a row is tried again; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// A row that conflicts with others waits no longer than this between two tries.
const RETRY_MAX: Duration = Duration::from_secs(5 * 60);
/// What is never given up, a removal that is refused or a row whose parent is not there, waits no
/// longer than this between two tries.
const ENDLESS_RETRY_MAX: Duration = Duration::from_secs(60 * 60);

/// How long a row that conflicts with others is retried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConflictTimeout {
    pub(crate) dialect: Dialect,
    pub(crate) after: Duration,
}

impl ConflictTimeout {
    /// The time by the database's clock, which all replicas share.
    pub(crate) async fn now(
        self,
        session: &mut dyn DbSession,
    ) -> Result<UnixMillis, DatabaseError> {
        let sql = format!("SELECT {}", self.dialect.now()).into();
        let row = session.fetch(&sql, &[], &[Kind::Time]).await?.pop();
        match row.and_then(|mut row| row.pop()) {
            Some(Value::Time(now)) => Ok(now),
            _ => {
                Err(DatabaseError::Away(sqlx::Error::Protocol("the database tells no time".into())))
            }
        }
    }

    pub(crate) fn has_expired(self, since: UnixMillis, now: UnixMillis) -> bool {
        let waited = now.as_millis().saturating_sub(since.as_millis());
        u128::try_from(waited).is_ok_and(|waited| waited >= self.after.as_millis())
    }
}

/// A refusal, and what is known of its cause.
#[derive(Debug)]
pub(super) struct RefusedTask {
    pub(super) refusal: Refusal,
    /// A row is there that should not be.
    pub(super) removal: bool,
    pub(super) waits_for: Option<String>,
}

impl RefusedTask {
    /// This and another refusal of the same entity, as one. A removal is never given up, and what else is
    /// refused is tried along with it.
    pub(super) fn and(self, other: Self) -> Self {
        let (mut one, other) = if other.removal { (other, self) } else { (self, other) };
        if one.refusal.reason != other.refusal.reason {
            one.refusal.reason = format!("{}; {}", one.refusal.reason, other.refusal.reason);
        }
        one.waits_for = one.waits_for.or(other.waits_for);
        one
    }
}

impl Record {
    /// Notes a refusal; whether that is the end of it.
    pub(super) fn refuse(
        &mut self,
        now: UnixMillis,
        timeout: ConflictTimeout,
        why: &RefusedTask,
    ) -> bool {
        let since = *self.waiting_since.get_or_insert(now);
        let is_endless = why.removal || why.refusal.kind == RefusalKind::Missing;
        let may_pass = is_endless || why.refusal.may_pass();
        self.given_up = !may_pass || !is_endless && timeout.has_expired(since, now);
        self.reason = Some(shortened_reason(&why.refusal.reason));
        self.constraint.clone_from(&why.refusal.constraint);
        self.waits_for.clone_from(&why.waits_for);
        if self.given_up {
            self.retry_at = None;
            self.waits_for = None;
            return true;
        }
        let longest = if is_endless { ENDLESS_RETRY_MAX } else { RETRY_MAX };
        self.retry_at = Some(later(now, pause(self.tries, RETRY_FIRST, longest)));
        if !is_endless {
            // No later than its time ends.
            self.retry_at = self.retry_at.min(Some(later(since, timeout.after)).max(Some(now)));
        }
        self.tries = self.tries.saturating_add(1);
        false
    }

    /// Its row is there.
    pub(super) fn show(&mut self, key: &str, flagged: bool) {
        self.shown = Some(key.to_owned());
        self.flagged = flagged;
        self.settle();
    }

    /// Its row is not there any more.
    pub(super) fn hide(&mut self) {
        self.shown = None;
        self.flagged = false;
    }

    /// Nothing of it waits.
    pub(super) fn settle(&mut self) {
        self.waiting_since = None;
        self.given_up = false;
        self.retry_at = None;
        self.tries = 0;
        self.reason = None;
        self.constraint = None;
        self.waits_for = None;
    }

    /// Why it waits, as the database said.
    pub(super) fn last_refusal(&self) -> Refusal {
        Refusal {
            kind: RefusalKind::Conflict,
            code: String::new(),
            reason: self.reason.clone().unwrap_or_default(),
            constraint: self.constraint.clone(),
            table: None,
        }
    }
}

/// The wait after as many tries before: it doubles.
pub(crate) fn pause(tries: i64, first: Duration, longest: Duration) -> Duration {
    let doublings = u32::try_from(tries).unwrap_or(u32::MAX).min(30);
    first.saturating_mul(1 << doublings).min(longest)
}

pub(crate) fn later(than: UnixMillis, by: Duration) -> UnixMillis {
    let at = than.as_millis().saturating_add(whole_ms(by)).min(UnixMillis::MAX.as_millis());
    UnixMillis::from_millis(at).unwrap_or(UnixMillis::MAX)
}

impl Task {
    /// The entity that owns the key, if one does.
    pub(super) fn owner(&self) -> Option<&String> {
        match &self.action {
            Action::Remove { owner } => owner.as_ref(),
            Action::Write { owner, .. } | Action::Flag { owner, .. } => Some(owner),
        }
    }

    /// The entity that a refusal is put down to.
    pub(super) fn responsible(&self) -> &str {
        self.owner().or(self.occupant.as_ref()).map_or("", String::as_str)
    }

    /// The key under which the row is now, where it has to move.
    pub(super) fn from(&self) -> Option<&String> {
        if let Action::Write { from, .. } = &self.action { from.as_ref() } else { None }
    }

    pub(super) fn is_removal(&self) -> bool {
        matches!(self.action, Action::Remove { .. })
    }
}

/// The dead letter of a refusal: it names the refused event, the delete where a removal is refused.
pub(super) fn dead_letter(
    part: &str,
    entity: &'static Entity,
    record: &Record,
    why: &RefusedTask,
) -> DeadLetter {
    let deleted = || {
        let (at, by) = record.end.clone()?;
        let deleted =
            Version { updated_at_ms: at, occurred_at_ms: at, rank: Rank::Deleted, message_id: by };
        Some((deleted, entity.deleted_by.first().map_or("", |event_type| event_type)))
    };
    let changed = || Some((record.version.clone()?, record.event_type.as_str()));
    let found = if why.removal { deleted().or_else(changed) } else { changed().or_else(deleted) };
    let (version, event_type) = found.unwrap_or_else(|| {
        let (updated_at_ms, occurred_at_ms, rank) = (0, 0, Rank::Changed);
        (Version { updated_at_ms, occurred_at_ms, rank, message_id: String::new() }, "")
    });
    DeadLetter {
        source: record.source.clone(),
        message_id: record.message_of(&version),
        event_type: event_type.to_owned(),
        part: part.to_owned(),
        entity: entity.name,
        id: Some(record.id.clone()),
        version,
        reason: shortened_reason(&why.refusal.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let seconds = |tries, longest| pause(tries, RETRY_FIRST, longest).as_secs();
        assert_eq!([0, 1, 2, 8].map(|tries| seconds(tries, RETRY_MAX)), [1, 2, 4, 256]);
        assert_eq!(seconds(9, RETRY_MAX), 300);
        assert_eq!(seconds(i64::MAX, ENDLESS_RETRY_MAX), 3600);
    }
}
