//! A running Deskbell, as the admin API and the pages see it.

use std::sync::Arc;
use std::time::Duration;

use deskbell_admin::{Admin, AdminError, Caller};
use deskbell_store::{LogHandle, NewAuditEntry, Store};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::endpoints_state::EndpointsState;
use super::minutes::Minutes;
use crate::command_runner::CommandRunner;
use crate::config::Config;
use crate::outcomes::mirrors::RunningMirrors;
use crate::unavailable::unavailable;

/// Answers from the store, the mirrors and the effective config of this process. A reload of the config
/// makes another one.
#[derive(Debug)]
pub(crate) struct LocalAdmin {
    /// With the endpoints that were made through the API.
    pub(crate) config: Arc<Config>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) log: LogHandle,
    pub(crate) mirrors: Arc<RunningMirrors>,
    /// What a command on the command line would have done, done here.
    pub(crate) commands: CommandRunner,
    pub(crate) endpoints: EndpointsState,
    pub(crate) minutes: Arc<Minutes>,
    /// What asks the mirrors' databases, so much at a time.
    pub(crate) explaining: Semaphore,
}

/// Answers at a time that ask the mirrors' databases.
pub(crate) const EXPLAINING_MAX: usize = 8;
/// How long one waits for its turn.
const EXPLAINING_WAIT_MAX: Duration = Duration::from_secs(5);

impl Admin for LocalAdmin {}

impl LocalAdmin {
    /// Leave to ask the mirrors' databases.
    pub(super) async fn may_explain(&self) -> Result<SemaphorePermit<'_>, AdminError> {
        match timeout(EXPLAINING_WAIT_MAX, self.explaining.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(AdminError::Unavailable(
                "too many requests ask the mirrors; try again".to_owned(),
            )),
        }
    }

    /// Records who changed what. It comes after the change, which is not undone if this fails: then the
    /// log alone has it.
    pub(super) async fn audit(
        &self,
        caller: &Caller,
        action: &str,
        target: &str,
        details: Option<String>,
    ) {
        if let Err(error) = self.require_audit(caller, action, target, details).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(who = caller.name, action, target, error, "cannot write the audit log");
        }
    }

    /// Records who did what; an error if that is not possible.
    pub(super) async fn require_audit(
        &self,
        caller: &Caller,
        action: &str,
        target: &str,
        details: Option<String>,
    ) -> Result<(), AdminError> {
        tracing::info!(who = caller.name, action, target, "changed through the admin API");
        let entry = NewAuditEntry {
            who: caller.name.clone(),
            action: action.to_owned(),
            target: target.to_owned(),
            details,
        };
        self.store.record_audit(&entry).await.map_err(unavailable)
    }
}
