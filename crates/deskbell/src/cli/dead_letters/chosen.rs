//! The destinations whose dead letters are meant, and reading them.

use std::sync::Arc;

use deskbell_admin::DeadLetterView;
use deskbell_store::deliveries::Destinations;
use deskbell_store::{Store, StoreError};
use deskbell_sync::MirrorOptions;
use deskbell_sync::dead_letters::Choice;

use super::error::unreachable;
use crate::admin::dead_letters::{self, DELIVERIES_MAX, DestinationsByKind};
use crate::cli::{exit, named, store};
use crate::command_runner::Retry;
use crate::config::Config;

/// Those whose dead letters are rows in a database, and those whose are deliveries.
pub(super) struct Chosen {
    pub(super) mirrors: Vec<MirrorOptions>,
    pub(super) delivered_to: Vec<String>,
    /// `None` where there is no event log yet, and so no deliveries.
    store: Option<Arc<dyn Store>>,
}

impl Chosen {
    /// The named destination, or all that are enabled.
    pub(super) async fn new(config: &Config, name: Option<&str>) -> Result<Self, exit::Failure> {
        let declared = DestinationsByKind::of(config, name);
        // The event log is opened only where it is asked.
        if name.is_some() && !declared.mirrors.is_empty() {
            let DestinationsByKind { mirrors, delivered_to } = declared;
            return Ok(Self { mirrors, delivered_to, store: None });
        }
        let store = store::to_read_if_there(config).await?;
        let config = &match store.as_deref() {
            Some(store) => store::declared(config, store).await?,
            None => config.clone(),
        };
        let DestinationsByKind { mirrors, mut delivered_to } = DestinationsByKind::of(config, name);
        let is_unknown = mirrors.is_empty() && delivered_to.is_empty();
        if let Some(name) = name.filter(|_| is_unknown) {
            let known = store.as_deref().map(|store| store as &dyn Destinations);
            named::require_delivered_to(name, config, known).await?;
            delivered_to.push(name.to_owned());
        }
        Ok(Self { mirrors, delivered_to, store })
    }

    /// Their dead letters: those with these ids, or all.
    pub(super) async fn rows(
        &self,
        ids: Option<&[String]>,
    ) -> Result<Vec<DeadLetterView>, exit::Failure> {
        let choice = ids.map_or(Choice::All, |ids| Choice::These(ids.to_vec()));
        let mut rows = Vec::new();
        for options in &self.mirrors {
            let found = dead_letters::rows(options, &choice).await;
            rows.extend(found.map_err(|source| unreachable(options, source))?);
        }
        let found = self.deliveries(ids, DELIVERIES_MAX).await.map_err(store::failed_to_read)?;
        if found.len() == DELIVERIES_MAX {
            errln!("only the first {DELIVERIES_MAX} deliveries are shown");
        }
        rows.extend(found);
        Ok(rows)
    }

    /// The first ones among the deliveries.
    async fn deliveries(
        &self,
        ids: Option<&[String]>,
        rows_max: usize,
    ) -> Result<Vec<DeadLetterView>, StoreError> {
        match &self.store {
            Some(store) => dead_letters::deliveries(&**store, &self.retry(ids), rows_max).await,
            None => Ok(Vec::new()),
        }
    }

    /// A request for the deliveries with these ids, or all.
    pub(super) fn retry(&self, ids: Option<&[String]>) -> Retry {
        let (destinations, ids) = (self.delivered_to.clone(), ids.map(<[String]>::to_vec));
        Retry { destinations, ids, reason: None }
    }

    /// Whether there is a delivery to try again.
    pub(super) async fn has_delivery(&self, ids: Option<&[String]>) -> Result<bool, exit::Failure> {
        let found = self.deliveries(ids, 1).await.map_err(store::failed_to_read)?;
        Ok(!found.is_empty())
    }
}
