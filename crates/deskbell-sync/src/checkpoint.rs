//! A destination's position in a log, and who may move it.

use deskbell_store::{FencingToken, LogId, Seq};

/// A destination's position in one log, stored in the target beside the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log of `seq`.
    pub log_id: LogId,
    pub destination: String,
    /// The last event that was applied to the rows.
    pub seq: Seq,
    /// The message at `seq`; empty at [`Seq::ZERO`].
    pub message_id: String,
    /// Who moves this checkpoint. A commit under another token has no effect.
    pub token: FencingToken,
    /// How the rows up to `seq` were made. 0 is nobody's: what a migration has emptied or widened
    /// is filled by reading the log again.
    pub mapping_revision: i64,
    /// The last event that the application's statements have run for; reading the log again does
    /// not run them again. `None` holds them back: the log is another one, and nobody but a person
    /// can tell which of its events they have run for.
    pub statements: Option<Seq>,
}

impl Checkpoint {
    /// A checkpoint at the beginning of a log.
    #[must_use]
    pub fn start(log_id: LogId, destination: &str, mapping_revision: i64) -> Self {
        Self {
            log_id,
            destination: destination.to_owned(),
            seq: Seq::ZERO,
            message_id: String::new(),
            token: FencingToken::new(0),
            mapping_revision,
            statements: Some(Seq::ZERO),
        }
    }

    /// This checkpoint moved to a later event.
    #[must_use]
    pub fn advanced(&self, seq: Seq, message_id: &str) -> Self {
        let statements = self.statements.map(|ran_up_to| ran_up_to.max(seq));
        Self { seq, message_id: message_id.to_owned(), statements, ..self.clone() }
    }
}
