//! Where a consumer begins: at its checkpoint, if the log is still the one that it belongs to.

use std::fmt;

use deskbell_store::{FencingToken, LogId, Seq};

use super::error::SyncError;
use super::state::MirrorConsumer;
use crate::checkpoint::Checkpoint;
use crate::mirror_target::Commit;

/// Claims before a token that does not exceed the checkpoint's means that the store has gone back.
/// Once is not enough: another consumer may have claimed and begun in between.
const CLAIMS_MAX: usize = 2;

/// Why the mirror reads the log from the beginning although it has been filled before. Versions
/// make that safe: rows that are up to date do not change.
#[derive(Debug, Clone, PartialEq, Eq)]
enum RereadReason {
    OtherLog { log_id: LogId },
    OtherMessage { seq: Seq },
    LogEndsBefore { seq: Seq, head: Seq },
    TokensWentBack,
    OtherMapping,
}

impl fmt::Display for RereadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherLog { log_id } => write!(f, "it was filled from another log, {log_id}"),
            Self::OtherMessage { seq } => {
                write!(
                    f,
                    "the log has another message at {seq}: the store was restored or replaced"
                )
            }
            Self::LogEndsBefore { seq, head } => write!(
                f,
                "the mirror is at {seq} and the log ends at {head}: the store was restored"
            ),
            Self::TokensWentBack => f.write_str("the store was restored from an earlier copy"),
            Self::OtherMapping => f.write_str("entities, columns or tables have changed"),
        }
    }
}

impl MirrorConsumer {
    /// Takes the target's checkpoint over, so that nobody else can move it, and returns it.
    pub(super) async fn begin(&self) -> Result<Checkpoint, SyncError> {
        let log_id = self.store.log_id();
        let (token, saved) = self.claim(log_id).await?;
        let ours = saved.iter().find(|checkpoint| checkpoint.log_id == log_id);
        let reason = match ours {
            Some(ours) => self.reread_reason(ours, token).await?,
            None => saved.first().map(|other| RereadReason::OtherLog { log_id: other.log_id }),
        };
        let next = match ours {
            Some(ours) if reason.is_none() => Checkpoint { token, ..ours.clone() },
            _ => Checkpoint {
                log_id,
                destination: self.destination.clone(),
                seq: Seq::ZERO,
                message_id: String::new(),
                token,
                mapping_revision: self.mapping_revision,
                statements: self.statements_from(ours, reason.as_ref()),
            },
        };
        let Commit::Done { blocked, .. } = self.target.take_over(ours, &next).await? else {
            return Err(SyncError::Superseded { destination: self.destination.clone() });
        };
        self.announce(&next, reason.as_ref());
        self.report_blocked(&blocked);
        Ok(next)
    }

    /// Where the application's statements go on. The same log read again is none of their business;
    /// in another one they wait for a person.
    fn statements_from(
        &self,
        ours: Option<&Checkpoint>,
        reason: Option<&RereadReason>,
    ) -> Option<Seq> {
        match (ours, reason) {
            (Some(ours), Some(RereadReason::OtherMapping)) => ours.statements,
            (_, Some(_)) if !self.statements.is_empty() => None,
            _ => Some(Seq::ZERO),
        }
    }

    /// A token that is greater than the checkpoint's, unless the store has gone back.
    async fn claim(&self, log_id: LogId) -> Result<(FencingToken, Vec<Checkpoint>), SyncError> {
        let mut claims = 0;
        loop {
            let token = self.store.next_fencing_token(&self.name()).await?;
            let saved = self.target.checkpoints(&self.destination).await?;
            let ours = saved.iter().find(|checkpoint| checkpoint.log_id == log_id);
            claims += 1;
            if claims == CLAIMS_MAX || ours.is_none_or(|ours| ours.token < token) {
                return Ok((token, saved));
            }
        }
    }

    async fn reread_reason(
        &self,
        ours: &Checkpoint,
        token: FencingToken,
    ) -> Result<Option<RereadReason>, SyncError> {
        let seq = ours.seq;
        if ours.token >= token {
            return Ok(Some(RereadReason::TokensWentBack));
        }
        if seq > Seq::ZERO {
            let there = self.store.message_id_at(seq).await?;
            if there.as_deref().is_some_and(|message_id| message_id != ours.message_id) {
                return Ok(Some(RereadReason::OtherMessage { seq }));
            }
            // The seq of a pruned event is empty, but an event is not pruned before it was applied.
            let head = self.store.head().await?;
            if there.is_none() && seq > head {
                return Ok(Some(RereadReason::LogEndsBefore { seq, head }));
            }
        }
        Ok((ours.mapping_revision != self.mapping_revision).then_some(RereadReason::OtherMapping))
    }

    fn announce(&self, checkpoint: &Checkpoint, reason: Option<&RereadReason>) {
        let (destination, seq) = (&self.destination, checkpoint.seq.get());
        if checkpoint.statements.is_none() {
            tracing::error!(
                destination,
                "statements are paused, because this is not the log that they have run for; run \
                 `deskbell statements resume` to resume them"
            );
        }
        match reason {
            Some(reason) => tracing::warn!(
                destination,
                seq,
                reason = %reason,
                "mirror reads the log again from the beginning"
            ),
            None => tracing::info!(destination, seq, "mirror started"),
        }
    }
}
