//! The destinations whose dead letters are meant, and reading them.

use std::sync::Arc;

use deskbell_store::deliveries::Destinations;
use deskbell_store::{Store, StoreError};
use deskbell_sync::dead_letters::{self, Choice};
use deskbell_sync::{MirrorOptions, statements};

use super::error::unreachable;
use super::row::Row;
use crate::cli::{exit, named, store};
use crate::command_runner::Retry;
use crate::config::{Config, DestinationConfig};

/// Dead letters of deliveries that are listed; there may be as many as there are events.
const DELIVERIES_MAX: usize = 10_000;

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
        let is_meant = |one: &&DestinationConfig| match name {
            Some(name) => one.name == name,
            None => one.enabled,
        };
        let (mut mirrors, mut delivered_to) = (Vec::new(), Vec::new());
        for destination in config.destinations.iter().filter(is_meant) {
            match destination.mirror_options(&config.sources) {
                Some(options) => mirrors.push(options),
                None => delivered_to.push(destination.name.clone()),
            }
        }
        let is_unknown = mirrors.is_empty() && delivered_to.is_empty();
        // The event log is opened only where it is asked.
        let store = match (is_unknown && name.is_some()) || !delivered_to.is_empty() {
            true => store::to_read_if_there(config).await?,
            false => None,
        };
        if let Some(name) = name.filter(|_| is_unknown) {
            let known = store.as_deref().map(|store| store as &dyn Destinations);
            named::require_delivered_to(name, config, known).await?;
            delivered_to.push(name.to_owned());
        }
        Ok(Self { mirrors, delivered_to, store })
    }

    /// Their dead letters: those with these ids, or all.
    pub(super) async fn rows(&self, ids: Option<&[String]>) -> Result<Vec<Row>, exit::Failure> {
        let choice = ids.map_or(Choice::All, |ids| Choice::These(ids.to_vec()));
        let mut rows = Vec::new();
        for options in &self.mirrors {
            let found = dead_letters::list(options, &choice).await;
            let found = found.map_err(|source| unreachable(options, source))?;
            let titles = statements::titles(&options.database.statements);
            rows.extend(found.into_iter().map(|entry| {
                let title = titles.get(&entry.part).cloned();
                Row { entry, title, attempts: None }
            }));
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
    ) -> Result<Vec<Row>, StoreError> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        let wanted = self.retry(ids);
        let mut rows = Vec::new();
        for destination in &wanted.destinations {
            let mut after = None;
            loop {
                let page = wanted.page(&**store, destination, after.take()).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                rows.extend(page.into_iter().filter(|one| wanted.matches(one)).map(Row::from));
                if rows.len() >= rows_max {
                    rows.truncate(rows_max);
                    return Ok(rows);
                }
            }
        }
        Ok(rows)
    }

    /// A request for the deliveries with these ids, or all.
    pub(super) fn retry(&self, ids: Option<&[String]>) -> Retry {
        Retry { destinations: self.delivered_to.clone(), ids: ids.map(<[String]>::to_vec) }
    }

    /// Whether there is a delivery to try again.
    pub(super) async fn has_delivery(&self, ids: Option<&[String]>) -> Result<bool, exit::Failure> {
        let found = self.deliveries(ids, 1).await.map_err(store::failed_to_read)?;
        Ok(!found.is_empty())
    }
}
