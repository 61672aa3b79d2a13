//! A connection, and the unit of work that uses it.

use std::sync::Arc;

use tokio::sync::MutexGuard;

use super::application::Application;
use super::blocked::BlockedParts;
use super::streak::Streaks;
use crate::db::DbSession;

/// A connection, and what was found there.
#[derive(Debug)]
pub(super) struct OpenConnection {
    pub(super) session: Box<dyn DbSession>,
    pub(super) application: Arc<Application>,
    /// What was blocked when it was last looked at; this mirror alone changes it.
    pub(super) blocked: BlockedParts,
    pub(super) streaks: Streaks,
}

/// The connection while one unit of work uses it. Where that fails or is dropped, the connection
/// goes with it: what state it is in is not known, and the database may have been replaced.
pub(super) struct UnitOfWork<'a> {
    pub(super) held: MutexGuard<'a, Option<OpenConnection>>,
    pub(super) connected: OpenConnection,
}

impl UnitOfWork<'_> {
    /// Leaves the connection for the next unit of work.
    pub(super) fn keep(self) {
        let Self { mut held, connected } = self;
        *held = Some(connected);
    }
}
