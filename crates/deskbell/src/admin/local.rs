//! A running Deskbell, as the admin API and the pages see it.

use std::sync::Arc;

use deskbell_admin::{Admin, AdminError, Caller};
use deskbell_store::{LogHandle, NewAuditEntry, Store};

use super::endpoints_state::EndpointsState;
use super::explaining::Explaining;
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
    pub(crate) explaining: Explaining,
}

impl Admin for LocalAdmin {}

impl LocalAdmin {
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
