//! What a database refuses of a batch: it is retried automatically where that may help, and a dead
//! letter where it does not.

use std::collections::HashMap;
use std::time::Duration;

use clerk_webhooks::UnixMillis;
use deskbell_store::Seq;

use crate::batch::DeadLetter;
use crate::db::{Cell, DatabaseError, DbSession, Param, Refusal};
use crate::mapped::{ConflictTimeout, Postponed, later, pause};
use crate::mirror_target::RetryRequest;
use crate::sql::Statements;
use crate::value::{Kind, Value};

/// The first pause before a row that conflicts is tried again, and the longest: it doubles.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(300);
/// Until something is tried again that waits for a blocked statement.
const BLOCKED_RETRY: Duration = Duration::from_secs(30);
/// The same of a delete, which is retried without end.
const DELETE_RETRY_FIRST: Duration = Duration::from_secs(5);
const DELETE_RETRY_MAX: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusedKind {
    /// The event itself: nothing can be made of it.
    Event,
    Row,
    /// The same, and it has waited for as long as it may.
    GivenUp,
    /// The row stays, and its tombstone is kept.
    Delete,
    /// A statement for the event with this seq.
    Statement {
        seq: Seq,
        /// Where it was not tried.
        postponed: Option<Postponed>,
    },
}

/// One refused unit of work.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) dead_letter: DeadLetter,
    pub(super) kind: RefusedKind,
    /// The database's answer; `None` where it was not asked.
    pub(super) refusal: Option<Refusal>,
}

/// The earlier tries of a unit of work.
#[derive(Debug, Clone, Copy)]
struct EarlierTry {
    /// `None`: it is a dead letter.
    since: Option<UnixMillis>,
    tries: i64,
}

/// The earlier tries of what is tried again.
#[derive(Debug, Default)]
pub(super) struct EarlierTries(HashMap<[String; 5], EarlierTry>);

impl EarlierTries {
    pub(super) async fn load(
        session: &mut dyn DbSession,
        statements: &Statements,
        destination: &str,
        requests: impl Iterator<Item = &RetryRequest>,
    ) -> Result<Self, DatabaseError> {
        let mut earlier = HashMap::new();
        let kinds = [Kind::Id, Kind::Id, Kind::Time, Kind::Integer];
        for RetryRequest { source, message_id, part } in requests {
            let parameters = [destination, source, message_id, part].map(Param::Text);
            for row in session.fetch(&statements.earlier_tries, &parameters, &kinds).await? {
                let Ok([Value::Text(entity), Value::Text(id), since, Value::Integer(tries)]) =
                    <[Value; 4]>::try_from(row)
                else {
                    continue;
                };
                let key = [source.clone(), message_id.clone(), part.clone(), entity, id];
                earlier.insert(key, EarlierTry { since: since.time(), tries });
            }
        }
        Ok(Self(earlier))
    }

    fn of(&self, letter: &DeadLetter) -> Option<EarlierTry> {
        let id = letter.id.clone().unwrap_or_default();
        let entity = letter.entity.to_owned();
        let (source, message_id) = (letter.source.clone(), letter.message_id.clone());
        self.0.get(&[source, message_id, letter.part.clone(), entity, id]).copied()
    }
}

/// When a refused unit of work is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Next {
    /// Since when it waits; `None`: it is not tried again by itself.
    since: Option<UnixMillis>,
    /// `None`: after what it queues behind.
    retry_at: Option<UnixMillis>,
    tries: i64,
}

impl Refused {
    /// Decides by the database's clock, which all replicas share.
    fn next(&self, earlier: Option<EarlierTry>, now: UnixMillis, timeout: ConflictTimeout) -> Next {
        let tries = earlier.map_or(0, |earlier| earlier.tries);
        let since = earlier.map_or(Some(now), |earlier| earlier.since);
        let may_pass = self.refusal.as_ref().is_some_and(Refusal::may_pass);
        let since = match self.kind {
            RefusedKind::Delete => Some(since.unwrap_or(now)),
            RefusedKind::Statement { postponed: Some(postponed), .. } => {
                let is_blocked = postponed == Postponed::Blocked;
                let retry_at = is_blocked.then(|| later(now, BLOCKED_RETRY));
                return Next { since: Some(since.unwrap_or(now)), retry_at, tries };
            }
            // A requested retry that is refused is a dead letter again.
            RefusedKind::Row | RefusedKind::Statement { .. } if may_pass => {
                // The time of what has queued begins with its own first try.
                let since = if tries == 0 { since.map(|_| now) } else { since };
                since.filter(|since| !timeout.has_expired(*since, now))
            }
            _ => None,
        };
        let (first, longest) = match self.kind {
            RefusedKind::Delete => (DELETE_RETRY_FIRST, DELETE_RETRY_MAX),
            _ => (RETRY_FIRST, RETRY_MAX),
        };
        let retry_at = later(now, pause(tries, first, longest));
        Next { since, retry_at: since.map(|_| retry_at), tries: tries.saturating_add(1) }
    }

    fn cells<'a>(&'a self, destination: &'a str, next: Next) -> Vec<Cell<'a>> {
        let Self { dead_letter: letter, kind, refusal } = self;
        let text = |text: Option<&'a str>| text.map_or(Cell::Null, Cell::Text);
        let time = |time: Option<UnixMillis>| time.map_or(Cell::Null, Cell::Time);
        let number = |seq: Option<Seq>| seq.map_or(Cell::Null, |seq| Cell::Integer(seq.get()));
        let (seq, behind) = match *kind {
            RefusedKind::Statement { seq, postponed: Some(Postponed::Behind(behind)) } => {
                (Some(seq), Some(behind))
            }
            RefusedKind::Statement { seq, .. } => (Some(seq), None),
            _ => (None, None),
        };
        let refusal = refusal.as_ref();
        vec![
            Cell::Text(destination),
            Cell::Text(&letter.source),
            Cell::Text(&letter.message_id),
            Cell::Text(&letter.event_type),
            Cell::Text(&letter.part),
            Cell::Text(letter.entity),
            Cell::Text(letter.id.as_deref().unwrap_or_default()),
            Cell::Text(&letter.reason),
            Cell::Integer(letter.version.updated_at_ms),
            Cell::Integer(letter.version.occurred_at_ms),
            Cell::Integer(letter.version.rank.stored()),
            Cell::Text(kind.as_str()),
            time(next.since),
            time(next.retry_at),
            Cell::Integer(next.tries),
            text(refusal.map(|refusal| &*refusal.code).filter(|code| !code.is_empty())),
            text(refusal.and_then(|refusal| refusal.constraint.as_deref())),
            text(refusal.and_then(|refusal| refusal.table.as_deref())),
            number(seq),
            number(behind),
        ]
    }
}

impl RefusedKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Row | Self::GivenUp => "row",
            Self::Delete => "delete",
            Self::Statement { .. } => "statement",
        }
    }
}

/// Stores what was refused; returns those that are dead letters now.
pub(super) async fn keep(
    session: &mut dyn DbSession,
    statements: &Statements,
    destination: &str,
    refused: Vec<Refused>,
    earlier: &EarlierTries,
    timeout: ConflictTimeout,
) -> Result<Vec<DeadLetter>, DatabaseError> {
    if refused.is_empty() {
        return Ok(Vec::new());
    }
    let now = timeout.now(session).await?;
    let next = refused.iter().map(|refused| {
        let earlier = earlier.of(&refused.dead_letter);
        refused.next(earlier, now, timeout)
    });
    let next: Vec<_> = next.collect();
    let rows = refused.iter().zip(&next).map(|(refused, next)| refused.cells(destination, *next));
    let rows: Vec<_> = rows.collect();
    session.bulk(&statements.dead_letter, &rows).await?;
    drop(rows);
    let dead = refused
        .into_iter()
        .zip(next)
        .filter(|(refused, next)| next.since.is_none() && refused.kind != RefusedKind::Event);
    Ok(dead.map(|(refused, _)| refused.dead_letter).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Dialect;
    use crate::version::{Rank, Version};

    fn at(seconds: i64) -> UnixMillis {
        UnixMillis::from_millis(seconds * 1000).unwrap()
    }

    #[test]
    fn what_has_queued_has_its_time_from_its_own_first_try() {
        let timeout = ConflictTimeout { dialect: Dialect::Sqlite, after: Duration::from_secs(60) };
        let version = Version {
            updated_at_ms: 1,
            occurred_at_ms: 1,
            rank: Rank::Changed,
            message_id: "msg_1".to_owned(),
        };
        let dead_letter = DeadLetter {
            source: "clerk".to_owned(),
            message_id: "msg_1".to_owned(),
            event_type: "user.updated".to_owned(),
            part: "note".to_owned(),
            entity: "user",
            id: None,
            version,
            reason: String::new(),
        };
        let refused = Refused {
            dead_letter,
            kind: RefusedKind::Statement { seq: Seq::new(1), postponed: None },
            refusal: Some(Refusal::missing("expect_rows", String::new())),
        };
        let next = |tries| {
            let earlier = EarlierTry { since: Some(at(0)), tries };
            refused.next(Some(earlier), at(100), timeout).since
        };
        assert_eq!([next(0), next(1)], [Some(at(100)), None]);
    }
}
