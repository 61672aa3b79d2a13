//! Events whose statements wait, and the later events of the same subject, which queue behind them.

use std::collections::{BTreeMap, BTreeSet};

use deskbell_store::Seq;

use super::prepared_statement::{PreparedStatement, StatementTargets, target_of};
use crate::batch::StatementRun;
use crate::db::{DatabaseError, DbSession, Param, Sql};
use crate::value::{Kind, Value};

/// An event whose statements wait.
#[derive(Debug)]
pub(super) struct WaitingEvent {
    pub(super) seq: Seq,
    message_id: String,
    event_type: String,
    /// The statement that waits; the event's others wait with it.
    part: String,
}

/// By entity and id, the events whose statements wait.
#[derive(Debug, Default)]
pub(super) struct StatementQueue {
    waiting: BTreeMap<(&'static str, String), Vec<WaitingEvent>>,
}

impl StatementQueue {
    /// `sql` takes ids, an entity and the destination.
    pub(super) async fn load(
        session: &mut dyn DbSession,
        sql: &Sql,
        destination: &str,
        subjects: &BTreeMap<&'static str, BTreeSet<&str>>,
    ) -> Result<Self, DatabaseError> {
        let mut queue = Self::default();
        let kinds = [Kind::Id, Kind::Integer, Kind::Id, Kind::Id, Kind::Id];
        for (entity, ids) in subjects {
            let ids: Vec<_> = ids.iter().copied().collect();
            let parameters = [Param::Texts(&ids), Param::Text(entity), Param::Text(destination)];
            for row in session.fetch(sql, &parameters, &kinds).await? {
                let Some((id, event)) = waiting_event(row) else { continue };
                queue.waiting.entry((entity, id)).or_default().push(event);
            }
        }
        Ok(queue)
    }

    /// The event that waits and that these runs, all of one event, must not overtake.
    pub(super) fn ahead_of(
        &self,
        targets: &StatementTargets,
        due: &[&StatementRun],
    ) -> Option<&WaitingEvent> {
        let first = due.first().filter(|first| !first.id.is_empty())?;
        let waiting = self.waiting.get(&(first.entity, first.id.clone()))?;
        let shares = |event: &&WaitingEvent| {
            let of_due = due.iter().filter_map(|run| target_of(targets, run));
            event.seq < first.seq && { of_due }.any(|target| event.runs(target))
        };
        waiting.iter().filter(shares).min_by_key(|event| event.seq)
    }

    /// The event of this run waits from now on.
    pub(super) fn wait(&mut self, run: &StatementRun, part: &str) {
        if run.id.is_empty() {
            return;
        }
        let event = WaitingEvent {
            seq: run.seq,
            message_id: run.version.message_id.clone(),
            event_type: run.event_type.clone(),
            part: part.to_owned(),
        };
        self.waiting.entry((run.entity, run.id.clone())).or_default().push(event);
    }

    /// Whether the event of this run waits.
    pub(super) fn has(&self, run: &StatementRun) -> bool {
        let waiting = self.waiting.get(&(run.entity, run.id.clone()));
        waiting.is_some_and(|waiting| waiting.iter().any(|event| event.seq == run.seq))
    }

    /// The event of this run waits no more.
    pub(super) fn leave(&mut self, run: &StatementRun) {
        if let Some(waiting) = self.waiting.get_mut(&(run.entity, run.id.clone())) {
            waiting.retain(|event| event.seq != run.seq);
        }
    }
}

impl WaitingEvent {
    fn runs(&self, target: &PreparedStatement) -> bool {
        target.name() == self.part || target.is_on(&self.event_type)
    }

    /// What an event that queues behind this one waits for.
    pub(super) fn reason(&self) -> String {
        let Self { message_id, event_type, .. } = self;
        format!("waits until the statements of {message_id} ({event_type}) have run")
    }
}

fn waiting_event(row: Vec<Value>) -> Option<(String, WaitingEvent)> {
    let row: [Value; 5] = row.try_into().ok()?;
    let [
        Value::Text(id),
        Value::Integer(seq),
        Value::Text(message_id),
        Value::Text(event_type),
        Value::Text(part),
    ] = row
    else {
        return None;
    };
    Some((id, WaitingEvent { seq: Seq::new(seq), message_id, event_type, part }))
}
