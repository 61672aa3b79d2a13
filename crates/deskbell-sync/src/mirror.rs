//! The mirror in a database, by one writing connection, whatever the database.

mod application;
mod apply;
mod bind;
mod bisect;
mod blocked;
mod checkpoints;
mod connection;
mod existing_columns;
mod fetched;
mod isolate;
mod lift;
mod merge;
mod migrate;
mod open;
mod reader;
mod refused;
mod rekey;
mod remake;
mod remake_position;
mod retry;
mod rows;
mod stored_values;
mod streak;
mod sweep;
mod unit;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::{LogId, Seq};

use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::entity::Entity;
use crate::fetched::FetchedFrom;
use crate::mapping::Mappings;
use crate::mirror_target::{
    CatchUp, Commit, ErrorMode, FetchedCommit, Part, Remade, Retry, Target, TargetError, Waiting,
};
use blocked::BlockedParts;
use connection::OpenConnection;
pub(crate) use merge::{Merge, MergeError};
pub(crate) use migrate::{MigrationPlan, MigrationStep};
pub(crate) use open::Mirror;
pub(crate) use reader::TableReader;
use remake_position::RemakePosition;
use unit::CatchUpStep;

/// How long closing the connection may take; everything is committed by then.
const CLOSE_MAX: Duration = Duration::from_secs(5);

#[async_trait]
impl Target for Mirror {
    fn mappings(&self) -> Arc<Mappings> {
        Arc::clone(&self.mappings)
    }

    async fn checkpoints(&self, destination: &str) -> Result<Vec<Checkpoint>, TargetError> {
        let mut unit = self.unit().await?;
        let sql = &self.statements.checkpoints;
        let found = checkpoints::read(unit.connected.session.as_mut(), sql, destination).await?;
        unit.keep();
        Ok(found)
    }

    async fn take_over(
        &self,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, TargetError> {
        let mut unit = self.unit().await?;
        let commit = self.begin_at(&mut unit.connected, current, next).await?;
        *self.remaking.lock().await = RemakePosition::Unknown;
        unit.keep();
        Ok(commit)
    }

    async fn apply(
        &self,
        batch: &Batch,
        current: &Checkpoint,
        next: &Checkpoint,
        error_mode: ErrorMode,
    ) -> Result<Commit, TargetError> {
        let mut unit = self.unit().await?;
        let commit = match error_mode {
            ErrorMode::Fail => self.apply_whole(&mut unit.connected, batch, current, next).await?,
            ErrorMode::Isolate | ErrorMode::IsolateWithin(_) => {
                let budget = error_mode.budget();
                self.apply_isolated(&mut unit.connected, batch, current, next, budget).await?
            }
        };
        unit.keep();
        Ok(commit)
    }

    async fn reads_behind(&self, destination: &str, log_id: LogId) -> Result<Seq, TargetError> {
        let mut unit = self.unit().await?;
        let session = unit.connected.session.as_mut();
        let found = checkpoints::read(session, &self.statements.checkpoints, destination).await?;
        let blocked = BlockedParts::load(session, &self.statements, destination).await?;
        let waiting =
            retry::first_waiting_statement(session, &self.statements, destination).await?;
        unit.keep();
        let ours = found.into_iter().find(|checkpoint| checkpoint.log_id == log_id);
        let seq = ours.map_or(Seq::ZERO, |checkpoint| checkpoint.seq);
        let of_blocked = blocked.into_parts().into_iter().map(|blocked| blocked.seq);
        Ok(of_blocked.chain(waiting).fold(seq, Seq::min))
    }

    async fn waiting(&self, destination: &str) -> Result<Waiting, TargetError> {
        let mut unit = self.unit().await?;
        let OpenConnection { session, application, .. } = &mut unit.connected;
        let tables: Vec<_> = application.tables().map(|(_, table)| table.name()).collect();
        let session = session.as_mut();
        let waiting = retry::waiting(session, &self.statements, &tables, destination).await?;
        unit.keep();
        Ok(waiting)
    }

    async fn retry(&self, retry: &Retry, current: &Checkpoint) -> Result<Commit, TargetError> {
        let mut unit = self.unit().await?;
        let commit = self.retry_isolated(&mut unit.connected, retry, current).await?;
        unit.keep();
        Ok(commit)
    }

    async fn catch_up(
        &self,
        part: &Part,
        batch: &Batch,
        seq: Seq,
        current: &Checkpoint,
        error_mode: ErrorMode,
    ) -> Result<CatchUp, TargetError> {
        self.refit(part).await;
        let mut unit = self.unit().await?;
        let step = CatchUpStep { part, batch, seq, current, budget: error_mode.budget() };
        let done = self.catch_up_part(&mut unit.connected, step).await?;
        unit.keep();
        Ok(done)
    }

    async fn is_still_blocked(
        &self,
        part: &Part,
        batch: &Batch,
        current: &Checkpoint,
    ) -> Result<bool, TargetError> {
        self.refit(part).await;
        let mut unit = self.unit().await?;
        let connected = &mut unit.connected;
        let is_blocked = self.is_refused_whole(connected, (part, batch), current).await?;
        unit.keep();
        Ok(is_blocked)
    }

    async fn apply_fetched(
        &self,
        batch: &Batch,
        log_id: LogId,
    ) -> Result<FetchedCommit, TargetError> {
        let mut unit = self.unit().await?;
        let done = self.apply_beside(&mut unit.connected, batch, None, log_id).await?;
        unit.keep();
        Ok(done)
    }

    async fn remove_unlisted(
        &self,
        entity: &'static Entity,
        ids: &[String],
        from: &FetchedFrom,
        at_ms: i64,
        log_id: LogId,
    ) -> Result<FetchedCommit, TargetError> {
        let mut unit = self.unit().await?;
        let connected = &mut unit.connected;
        let done = self.remove_beside(connected, (entity, ids), from, at_ms, log_id).await?;
        unit.keep();
        Ok(done)
    }

    async fn lift_tombstones(
        &self,
        entity: &'static Entity,
        ids: &[String],
    ) -> Result<u64, TargetError> {
        let mut unit = self.unit().await?;
        let lifted = self.lift(&mut unit.connected, entity, ids).await?;
        unit.keep();
        Ok(lifted)
    }

    async fn remake(&self, current: &Checkpoint) -> Result<Option<Remade>, TargetError> {
        let mut position = self.remaking.lock().await;
        if let Some(rest) = position.rest() {
            return Ok(Some(Remade { rows_written: 0, rest }));
        }
        let mut unit = self.unit().await?;
        let done = self.remake_part(&mut unit.connected, current, &position).await?;
        unit.keep();
        Ok(done.map(|(next, remade)| {
            *position = next;
            remade
        }))
    }

    async fn close(&self) {
        let Some(connected) = self.connection.lock().await.take() else { return };
        match tokio::time::timeout(CLOSE_MAX, connected.session.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                let error = &error.into_backend() as &dyn std::error::Error;
                tracing::warn!(error, "failed to close the mirror cleanly");
            }
            Err(_) => tracing::warn!("the mirror's database did not close its connection in time"),
        }
    }
}
