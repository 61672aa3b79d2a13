//! A running Deskbell, as the admin API and the pages see it.

use std::sync::Arc;

use deskbell_admin::{AdminError, Caller};
use deskbell_store::{LogHandle, NewAuditEntry, Store};

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
}

impl LocalAdmin {
    /// Writes down who changed what. It comes after the change: an entry says what happened.
    pub(super) async fn audit(
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
