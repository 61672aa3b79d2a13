//! What the database refuses: it waits for what may help, and is given up after a while.

use std::time::Duration;

use clerk_webhooks::UnixMillis;

use super::plan::{Task, Work};
use super::record::Record;
use crate::batch::{DeadLetter, reason_for_people};
use crate::entity::{Entity, Kind};
use crate::schema::Dialect;
use crate::session::{DatabaseError, Session};
use crate::value::Value;
use crate::version::{Rank, Version};

/// How long a row that conflicts with others is tried again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) dialect: Dialect,
    pub(crate) lasts: Duration,
}

impl Patience {
    /// The time by the database's clock, which all replicas share.
    pub(crate) async fn now(
        self,
        session: &mut dyn Session,
    ) -> Result<Option<UnixMillis>, DatabaseError> {
        let sql = format!("SELECT {}", self.dialect.now()).into();
        let row = session.fetch(&sql, &[], &[Kind::Time]).await?.pop();
        match row.and_then(|mut row| row.pop()) {
            Some(Value::Time(now)) => Ok(Some(now)),
            _ => Ok(None),
        }
    }

    pub(crate) fn is_over(self, since: UnixMillis, now: UnixMillis) -> bool {
        let waited = now.as_millis().saturating_sub(since.as_millis());
        u128::try_from(waited).is_ok_and(|waited| waited >= self.lasts.as_millis())
    }
}

impl Record {
    /// Notes a refusal; whether that is the end of it.
    pub(super) fn refuse(
        &mut self,
        now: Option<UnixMillis>,
        patience: Patience,
        conflict: bool,
    ) -> bool {
        let now = now.unwrap_or(UnixMillis::MIN);
        let since = *self.parked_since.get_or_insert(now);
        self.given_up = !conflict || patience.is_over(since, now);
        self.given_up
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
        self.parked_since = None;
        self.given_up = false;
    }
}

impl Task {
    /// The entity that owns the key, if one does.
    pub(super) fn owner(&self) -> Option<&String> {
        match &self.work {
            Work::Remove { owner } => owner.as_ref(),
            Work::Write { owner, .. } | Work::Flag { owner, .. } => Some(owner),
        }
    }

    /// The entity that a refusal is put down to.
    pub(super) fn responsible(&self) -> &str {
        self.owner().or(self.before.as_ref()).map_or("", String::as_str)
    }
}

pub(super) fn letter(
    part: &str,
    entity: &'static Entity,
    record: &Record,
    reason: &str,
) -> DeadLetter {
    let version = record.version.clone().unwrap_or_else(|| {
        let (at, by) = record.end.clone().unwrap_or_default();
        Version { updated_at_ms: at, occurred_at_ms: at, rank: Rank::Deleted, message_id: by }
    });
    DeadLetter {
        source: record.source.clone(),
        message_id: version.message_id.clone(),
        event_type: record.event_type.clone(),
        part: part.to_owned(),
        entity: entity.name,
        id: Some(record.id.clone()),
        version,
        reason: reason_for_people(reason),
    }
}
