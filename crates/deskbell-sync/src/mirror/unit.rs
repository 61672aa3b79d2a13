//! The mirror's units of work, each one transaction; where a database checks some constraints at a
//! commit alone, one for each unit that it might refuse.

use std::time::Duration;

use deskbell_store::Seq;

use super::application::Application;
use super::apply::BatchWriter;
use super::blocked::BlockedParts;
use super::connection::OpenConnection;
use super::open::Mirror;
use super::refused::EarlierTries;
use super::remake_position::RemakePosition;
use super::streak::Streaks;
use super::{checkpoints, retry, sweep};
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::db::{DatabaseError, Limits, Refusal};
use crate::mirror_target::{CatchUp, Commit, Part, Remade, Rest, Retry};

/// How long a statement over a whole table may take, where the log is read from its beginning.
const SWEEP_MAX: Duration = Duration::from_secs(600);
/// How long several retries may take in one transaction; after that, fewer are tried at once.
const RETRY_MAX: Duration = Duration::from_secs(10);

/// A batch for a blocked part: the events up to `seq`.
#[derive(Clone, Copy)]
pub(super) struct CatchUpStep<'a> {
    pub(super) part: &'a Part,
    pub(super) batch: &'a Batch,
    pub(super) seq: Seq,
    pub(super) current: &'a Checkpoint,
    pub(super) budget: Option<Duration>,
}

impl Mirror {
    pub(super) fn batch_limits(&self) -> Limits {
        Limits::Batch { answer_within: self.answer_within }
    }

    fn isolating(&self, budget: Option<Duration>, commit_units: bool) -> Limits {
        Limits::Isolating { answer_within: self.answer_within, budget, commit_units }
    }

    /// Replaces `current` by `next`. At the beginning of the log, what was deleted while its entity
    /// was not mirrored is removed: no event may say so again.
    pub(super) async fn begin_at(
        &self,
        connected: &mut OpenConnection,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, DatabaseError> {
        match self.begin_whole(connected, current, next).await {
            Err(DatabaseError::Refused { .. }) if next.seq == Seq::ZERO => {
                connected.session.rollback().await?;
                self.begin_isolated(connected, current, next).await
            }
            done => done,
        }
    }

    async fn begin_whole(
        &self,
        connected: &mut OpenConnection,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, DatabaseError> {
        let session = connected.session.as_mut();
        session.begin(&self.schema, self.sweep_limits()).await?;
        if next.seq == Seq::ZERO {
            sweep::whole(session, &self.statements).await?;
        }
        self.take_over_and_commit(connected, current, next).await
    }

    async fn begin_isolated(
        &self,
        connected: &mut OpenConnection,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, DatabaseError> {
        let session = connected.session.as_mut();
        session.begin(&self.schema, self.sweep_limits()).await?;
        let gone = sweep::rows_gone(session, &self.statements).await?;
        session.rollback().await?;
        let commit_units = self.database.checks_at_commit_alone();
        session.begin(&self.schema, self.isolating(None, commit_units)).await?;
        let (statements, destination) = (&self.statements, &next.destination);
        sweep::isolated(session, statements, destination, &gone, self.timeout).await?;
        self.take_over_and_commit(connected, current, next).await
    }

    fn sweep_limits(&self) -> Limits {
        Limits::Batch { answer_within: self.answer_within.max(SWEEP_MAX) }
    }

    async fn take_over_and_commit(
        &self,
        connected: &mut OpenConnection,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, DatabaseError> {
        let OpenConnection { session, application, blocked, streaks } = connected;
        let session = session.as_mut();
        let mut commit = checkpoints::take_over(session, &self.statements, current, next).await?;
        self.remake_again(session, next).await?;
        *blocked = BlockedParts::load(session, &self.statements, &next.destination).await?;
        if let Commit::Done { blocked: all, .. } = &mut commit {
            let mut writer = self.writer(application, streaks, next, blocked.clone());
            writer.block_what_does_not_fit(session).await?;
            *blocked = writer.blocked;
            *all = blocked.clone().into_parts();
        }
        streaks.clear();
        session.commit().await?;
        Ok(commit)
    }

    /// Applies the batch as it is, or nothing of it.
    pub(super) async fn apply_whole(
        &self,
        connected: &mut OpenConnection,
        batch: &Batch,
        current: &Checkpoint,
        next: &Checkpoint,
    ) -> Result<Commit, DatabaseError> {
        let OpenConnection { session, application, blocked, streaks } = connected;
        let session = session.as_mut();
        session.begin(&self.schema, self.batch_limits()).await?;
        let commit = checkpoints::swap(session, &self.statements, current, next).await?;
        if commit == Commit::Lost {
            session.rollback().await?;
            return Ok(commit);
        }
        let completed = self.with_stored_values(session, batch, blocked, false).await?;
        let mut writer = self.writer(application, streaks, current, blocked.clone());
        let commit = writer.apply(session, completed.as_ref().unwrap_or(batch)).await?;
        let now_blocked = writer.blocked;
        session.commit().await?;
        *blocked = now_blocked;
        streaks.clear();
        Ok(commit)
    }

    /// Applies what the database takes of the batch.
    pub(super) async fn apply_isolated(
        &self,
        connected: &mut OpenConnection,
        batch: &Batch,
        current: &Checkpoint,
        next: &Checkpoint,
        budget: Option<Duration>,
    ) -> Result<Commit, DatabaseError> {
        match self.isolate_once(connected, batch, current, next, budget, false).await {
            // Only a commit is refused behind every unit: the database checks at commits alone.
            Err(DatabaseError::Refused { .. }) if self.database.checks_at_commit_alone() => {
                connected.session.rollback().await?;
                self.isolate_once(connected, batch, current, next, budget, true).await
            }
            done => done,
        }
    }

    async fn isolate_once(
        &self,
        connected: &mut OpenConnection,
        batch: &Batch,
        current: &Checkpoint,
        next: &Checkpoint,
        budget: Option<Duration>,
        commit_units: bool,
    ) -> Result<Commit, DatabaseError> {
        let OpenConnection { session, application, blocked, streaks } = connected;
        let session = session.as_mut();
        session.begin(&self.schema, self.isolating(budget, commit_units)).await?;
        // Where each unit is committed, the checkpoint comes last.
        let first = if commit_units { current } else { next };
        let commit = checkpoints::swap(session, &self.statements, current, first).await?;
        if commit == Commit::Lost {
            session.rollback().await?;
            return Ok(commit);
        }
        let completed = self.with_stored_values(session, batch, blocked, true).await?;
        let mut writer = self.writer(application, streaks, current, blocked.clone());
        writer.isolates = true;
        let mut commit = writer.apply(session, completed.as_ref().unwrap_or(batch)).await?;
        let now_blocked = writer.blocked;
        session.commit().await?;
        if commit_units {
            session.begin(&self.schema, self.batch_limits()).await?;
            let moved = checkpoints::swap(session, &self.statements, current, next).await?;
            session.commit().await?;
            if moved == Commit::Lost {
                commit = moved;
            }
        }
        *blocked = now_blocked;
        Ok(commit)
    }

    /// Retries dead letters, deletes and rows that wait.
    pub(super) async fn retry_isolated(
        &self,
        connected: &mut OpenConnection,
        retry: &Retry,
        current: &Checkpoint,
    ) -> Result<Commit, DatabaseError> {
        match self.retry_once(connected, retry, current, false).await {
            Err(DatabaseError::Refused { .. }) if self.database.checks_at_commit_alone() => {
                connected.session.rollback().await?;
                self.retry_once(connected, retry, current, true).await
            }
            done => done,
        }
    }

    async fn retry_once(
        &self,
        connected: &mut OpenConnection,
        retry: &Retry,
        current: &Checkpoint,
        commit_units: bool,
    ) -> Result<Commit, DatabaseError> {
        let OpenConnection { session, application, blocked, streaks } = connected;
        let session = session.as_mut();
        // A single one takes as long as it needs.
        let budget = (retry.requests.len() > 1).then_some(RETRY_MAX);
        session.begin(&self.schema, self.isolating(budget, commit_units)).await?;
        let commit = checkpoints::swap(session, &self.statements, current, current).await?;
        if commit == Commit::Lost {
            session.rollback().await?;
            return Ok(commit);
        }
        let destination = &current.destination;
        let completed = self.with_stored_values(session, &retry.batch, blocked, true).await?;
        let batch = completed.as_ref().unwrap_or(&retry.batch);
        let requests = retry.requests.iter();
        let earlier = EarlierTries::load(session, &self.statements, destination, requests).await?;
        let mut writer = self.writer(application, streaks, current, blocked.clone());
        writer.isolates = true;
        writer.retries = true;
        writer.ran_up_to = Some(Seq::ZERO);
        writer.earlier = earlier;
        // First, since the dead letters of blocked parts stay as they are.
        writer.block_what_is_refused_whole(session, batch).await?;
        retry::begin(session, &self.statements, destination, retry).await?;
        let commit = writer.apply(session, batch).await?;
        let now_blocked = writer.blocked;
        retry::deletes(session, &self.statements, destination, self.timeout).await?;
        retry::end(session, &self.statements, destination, retry).await?;
        session.commit().await?;
        *blocked = now_blocked;
        Ok(commit)
    }

    /// Makes the next rows of another mapping again; how far that came. `None`: the checkpoint is
    /// another one.
    pub(super) async fn remake_part(
        &self,
        connected: &mut OpenConnection,
        current: &Checkpoint,
        position: &RemakePosition,
    ) -> Result<Option<(RemakePosition, Remade)>, DatabaseError> {
        let session = connected.session.as_mut();
        session.begin(&self.schema, self.isolating(None, false)).await?;
        if checkpoints::swap(session, &self.statements, current, current).await? == Commit::Lost {
            session.rollback().await?;
            return Ok(None);
        }
        let done = match self.remake_next(session, current, position).await {
            Ok(done) => session.commit().await.map(|()| done),
            Err(error) => Err(error),
        };
        match done {
            // Nothing that is new waits for this.
            Err(DatabaseError::Refused { refusal, .. }) => {
                let destination = &self.destination;
                tracing::warn!(destination, reason = %refusal, "rows of an earlier config are unchanged");
                session.rollback().await?;
                let later = Remade { rows_written: 0, rest: Rest::Later };
                Ok(Some((RemakePosition::retry_later(), later)))
            }
            done => done.map(Some),
        }
    }

    /// Brings one blocked part on by a batch, where it is refused no more.
    pub(super) async fn catch_up_part(
        &self,
        connected: &mut OpenConnection,
        step: CatchUpStep<'_>,
    ) -> Result<CatchUp, DatabaseError> {
        let done = match self.catch_up_once(connected, step, false).await {
            Err(DatabaseError::Refused { .. }) if self.database.checks_at_commit_alone() => {
                connected.session.rollback().await?;
                self.catch_up_once(connected, step, true).await
            }
            done => done,
        };
        let Err(DatabaseError::Refused { refusal, .. }) = done else { return done };
        connected.session.rollback().await?;
        self.postpone(connected, step.part, step.current, &refusal).await?;
        Ok(CatchUp::StillBlocked)
    }

    async fn postpone(
        &self,
        connected: &mut OpenConnection,
        part: &Part,
        current: &Checkpoint,
        refusal: &Refusal,
    ) -> Result<(), DatabaseError> {
        let (session, destination) = (connected.session.as_mut(), &current.destination);
        session.begin(&self.schema, self.batch_limits()).await?;
        BlockedParts::postpone(session, &self.statements, destination, part, refusal).await?;
        session.commit().await
    }

    /// Whether the database refuses the part with no rows at all.
    pub(super) async fn is_refused_whole(
        &self,
        connected: &mut OpenConnection,
        (part, batch): (&Part, &Batch),
        current: &Checkpoint,
    ) -> Result<bool, DatabaseError> {
        let OpenConnection { session, application, blocked, streaks } = connected;
        let session = session.as_mut();
        session.begin(&self.schema, self.isolating(None, false)).await?;
        let mut writer = self.writer(application, streaks, current, blocked.clone());
        writer.only = Some(part);
        let mut done = writer.block_what_does_not_fit(session).await;
        if done.is_ok() {
            done = writer.block_what_is_refused_whole(session, batch).await;
        }
        match done {
            Ok(()) => session.rollback().await.map(|()| false),
            Err(DatabaseError::Refused { refusal, .. }) => {
                session.rollback().await?;
                self.postpone(connected, part, current, &refusal).await?;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    async fn catch_up_once(
        &self,
        connected: &mut OpenConnection,
        step: CatchUpStep<'_>,
        commit_units: bool,
    ) -> Result<CatchUp, DatabaseError> {
        let CatchUpStep { part, batch, seq, current, budget } = step;
        let OpenConnection { session, application, blocked, streaks } = connected;
        let (session, statements) = (session.as_mut(), &self.statements);
        session.begin(&self.schema, self.isolating(budget, commit_units)).await?;
        let commit = checkpoints::swap(session, statements, current, current).await?;
        if commit == Commit::Lost {
            session.rollback().await?;
            return Ok(CatchUp::Lost);
        }
        let completed = self.with_stored_values(session, batch, blocked, true).await?;
        let batch = completed.as_ref().unwrap_or(batch);
        // Only this destination's leader moves it, so it is still as it was read.
        let mut writer = self.writer(application, streaks, current, blocked.clone());
        writer.isolates = true;
        writer.only = Some(part);
        let blocked_at = writer.blocked.blocked_at(part.kind, &part.name);
        writer.ran_up_to = current.statements.and(blocked_at);
        let commit = writer.apply(session, batch).await?;
        let is_all = seq >= current.seq;
        let destination = &current.destination;
        BlockedParts::advance(session, statements, destination, part, seq, is_all).await?;
        let now_blocked = BlockedParts::load(session, statements, destination).await?;
        session.commit().await?;
        *blocked = now_blocked;
        Ok(match commit {
            Commit::Done { rows_written, refused, .. } => {
                CatchUp::Advanced { rows_written, refused }
            }
            Commit::Lost => CatchUp::Lost,
        })
    }
}

impl Mirror {
    pub(super) fn writer<'a>(
        &'a self,
        application: &'a Application,
        streaks: &'a mut Streaks,
        current: &'a Checkpoint,
        blocked: BlockedParts,
    ) -> BatchWriter<'a> {
        BatchWriter {
            statements: &self.statements,
            application,
            timeout: self.timeout,
            current,
            ran_up_to: current.statements,
            isolates: false,
            only: None,
            blocked,
            retries: false,
            streaks,
            earlier: EarlierTries::default(),
        }
    }
}
