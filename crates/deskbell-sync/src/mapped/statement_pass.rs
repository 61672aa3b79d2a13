//! The statements of a batch, one event after another, each event once in effect.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use deskbell_store::Seq;

use super::prepared_statement::{PreparedStatement, StatementTargets, present, target_of};
use super::record::Record;
use super::statement_queue::StatementQueue;
use crate::batch::{DeadLetter, StatementRun, StatementRuns, shortened_reason};
use crate::db::{DatabaseError, DbSession, Param, Refusal, Sql, end_unit};
use crate::sql::Statements;
use crate::version::Version;

/// The state before a batch that decides whether statements run.
#[derive(Debug, Default)]
struct Preloaded {
    /// Entities that are gone.
    gone: HashSet<(&'static str, String)>,
    /// By statement and entity, the newest event that it has run for.
    newest: BTreeMap<(usize, String), Version>,
    queue: StatementQueue,
}

impl Preloaded {
    async fn load(
        session: &mut dyn DbSession,
        statements: &Statements,
        destination: &str,
        targets: &StatementTargets,
        work: &StatementRuns,
    ) -> Result<Self, DatabaseError> {
        let mut preloaded = Self::default();
        let mut by_entity: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
        for run in &work.runs {
            by_entity.entry(run.entity).or_default().insert(&run.id);
        }
        for (index, target) in present(targets) {
            let ids = work.runs.iter().filter(|run| run.statement == index);
            let ids: BTreeSet<_> = ids.map(|run| run.id.as_str()).collect();
            let ids: Vec<_> = ids.into_iter().collect();
            for record in target.records.fetch(session, &target.records.by_id, &ids).await? {
                if let Some(version) = record.version {
                    preloaded.newest.insert((index, record.id), version);
                }
            }
        }
        let Some(target) = targets.iter().flatten().next() else { return Ok(preloaded) };
        let waiting = &statements.waiting_statements;
        preloaded.queue = StatementQueue::load(session, waiting, destination, &by_entity).await?;
        for (entity, ids) in by_entity {
            let ids: Vec<_> = ids.into_iter().collect();
            for (id, _, _) in target.records.tombstones(session, entity, &ids).await? {
                preloaded.gone.insert((entity, id));
            }
        }
        Ok(preloaded)
    }
}

/// Notes in the checkpoint how far statements have run, ahead of it.
pub(crate) struct StatementMarker<'a> {
    pub(crate) sql: &'a Sql,
    /// The expected destination, log, seq and token.
    pub(crate) parameters: [Param<'a>; 4],
}

impl StatementMarker<'_> {
    pub(crate) async fn mark(
        &self,
        session: &mut dyn DbSession,
        seq: Seq,
    ) -> Result<(), DatabaseError> {
        let [destination, log, at, token] = self.parameters;
        let parameters = [Param::Integer(seq.get()), destination, log, at, token];
        session.execute(self.sql, &parameters).await.map(drop)
    }
}

/// The statements of a batch, one event after another.
pub(crate) struct StatementPass<'a> {
    targets: &'a StatementTargets,
    preloaded: Preloaded,
    /// The last event that they have run for; `None` holds them back.
    done_up_to: Option<Seq>,
    /// Some of an event's statements may have run before, without the others.
    again: bool,
    runs: &'a [StatementRun],
    ends: &'a [(Seq, &'static str, String)],
    /// By statement and entity, the newest event of this batch that it has run for.
    ran: BTreeMap<(usize, &'a str), &'a StatementRun>,
}

/// The result of one event's statements.
#[derive(Debug)]
pub(crate) enum StatementOutcome {
    Done,
    /// None of them has run.
    Refused(DeadLetter, Refusal),
    /// None was tried.
    Postponed(DeadLetter, Postponed),
}

/// Why an event's statements are not tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Postponed {
    /// Those of this earlier event of the subject wait.
    Behind(Seq),
    /// One of them is blocked, and they run together.
    Blocked,
}

impl<'a> StatementPass<'a> {
    /// Reads what decides whether they run; the batch's own tombstones must not be there yet.
    pub(crate) async fn load(
        session: &mut dyn DbSession,
        (statements, destination): (&Statements, &str),
        targets: &'a StatementTargets,
        work: &'a StatementRuns,
        done_up_to: Option<Seq>,
        again: bool,
    ) -> Result<Self, DatabaseError> {
        let preloaded = Preloaded::load(session, statements, destination, targets, work).await?;
        let (runs, ends) = (&*work.runs, &*work.ends);
        Ok(Self { targets, preloaded, done_up_to, again, runs, ends, ran: BTreeMap::new() })
    }

    /// Runs the statements of the next event that has any, of those that `takes` lets run. What is
    /// refused of one of them is undone for all of the event's. What is tried again waits while one of them
    /// is blocked that has passed the event: it would not run for it later. `None`: there is no event left.
    pub(crate) async fn run_next(
        &mut self,
        session: &mut dyn DbSession,
        marker: &StatementMarker<'_>,
        takes: impl Fn(&PreparedStatement) -> bool,
        blocked_at: impl Fn(usize) -> Option<Seq>,
    ) -> Result<Option<(Seq, StatementOutcome)>, DatabaseError> {
        let Some(done_up_to) = self.done_up_to else { return Ok(None) };
        while let Some(first) = self.runs.first() {
            let length = self.runs.iter().take_while(|run| run.seq == first.seq).count();
            let (event, later) = self.runs.split_at(length);
            self.runs = later;
            self.pass_ends(first.seq);
            let due = event.iter().filter(|run| run.seq > done_up_to && self.lets(run, &takes));
            let due: Vec<_> = due.collect();
            let is_withheld = |run: &StatementRun| {
                blocked_at(run.statement).is_some_and(|blocked_at| blocked_at >= run.seq)
            };
            if self.again && event.iter().any(is_withheld) {
                let Some(next) = due.first() else { continue };
                let letter =
                    dead_letter(self.targets, next, "waits for a statement that is blocked");
                let outcome = StatementOutcome::Postponed(letter, Postponed::Blocked);
                return Ok(Some((first.seq, outcome)));
            }
            if let Some(next) = due.first() {
                let outcome = self.run_unless_queued(session, marker, next, &due).await?;
                return Ok(Some((first.seq, outcome)));
            }
            if self.again {
                // It need not run any more.
                self.preloaded.queue.leave(first);
            }
        }
        Ok(None)
    }

    async fn run_unless_queued(
        &mut self,
        session: &mut dyn DbSession,
        marker: &StatementMarker<'_>,
        next: &'a StatementRun,
        due: &[&'a StatementRun],
    ) -> Result<StatementOutcome, DatabaseError> {
        if let Some(ahead) = self.preloaded.queue.ahead_of(self.targets, due) {
            let (seq, letter) = (ahead.seq, dead_letter(self.targets, next, &ahead.reason()));
            self.preloaded.queue.wait(next, &letter.part);
            return Ok(StatementOutcome::Postponed(letter, Postponed::Behind(seq)));
        }
        self.preloaded.queue.leave(next);
        if let Err((run, why)) = run_event(session, self.targets, due, marker).await? {
            let letter = dead_letter(self.targets, run, &why.reason);
            if why.may_pass() {
                self.preloaded.queue.wait(run, &letter.part);
            }
            return Ok(StatementOutcome::Refused(letter, why));
        }
        for run in due {
            let newest = (run.statement, run.id.clone());
            self.preloaded.newest.insert(newest, run.version.clone());
            self.ran.insert((run.statement, &run.id), run);
        }
        Ok(StatementOutcome::Done)
    }

    fn pass_ends(&mut self, before: Seq) {
        while let Some(((seq, entity, id), later)) = self.ends.split_first()
            && *seq < before
        {
            self.preloaded.gone.insert((entity, id.clone()));
            self.ends = later;
        }
    }

    fn lets(&self, run: &StatementRun, takes: impl Fn(&PreparedStatement) -> bool) -> bool {
        let target = target_of(self.targets, run);
        let Some(target) = target.filter(|target| takes(target)) else { return false };
        // What waits comes before a delete that has arrived since.
        let is_gone = !run.ends
            && self.preloaded.gone.contains(&(run.entity, run.id.clone()))
            && !self.preloaded.queue.has(run);
        let newest = self.preloaded.newest.get(&(run.statement, run.id.clone()));
        if self.again && newest == Some(&run.version) {
            return false;
        }
        let is_stale = newest.is_some_and(|newest| run.version < *newest);
        target.runs_when_stale() || !is_gone && !is_stale
    }

    /// Notes which events the statements have run for, where that is not done with each.
    pub(crate) async fn remember(&self, session: &mut dyn DbSession) -> Result<(), DatabaseError> {
        if session.commits_units() {
            return Ok(());
        }
        let ran: Vec<_> = self.ran.values().copied().collect();
        remember(session, self.targets, &ran).await
    }
}

/// Notes what these runs were for; of one statement and entity, the last one.
async fn remember(
    session: &mut dyn DbSession,
    targets: &StatementTargets,
    runs: &[&StatementRun],
) -> Result<(), DatabaseError> {
    for (index, target) in present(targets) {
        let of_target = runs.iter().filter(|run| run.statement == index);
        let records = of_target.map(|run| {
            let record = Record {
                version: Some(run.version.clone()),
                source: run.source.to_string(),
                event_type: run.event_type.clone(),
                ..Record::new(&run.id)
            };
            (&run.id, record)
        });
        let records: BTreeMap<_, _> = records.collect();
        target.records.write(session, records.values()).await?;
    }
    Ok(())
}

/// All statements of one event, or none of them. Where this is a transaction, the mark that they have
/// run and what they have run for are in it.
async fn run_event<'a>(
    session: &mut dyn DbSession,
    targets: &StatementTargets,
    due: &[&'a StatementRun],
    marker: &StatementMarker<'_>,
) -> Result<Result<(), (&'a StatementRun, Refusal)>, DatabaseError> {
    session.begin_unit().await?;
    let mut last = None;
    let mut done = Ok(());
    for run in due {
        let Some(target) = target_of(targets, run) else { continue };
        last = Some(*run);
        done = target.run(session, run).await.map(drop);
        if done.is_err() {
            break;
        }
    }
    if let (Ok(()), Some(run), true) = (&done, last, session.commits_units()) {
        done = match marker.mark(session, run.seq).await {
            Ok(()) => remember(session, targets, due).await,
            Err(error) => Err(error),
        };
    }
    let done = end_unit(session, done).await?;
    // What is refused only when it is to be kept is put down to the last one.
    Ok(match (done, last) {
        (Err(why), Some(run)) => Err((run, why)),
        _ => Ok(()),
    })
}

fn dead_letter(targets: &StatementTargets, run: &StatementRun, reason: &str) -> DeadLetter {
    let part = target_of(targets, run).map(|target| target.name().to_owned());
    DeadLetter {
        source: run.source.to_string(),
        message_id: run.version.message_id.clone(),
        event_type: run.event_type.clone(),
        part: part.unwrap_or_default(),
        entity: run.entity,
        id: Some(run.id.clone()).filter(|id| !id.is_empty()),
        version: run.version.clone(),
        reason: shortened_reason(reason),
    }
}
