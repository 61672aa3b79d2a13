//! Applying objects from Clerk's API, beside the log.

use deskbell_store::LogId;

use super::blocked::BlockedParts;
use super::checkpoints;
use super::connection::OpenConnection;
use super::lift::Forgotten;
use super::open::Mirror;
use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::db::Limits;
use crate::mirror_target::{Commit, FetchedCommit, Part, PartKind, TargetError};

impl Mirror {
    /// Applies what the database takes of the batch, and leaves the checkpoint. In the same transaction,
    /// `forgotten` are forgotten as deletes.
    pub(super) async fn apply_beside(
        &self,
        connected: &mut OpenConnection,
        batch: &Batch,
        forgotten: Option<Forgotten<'_>>,
        log_id: LogId,
    ) -> Result<FetchedCommit, TargetError> {
        let isolating = |commit_units| Limits::Isolating {
            answer_within: self.answer_within,
            budget: None,
            commit_units,
        };
        let mut attempts = vec![self.batch_limits(), isolating(false)];
        if self.database.checks_at_commit_alone() {
            attempts.push(isolating(true));
        }
        let last = attempts.len() - 1;
        for (number, limits) in attempts.into_iter().enumerate() {
            match self.apply_beside_once(connected, batch, forgotten, log_id, limits).await {
                Err(TargetError::Refused(_)) if number < last => {
                    connected.session.rollback().await?;
                }
                done => return done,
            }
        }
        Ok(FetchedCommit::default())
    }

    async fn apply_beside_once(
        &self,
        connected: &mut OpenConnection,
        batch: &Batch,
        forgotten: Option<Forgotten<'_>>,
        log_id: LogId,
        limits: Limits,
    ) -> Result<FetchedCommit, TargetError> {
        let OpenConnection { session, application, blocked, streaks } = connected;
        let session = session.as_mut();
        session.begin(&self.schema, limits).await?;
        let destination = &self.destination;
        let found = checkpoints::read(session, &self.statements.checkpoints, destination).await?;
        let current = found.into_iter().find(|checkpoint| checkpoint.log_id == log_id);
        // Without one the mirror has nothing of the log, and reads it from its beginning.
        let current = current.unwrap_or_else(|| Checkpoint::start(log_id, destination, 0));
        // Another process may lead this mirror.
        let known = BlockedParts::load(session, &self.statements, destination).await?;
        let completed = self.with_stored_values(session, batch, &known, limits.isolates()).await?;
        let batch = completed.as_ref().unwrap_or(batch);
        let mut writer = self.writer(application, streaks, &current, known);
        writer.isolates = limits.isolates();
        let commit = writer.apply(session, batch).await?;
        let now_blocked = writer.blocked;
        if let Some(forgotten) = forgotten {
            self.forget(session, forgotten).await?;
        }
        session.commit().await?;
        let passed_over = self.passed_over(batch, &now_blocked);
        *blocked = now_blocked;
        Ok(match commit {
            Commit::Done { rows_written, refused, .. } => {
                FetchedCommit { rows_written, refused, passed_over }
            }
            Commit::Lost => FetchedCommit::default(),
        })
    }

    /// The blocked tables that the batch has rows for.
    fn passed_over(&self, batch: &Batch, blocked: &BlockedParts) -> Vec<Part> {
        let tables = batch.tables.iter().map(|rows| (PartKind::Mirror, rows.entity.table));
        let mapped = self.mappings.tables().iter().zip(&batch.mapped);
        let mapped = mapped.filter(|(_, changes)| !changes.rows.is_empty());
        let mapped = mapped.map(|(table, _)| (PartKind::Mapped, table.name.as_str()));
        tables
            .chain(mapped)
            .filter(|(kind, name)| blocked.has(*kind, name))
            .map(|(kind, name)| Part { kind, name: name.to_owned() })
            .collect()
    }
}
