//! Destinations of every type: how they are, pausing and resuming them, and attempts at them over time.

mod rows;

use async_trait::async_trait;
use deskbell_admin::{
    AdminError, Caller, DestinationStats, DestinationView, Destinations, NewMessage, StatsBucket,
    Timestamp,
};
use deskbell_store::deliveries::{AttemptCountQuery, DestinationHealth, Disabled};
use deskbell_store::{Store, StoreError, clock};
use deskbell_sync::status::{MirrorStatus, Reported};
use deskbell_trust::read_reconcile_state;

use super::local::LocalAdmin;
use super::messages;
use crate::config::{Config, DestinationConfig, DestinationType};
use crate::outcomes::mirrors;
use crate::unavailable::unavailable;

pub(crate) use rows::without_store;

/// Buckets of a chart, at most.
const BUCKETS_MAX: u32 = 100;
/// Attempts that are looked through for a chart: those of a busy day.
const SCANNED_MAX: u32 = 50_000;

/// All destinations: those of the config in its order, then those that only the store knows. What this
/// process knows of its mirrors is newer than what they reported to the store.
pub(crate) async fn all(
    config: &Config,
    store: &dyn Store,
    live: &[(String, Option<MirrorStatus>)],
) -> Result<Vec<DestinationView>, StoreError> {
    let states = store.destinations().await?;
    let backlogs = store.backlogs().await?;
    let mut mirrors = mirrors::reports(config, store).await?;
    let compared = read_reconcile_state(store).await?.unwrap_or_default();
    let (head, now_ms) = (store.head().await?, clock::now_ms());
    for mirror in &mut mirrors {
        let status = live.iter().find(|(name, _)| *name == mirror.destination);
        if let Some(status) = status.and_then(|(_, status)| status.clone()) {
            mirror.reported = Some(Reported { status, at_ms: now_ms });
        }
    }
    Ok(rows::all(config, states, &backlogs, mirrors, &compared)
        .iter()
        .map(|row| row.view(head, now_ms))
        .collect())
}

impl LocalAdmin {
    pub(super) fn configured(&self, name: &str) -> Option<&DestinationConfig> {
        self.config.destinations.iter().find(|one| one.name == name)
    }

    /// Refuses what has no deliveries, and what is not there.
    async fn require_delivered_to(&self, name: &str, what: &str) -> Result<(), AdminError> {
        if let Some(found) = self.configured(name)
            && found.kind.destination_type() == DestinationType::Database
        {
            return Err(AdminError::NotSupported(format!(
                "{what} a mirror is not supported: `{name}` is of type `database`"
            )));
        }
        let states = self.store.destinations().await.map_err(unavailable)?;
        match states.iter().any(|state| *state.name == *name) {
            true => Ok(()),
            false => Err(AdminError::not_found("destination", name)),
        }
    }
}

#[async_trait]
impl Destinations for LocalAdmin {
    async fn destinations(&self) -> Result<Vec<DestinationView>, AdminError> {
        let live = self.mirrors.statuses().await;
        let all = all(&self.config, &*self.store, &live).await;
        let mut views = all.map_err(unavailable)?;
        for view in &mut views {
            view.read_only = !self.endpoints.is_one(&view.name);
            if let Some(configured) = self.configured(&view.name) {
                view.settings = serde_json::to_value(configured).unwrap_or_default();
            }
        }
        Ok(views)
    }

    async fn destination(&self, name: &str) -> Result<DestinationView, AdminError> {
        let all = self.destinations().await?;
        let found = all.into_iter().find(|view| view.name == name);
        found.ok_or_else(|| AdminError::not_found("destination", name))
    }

    async fn pause(&self, caller: &Caller, name: &str) -> Result<(), AdminError> {
        if self.is_mirror(name) {
            self.set_mirror_paused(name, true).await?;
        } else {
            self.require_delivered_to(name, "pausing").await?;
            let at_ms = self.store.now_ms().await.map_err(unavailable)?;
            let disabled = Some(Disabled::paused_by(&caller.name, at_ms));
            let health = DestinationHealth { disabled, ..DestinationHealth::default() };
            self.store.set_health(name, &health).await.map_err(unavailable)?;
        }
        self.audit(caller, "destination.pause", name, None).await;
        Ok(())
    }

    async fn resume(&self, caller: &Caller, name: &str) -> Result<(), AdminError> {
        if self.is_mirror(name) {
            self.set_mirror_paused(name, false).await?;
        } else {
            self.require_delivered_to(name, "resuming").await?;
            self.store
                .set_health(name, &DestinationHealth::default())
                .await
                .map_err(unavailable)?;
            self.store.due(name).notify_one();
        }
        self.audit(caller, "destination.resume", name, None).await;
        Ok(())
    }

    async fn destination_stats(
        &self,
        name: &str,
        since: Timestamp,
        until: Timestamp,
        buckets: u32,
    ) -> Result<DestinationStats, AdminError> {
        if until <= since {
            return Err(AdminError::invalid("until", "expected a time after `since`"));
        }
        if !(1..=BUCKETS_MAX).contains(&buckets) {
            return Err(AdminError::invalid("buckets", format!("expected 1 to {BUCKETS_MAX}")));
        }
        if self.configured(name).is_none() {
            self.require_delivered_to(name, "counting attempts at").await?;
        }
        let backlogs = self.store.backlogs().await.map_err(unavailable)?;
        let pending = backlogs.iter().find(|backlog| *backlog.destination == *name);
        let pending = pending.map_or(0, |backlog| backlog.pending);
        let query = AttemptCountQuery {
            destination: name.to_owned(),
            since_ms: since.0,
            until_ms: until.0,
            buckets,
            scanned_max: SCANNED_MAX,
        };
        let counted = self.store.count_attempts(&query).await.map_err(unavailable)?;
        let length_ms = (until.0 - since.0) / i64::from(buckets);
        let buckets = (0_i64..).zip(counted.buckets).map(|(index, (delivered, failed))| {
            let from = Timestamp(since.0 + index * length_ms);
            StatsBucket { from, delivered, failed }
        });
        let buckets: Vec<StatsBucket> = buckets.collect();
        Ok(DestinationStats {
            since,
            until,
            pending,
            delivered: buckets.iter().map(|bucket| bucket.delivered).sum(),
            failed: buckets.iter().map(|bucket| bucket.failed).sum(),
            buckets,
            complete: counted.complete,
        })
    }

    async fn send_example(
        &self,
        caller: &Caller,
        name: &str,
        event_type: &str,
    ) -> Result<String, AdminError> {
        self.require_delivered_to(name, "sending an example to").await?;
        let Some(entry) = clerk_webhooks::catalog::find(event_type) else {
            return Err(AdminError::invalid("type", format!("unknown event type `{event_type}`")));
        };
        let takes = |source: &&String| match self.configured(name).map(|one| &one.sources) {
            Some(Some(sources)) => sources.contains(source),
            _ => true,
        };
        let mut names = self.config.sources.iter().map(|source| &source.name);
        let source = names.find(takes).ok_or_else(|| AdminError::not_found("source", name))?;
        let message = NewMessage {
            source: source.clone(),
            message_id: None,
            event_type: event_type.to_owned(),
            payload: serde_json::from_str(entry.sample).map_err(unavailable)?,
            destination: Some(name.to_owned()),
        };
        let id = messages::create(self, message).await?;
        self.audit(caller, "destination.send_example", name, Some(id.clone())).await;
        Ok(id)
    }
}
