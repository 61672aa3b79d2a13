//! The status of each mirror: from its consumer if this process leads it, else from its last report in
//! the store.

use std::sync::Arc;

use async_trait::async_trait;
use deskbell_server::MirrorStates;
use deskbell_store::clock;
use deskbell_store::{ConsumerLog, StoreError};
use deskbell_sync::status::{self, MirrorState, MirrorStatus, Reported};
use tokio::sync::watch;

use crate::config::{Config, DestinationKind};

#[derive(Debug)]
pub(crate) struct MirrorReport {
    pub(crate) destination: String,
    /// `None` if its consumer never ran.
    pub(crate) reported: Option<Reported>,
}

/// The last report of each of the config's mirrors, in their order.
pub(crate) async fn reports(
    config: &Config,
    store: &dyn ConsumerLog,
) -> Result<Vec<MirrorReport>, StoreError> {
    let mut reports = Vec::new();
    for destination in &config.destinations {
        if matches!(destination.kind, DestinationKind::Database(_)) {
            let reported = status::reported(store, &destination.name).await?;
            reports.push(MirrorReport { destination: destination.name.clone(), reported });
        }
    }
    Ok(reports)
}

#[derive(Debug)]
pub(crate) struct RunningMirrors {
    store: Arc<dyn ConsumerLog>,
    mirrors: Vec<(String, watch::Receiver<Option<MirrorStatus>>)>,
}

impl RunningMirrors {
    pub(crate) fn new(store: Arc<dyn ConsumerLog>) -> Self {
        Self { store, mirrors: Vec::new() }
    }

    pub(crate) fn add(&mut self, destination: &str, status: watch::Receiver<Option<MirrorStatus>>) {
        self.mirrors.push((destination.to_owned(), status));
    }
}

impl RunningMirrors {
    /// The status of each mirror. `None` if no process has reported it lately.
    pub(crate) async fn statuses(&self) -> Vec<(String, Option<MirrorStatus>)> {
        let mut statuses = Vec::new();
        for (destination, status) in &self.mirrors {
            let own = status.borrow().clone();
            let status = match own {
                Some(status) => Some(status),
                None => self.reported(destination).await,
            };
            statuses.push((destination.clone(), status));
        }
        statuses
    }

    async fn reported(&self, destination: &str) -> Option<MirrorStatus> {
        match status::reported(&*self.store, destination).await {
            Ok(reported) => reported
                .filter(|reported| reported.is_current(clock::now_ms()))
                .map(|reported| reported.status),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(destination, error, "the mirror's status is not known");
                None
            }
        }
    }
}

#[async_trait]
impl MirrorStates for RunningMirrors {
    async fn states(&self) -> Vec<(String, MirrorState)> {
        let statuses = self.statuses().await.into_iter();
        statuses.filter_map(|(name, status)| Some((name, status?.state))).collect()
    }
}

#[cfg(test)]
mod tests {
    use deskbell_store::SqliteStore;

    use super::*;

    #[tokio::test]
    async fn a_mirror_that_another_process_leads_is_as_that_one_reported_it() {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap();
        let store: Arc<dyn ConsumerLog> = Arc::new(store);
        let mut running = RunningMirrors::new(Arc::clone(&store));
        let (_own, status) = watch::channel(None);
        running.add("app", status);
        assert_eq!(running.states().await, [], "nothing is known of it");
        let body = r#"{ "seq": 7, "failure": { "since_ms": 5, "error": "away", "cause": null } }"#;
        store.publish_report("sync:app", body).await.unwrap();
        let states = running.states().await;
        let (name, state) = &states[0];
        assert_eq!((&**name, state.name(), state.since_ms()), ("app", "waiting", Some(5)));
    }
}
