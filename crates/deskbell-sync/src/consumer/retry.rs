//! Retries beside following the log: of dead letters on request, of rows that wait, of blocked
//! parts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clerk_webhooks::UnixMillis;
use deskbell_store::{Seq, StoredEvent};

use super::error::SyncError;
use super::state::MirrorConsumer;
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::mirror_target::{
    Blocked, CatchUp, Commit, ErrorMode, LostRequest, Part, PartKind, Retry, RetryRequest,
    TargetError, Waiting,
};
use crate::refetch::Folded;
use crate::sql::REQUESTS_MAX;
use crate::status::BlockedPart;

/// How long rows at fault are isolated in one transaction. A batch that takes longer is cut, so
/// that the checkpoint moves in smaller steps, down to one event, which takes as long as it needs.
const ISOLATION_MAX: Duration = Duration::from_secs(10);

/// Added to the reason where the event cannot be read any more.
const LOST: &str = "(the log no longer has the event)";
/// The same where it came from no event.
const FETCHED: &str = "(it was read from Clerk's API: run `deskbell backfill` to try it again)";
/// Added to the reason where there is nothing to be tried.
const NOT_CONFIGURED: &str = "(the config no longer has this table or statement)";

/// The result of processing retries.
#[derive(Debug, Default)]
pub(super) struct Retried {
    pub(super) rows_written: u64,
    pub(super) dead_letters: u64,
    /// Not every request has been processed.
    pub(super) more: bool,
}

/// Events that a blocked part does not have.
struct Missed {
    /// The last of them.
    reached: Seq,
    events: u64,
    folded: Folded,
}

impl MirrorConsumer {
    /// Processes retries, where that was not done for a while: a log that never rests must not keep
    /// them waiting.
    pub(super) async fn process_retries_when_due(&mut self) -> Result<(), SyncError> {
        if self.retries_processed_at.elapsed() < self.poll_every {
            return Ok(());
        }
        let current = self.current_position().await?;
        self.process_retries(current.clone()).await?;
        if current.seq >= self.read_again_up_to {
            self.remake(current).await.map(drop)
        } else {
            Ok(())
        }
    }

    /// Retries what was requested, and what waits and is due. `current` is the target's checkpoint.
    pub(super) async fn process_retries(
        &mut self,
        current: Checkpoint,
    ) -> Result<Retried, SyncError> {
        let mut waiting = self.target.waiting(&self.destination).await?;
        self.retries_processed_at = Instant::now();
        self.note_waiting(&waiting);
        if !std::mem::replace(&mut self.former_reported, true) {
            self.report_former_statements(&waiting.blocked);
        }
        if current.statements.is_none() {
            // They are paused. This may be another log than the one that has the events.
            waiting.requests.retain(|request| !self.is_statement(&request.part));
        }
        let more = waiting.requests.len() > self.requests_max;
        waiting.requests.truncate(self.requests_max);
        let mut retried = Retried { more, ..Retried::default() };
        let mut due = waiting.blocked.iter().filter(|blocked| self.is_due(blocked, &current));
        let (due, another) = (due.next(), due.next().is_some());
        if waiting.requests.is_empty() && !waiting.is_due && due.is_none() {
            return Ok(retried);
        }
        // As with a batch: until it is known whether this took effect, nothing is.
        self.position = None;
        if !waiting.requests.is_empty() || waiting.is_due {
            let done = self.retry(waiting.requests, &current, &mut retried).await;
            // Several that each wait for somebody's lock take too long together.
            let is_too_much = matches!(done, Err(SyncError::Target(TargetError::OverBudget)));
            self.requests_max = match is_too_much {
                true => 1,
                false => self.requests_max.saturating_mul(2).min(REQUESTS_MAX),
            };
            done?;
        }
        if let Some(blocked) = due {
            self.catch_up(blocked, &current, &mut retried).await?;
            retried.more |= another;
        }
        self.position = Some(current);
        let waiting = self.target.waiting(&self.destination).await?;
        self.note_waiting(&waiting);
        if retried.more
            && let Some(due) = self.retries_processed_at.checked_sub(self.poll_every)
        {
            // Alternates with batches, as a busy log always has one.
            self.retries_processed_at = due;
        }
        Ok(retried)
    }

    /// Whether to try a blocked part now. One that has run for later events than the mirror has, whose log
    /// is read again, has time; a statement that is paused, or no longer in the config, is left alone.
    fn is_due(&self, Blocked { part, seq, is_due, .. }: &Blocked, current: &Checkpoint) -> bool {
        let may_run = part.kind != PartKind::Statement
            || current.statements.is_some() && self.is_statement(&part.name);
        *is_due && *seq <= current.seq && may_run
    }

    fn note_waiting(&self, waiting: &Waiting) {
        let mut parts: Vec<_> = waiting.blocked.iter().collect();
        parts.sort_by(|one, other| one.part.cmp(&other.part));
        let blocked = parts.into_iter().map(|blocked| BlockedPart {
            name: self.title(&blocked.part).to_owned(),
            seq: blocked.seq.get(),
            since_ms: blocked.since.map(UnixMillis::as_millis),
            reason: blocked.reason.clone(),
        });
        self.status.waits(waiting, blocked.collect());
    }

    async fn retry(
        &mut self,
        requests: Vec<RetryRequest>,
        current: &Checkpoint,
        retried: &mut Retried,
    ) -> Result<(), SyncError> {
        let retry = self.events_of(requests).await?;
        match self.target.retry(&retry, current).await? {
            Commit::Done { rows_written, refused, blocked } => {
                self.report_blocked(&blocked);
                let dead_letters = retry.batch.dead_letters.iter().chain(&refused);
                self.report_dead_letters(dead_letters.clone());
                retried.rows_written += rows_written;
                retried.dead_letters += u64::try_from(dead_letters.count()).unwrap_or(u64::MAX);
                Ok(())
            }
            Commit::Lost => Err(self.superseded()),
        }
    }

    /// Brings a part that was blocked on by one batch of the log, if the database takes it again.
    async fn catch_up(
        &mut self,
        blocked: &Blocked,
        current: &Checkpoint,
        retried: &mut Retried,
    ) -> Result<(), SyncError> {
        let part = &blocked.part;
        let mut missed = self.read_missed(blocked, current).await?;
        while self.is_costly(&missed.folded, missed.events) {
            self.cut(missed.events);
            missed = self.read_missed(blocked, current).await?;
        }
        let (events, reached) = (missed.events, missed.reached);
        let done = self.apply_missed(part, missed, current).await;
        match &done {
            Err(SyncError::Target(TargetError::OverBudget)) => self.cut(events),
            Err(_) => {}
            Ok(_) => self.grow(),
        }
        match done? {
            CatchUp::Advanced { rows_written, refused } => {
                self.report_dead_letters(refused.iter());
                retried.rows_written += rows_written;
                retried.dead_letters += u64::try_from(refused.len()).unwrap_or(u64::MAX);
                // There may be more of it, or of another part.
                retried.more = true;
                if reached >= current.seq {
                    self.report_unblocked(part);
                }
                Ok(())
            }
            CatchUp::StillBlocked => Ok(()),
            CatchUp::Lost => Err(self.superseded()),
        }
    }

    /// The next events of the log that a blocked part does not have.
    async fn read_missed(
        &self,
        Blocked { part, seq, .. }: &Blocked,
        current: &Checkpoint,
    ) -> Result<Missed, SyncError> {
        let mut events = if *seq < current.seq {
            self.store.read(*seq, self.limit()).await?
        } else {
            Vec::new()
        };
        events.retain(|event| event.seq <= current.seq);
        let reached = events.last().map_or(current.seq, |event| event.seq);
        let count = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let mut folded = self.fold(events).await?;
        folded.wanted.retain(|wanted| self.fills(wanted.entity, part));
        Ok(Missed { reached, events: count, folded })
    }

    /// Nothing is read for a part that is still blocked.
    async fn apply_missed(
        &mut self,
        part: &Part,
        Missed { reached, events, mut folded }: Missed,
        current: &Checkpoint,
    ) -> Result<CatchUp, SyncError> {
        if !folded.wanted.is_empty() {
            let batch = &folded.batch;
            if self.target.is_still_blocked(part, batch, current).await? {
                return Ok(CatchUp::StillBlocked);
            }
            self.refetch(&mut folded).await?;
        }
        let (batch, error_mode) = (&folded.batch, error_mode_for(events));
        Ok(self.target.catch_up(part, batch, reached, current, error_mode).await?)
    }

    /// Reads and folds the events of these requests.
    async fn events_of(&mut self, asked: Vec<RetryRequest>) -> Result<Retry, SyncError> {
        let (mut requests, mut lost) = (Vec::new(), Vec::new());
        let (mut for_rows, mut for_statements) = (BTreeMap::new(), BTreeMap::new());
        for request in asked {
            if !self.is_known(&request.part) {
                lost.push(LostRequest { request, reason: NOT_CONFIGURED });
                continue;
            }
            if request.message_id.is_empty() {
                lost.push(LostRequest { request, reason: FETCHED });
                continue;
            }
            match self.store.find(&request.source, &request.message_id).await? {
                None => lost.push(LostRequest { request, reason: LOST }),
                Some(event) if event.is_pruned() => {
                    lost.push(LostRequest { request, reason: LOST });
                }
                Some(event) if self.is_statement(&request.part) => {
                    // An event's statements run together, so that their dead letters are resolved
                    // together.
                    requests.extend(
                        self.statements.iter().map(|(name, _)| RetryRequest {
                            part: name.clone(),
                            ..request.clone()
                        }),
                    );
                    for_statements.insert(event.seq, event);
                }
                Some(event) => {
                    requests.push(request);
                    for_rows.insert(event.seq, event);
                }
            }
        }
        let in_order = |events: BTreeMap<_, StoredEvent>| events.into_values().collect();
        let mut folded = self.fold(in_order(for_rows)).await?;
        self.refetch(&mut folded).await?;
        let mut batch = folded.batch;
        let Folded { batch: of_statements, .. } = self.fold(in_order(for_statements)).await?;
        let Batch { statements, dead_letters, .. } = of_statements;
        batch.statements = statements;
        batch.dead_letters.retain(|letter| !self.is_statement(&letter.part));
        let of_statements = dead_letters.into_iter();
        batch.dead_letters.extend(of_statements.filter(|letter| self.is_statement(&letter.part)));
        Ok(Retry { requests, lost, batch })
    }

    /// Whether the config has what this is about.
    fn is_known(&self, part: &str) -> bool {
        let mappings = self.target.mappings();
        part.is_empty()
            || self.is_statement(part)
            || mappings.tables().iter().any(|table| table.name == part)
    }

    fn is_statement(&self, part: &str) -> bool {
        self.statements.iter().any(|(name, _)| name == part)
    }
}

/// How refusals in a batch of this many events are handled.
pub(super) fn error_mode_for(events: u64) -> ErrorMode {
    if events > 1 { ErrorMode::IsolateWithin(ISOLATION_MAX) } else { ErrorMode::Isolate }
}
