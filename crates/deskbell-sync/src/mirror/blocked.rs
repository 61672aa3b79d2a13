//! Tables and statements that the database refuses whatever the row: they wait apart from the rest.

use deskbell_store::Seq;

use crate::batch::shortened_reason;
use crate::db::{DatabaseError, DbSession, Param, Refusal};
use crate::mirror_target::{Blocked, Part, PartKind};
use crate::sql::Statements;
use crate::value::{Kind, Value};

/// How long until a part that is blocked is tried again.
const RETRY_SECONDS: i64 = 30;

/// The parts of a destination that are blocked, as a transaction sees and changes them.
#[derive(Debug, Clone, Default)]
pub(super) struct BlockedParts {
    parts: Vec<Blocked>,
}

impl BlockedParts {
    pub(super) async fn load(
        session: &mut dyn DbSession,
        statements: &Statements,
        destination: &str,
    ) -> Result<Self, DatabaseError> {
        let kinds = [Kind::Id, Kind::Id, Kind::Integer, Kind::Time, Kind::Text, Kind::Boolean];
        let destination = [Param::Text(destination)];
        let rows = session.fetch(&statements.blocked.list, &destination, &kinds).await?;
        Ok(Self { parts: rows.into_iter().filter_map(blocked).collect() })
    }

    pub(super) fn into_parts(self) -> Vec<Blocked> {
        self.parts
    }

    /// Those that are blocked now and were not before.
    pub(super) fn since(&self, before: &Self) -> Vec<Blocked> {
        let new = |blocked: &&Blocked| !before.has(blocked.part.kind, &blocked.part.name);
        self.parts.iter().filter(new).cloned().collect()
    }

    /// The last event that was applied to a part, where it is blocked.
    pub(super) fn blocked_at(&self, kind: PartKind, name: &str) -> Option<Seq> {
        let part = self.parts.iter().find(|blocked| blocked.part.is(kind, name));
        part.map(|blocked| blocked.seq)
    }

    pub(super) fn has(&self, kind: PartKind, name: &str) -> bool {
        self.blocked_at(kind, name).is_some()
    }

    /// Blocks a part that has all events up to `seq`.
    pub(super) async fn block(
        &mut self,
        session: &mut dyn DbSession,
        statements: &Statements,
        destination: &str,
        blocked: Blocked,
    ) -> Result<(), DatabaseError> {
        let parameters = [
            Param::Text(destination),
            Param::Text(blocked.part.kind.as_str()),
            Param::Text(&blocked.part.name),
            Param::Integer(blocked.seq.get()),
            Param::Text(&blocked.reason),
            Param::Text(&blocked.cause),
            Param::Integer(RETRY_SECONDS),
        ];
        session.execute(&statements.blocked.insert, &parameters).await?;
        self.parts.push(blocked);
        Ok(())
    }

    pub(super) async fn postpone(
        session: &mut dyn DbSession,
        statements: &Statements,
        destination: &str,
        part: &Part,
        refusal: &Refusal,
    ) -> Result<(), DatabaseError> {
        let reason = shortened_reason(&refusal.to_string());
        let parameters = [
            Param::Text(destination),
            Param::Text(part.kind.as_str()),
            Param::Text(&part.name),
            Param::Text(&reason),
            Param::Text(&refusal.code),
            Param::Integer(RETRY_SECONDS),
        ];
        session.execute(&statements.blocked.postpone, &parameters).await.map(drop)
    }

    /// The part has all events up to `seq` by now; no longer blocked once that is all there are.
    pub(super) async fn advance(
        session: &mut dyn DbSession,
        statements: &Statements,
        destination: &str,
        part: &Part,
        seq: Seq,
        is_all: bool,
    ) -> Result<(), DatabaseError> {
        let of_part = [destination, part.kind.as_str(), &part.name].map(Param::Text);
        if is_all {
            return session.execute(&statements.blocked.remove, &of_part).await.map(drop);
        }
        let [destination, kind, name] = of_part;
        let parameters = [destination, kind, name, Param::Integer(seq.get())];
        session.execute(&statements.blocked.advance, &parameters).await.map(drop)
    }
}

fn blocked(row: Vec<Value>) -> Option<Blocked> {
    let row: [Value; 6] = row.try_into().ok()?;
    let [
        Value::Text(kind),
        Value::Text(name),
        Value::Integer(seq),
        since,
        Value::Text(reason),
        due,
    ] = row
    else {
        return None;
    };
    Some(Blocked {
        part: Part { kind: PartKind::of(&kind)?, name },
        seq: Seq::new(seq),
        since: since.time(),
        reason,
        cause: String::new(),
        is_due: due.is_true(),
    })
}
