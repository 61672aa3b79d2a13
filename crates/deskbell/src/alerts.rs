//! Alerts: polls destinations, mirrors and sources, and writes a notice to the log when a condition begins and
//! when it ends.
//!
//! Of all processes that share a store one does so. The open conditions are kept in the store, so that
//! a restart or another process continues from them.

mod condition;
mod destinations;
mod endpoints;
mod instances;
mod mirrors;
mod open;
mod reconciled;
mod silence;
mod sources;
mod state;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_delivery::{HealthPolicy, Notice, NoticeState};
use deskbell_server::{SourceConfig, SourceMode};
use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::DeadLetterQuery;
use deskbell_store::{Leader, LogHandle, Store, StoreError, SubmitError, run_as_leader};
use deskbell_trust::silence::SilenceGauges;
use deskbell_trust::{read_pull_state, read_reconcile_state, read_watch_state};
use tokio_util::sync::CancellationToken;

use self::condition::Observation;
use self::destinations::FailingRule;
use self::instances::SharedMirror;
pub(crate) use self::open::open_alerts;
pub(crate) use self::silence::AlarmedSources;
use self::silence::SilenceWatch;
pub(crate) use self::sources::{add_up_refused, advice};
use self::state::AlertState;
use crate::config::Config;
use crate::outcomes::mirrors::RunningMirrors;

/// The consumer whose lease is held.
const CONSUMER: &str = state::REPORT;
/// Also before the first round, so that what is restarted can show that it works.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Alerts about the destinations, mirrors and sources of one store.
#[derive(Debug)]
pub(crate) struct Alerts {
    store: Arc<dyn Store>,
    log: LogHandle,
    mirrors: Arc<RunningMirrors>,
    /// Those of the config: the store may know others.
    destinations: Vec<Arc<str>>,
    sources: Vec<String>,
    /// The sources whose endpoints are looked at.
    watched: Vec<String>,
    /// The sources whose messages are fetched.
    pulled: Vec<String>,
    shared_mirrors: Vec<SharedMirror>,
    failing: FailingRule,
    mirror_after_ms: i64,
    digest_ms: i64,
    silence: SilenceWatch,
    /// `None` until it is read.
    state: Option<AlertState>,
}

/// Why a round failed. The next one makes up for it.
#[derive(Debug, thiserror::Error)]
enum AlertsError {
    #[error("cannot read or write the store")]
    Store(#[from] StoreError),
    #[error("the log rejected an alert")]
    Log(#[from] SubmitError),
    #[error("another process leads")]
    NotLeader,
}

impl Alerts {
    pub(crate) fn new(
        config: &Config,
        store: Arc<dyn Store>,
        log: LogHandle,
        mirrors: Arc<RunningMirrors>,
        destinations: Vec<Arc<str>>,
    ) -> Self {
        let alerts = &config.alerts;
        let disable_after = alerts.disable_after.map(|after| after.0);
        let names = |is_wanted: fn(&&SourceConfig) -> bool| -> Vec<String> {
            let wanted = config.sources.iter().filter(is_wanted);
            wanted.map(|source| source.name.clone()).collect()
        };
        let pulled = names(|source| source.mode == SourceMode::Pull);
        Self {
            store,
            log,
            mirrors,
            destinations,
            sources: names(|_| true),
            watched: names(|source| source.sender.watch),
            pulled: pulled.clone(),
            shared_mirrors: instances::shared_mirrors(config),
            failing: FailingRule {
                failing_after_ms: whole_ms(alerts.failing_after.0),
                health: HealthPolicy { disable_after },
            },
            mirror_after_ms: whole_ms(alerts.mirror_after.0),
            digest_ms: whole_ms(alerts.digest_every.0),
            silence: SilenceWatch::new(alerts.silence_after, pulled),
            state: None,
        }
    }

    /// Runs until `shutdown`, whenever this process leads.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, CONSUMER, &shutdown, &mut self).await;
    }

    async fn run_once(&mut self) -> Result<(), AlertsError> {
        let before = match self.state.take() {
            Some(state) => state,
            None => self.read().await?,
        };
        let now_ms = self.store.now_ms().await?;
        let mut state = before.clone();
        state.observe(self.observe(now_ms).await?, self.digest_ms, now_ms);
        if state != before {
            // With the pending notices, before they are sent: a crash in between loses nothing.
            self.write(&state).await?;
        }
        if !state.pending.is_empty() {
            self.send(&state).await?;
            state.pending.clear();
            self.write(&state).await?;
        }
        self.state = Some(state);
        Ok(())
    }

    async fn observe(&mut self, now_ms: i64) -> Result<Vec<(String, Observation)>, StoreError> {
        let mut observed = Vec::new();
        let states = self.store.destinations().await?;
        for state in states.iter().filter(|state| self.destinations.contains(&state.name)) {
            observed.push(self.failing.observe(state, now_ms));
            let is_left =
                state.dead_letters_total > 0 && self.has_dead_letters(&state.name).await?;
            observed.push(destinations::dead_letters(state, is_left));
        }
        let compared = read_reconcile_state(&*self.store).await?.unwrap_or_default();
        for (name, status) in self.mirrors.statuses().await {
            observed.push(reconciled::observe(&name, &compared));
            let after_ms = self.mirror_after_ms;
            observed.extend(mirrors::observe(&name, status.as_ref(), after_ms, now_ms));
        }
        for mirror in &self.shared_mirrors {
            observed.extend(mirror.observe(&*self.store).await?);
        }
        let refused = self.store.refused().await?.into_iter();
        let ours = refused.filter(|refused| self.sources.contains(&refused.source));
        observed.extend(ours.map(|refused| sources::observe(&refused)));
        observed.extend(self.observe_sender(now_ms).await?);
        let silence = self.silence.observe(&*self.store, &self.sources, &compared, now_ms).await?;
        observed.extend(silence);
        Ok(observed)
    }

    /// What is known of Clerk's sender, where it is looked at.
    async fn observe_sender(&self, now_ms: i64) -> Result<Vec<(String, Observation)>, StoreError> {
        let mut observed = Vec::new();
        if !self.watched.is_empty() {
            let state = read_watch_state(&*self.store).await?.unwrap_or_default();
            observed.extend(
                self.watched.iter().flat_map(|source| endpoints::observe(source, &state, now_ms)),
            );
        }
        if !self.pulled.is_empty() {
            let (state, after_ms) = (read_pull_state(&*self.store).await?, self.mirror_after_ms);
            let state = state.unwrap_or_default();
            let of = |source: &String| endpoints::observe_pull(source, &state, after_ms, now_ms);
            observed.extend(self.pulled.iter().map(of));
        }
        Ok(observed)
    }

    async fn has_dead_letters(&self, destination: &str) -> Result<bool, StoreError> {
        let destination = Some(destination.to_owned());
        let one = DeadLetterQuery { destination, limit: 1, ..DeadLetterQuery::default() };
        Ok(!self.store.dead_letters(&one).await?.is_empty())
    }

    async fn read(&self) -> Result<AlertState, StoreError> {
        let Some(report) = self.store.latest_report(state::REPORT).await? else {
            return Ok(AlertState::default());
        };
        Ok(serde_json::from_str(&report.body).unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot read the state of alerts; current problems are alerted about again");
            AlertState::default()
        }))
    }

    async fn write(&self, state: &AlertState) -> Result<(), AlertsError> {
        // Strings and numbers: it cannot fail.
        let body = serde_json::to_string(state).unwrap_or_default();
        match self.store.publish_report(CONSUMER, &body).await? {
            true => Ok(()),
            false => Err(AlertsError::NotLeader),
        }
    }

    /// Those that are in the log already change nothing: each has its message id.
    async fn send(&self, state: &AlertState) -> Result<(), SubmitError> {
        for pending in &state.pending {
            let notice = &pending.notice;
            report(notice);
            self.log.append(pending.event()).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Leader for Alerts {
    async fn lead(&mut self, shutdown: CancellationToken) {
        // Others may have alerted since this process last led.
        self.state = None;
        self.silence.restart();
        let _gauges = SilenceGauges::new(self.sources.clone());
        let mut was_ok = true;
        while shutdown.run_until_cancelled(tokio::time::sleep(POLL_INTERVAL)).await.is_some() {
            let outcome = self.run_once().await;
            if let Err(error) = &outcome
                && was_ok
            {
                // Logged once, not at each attempt until it works.
                let error = error as &dyn std::error::Error;
                tracing::warn!(error, "alerts are delayed");
            }
            was_ok = outcome.is_ok();
        }
    }
}

fn report(notice: &Notice) {
    let Notice { kind, subject, destination, source, .. } = notice;
    match notice.state {
        NoticeState::Firing => tracing::warn!(kind, destination, source, "alert: {subject}"),
        NoticeState::Resolved => tracing::info!(kind, destination, source, "alert: {subject}"),
    }
}
