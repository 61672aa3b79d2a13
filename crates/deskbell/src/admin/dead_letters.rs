//! Dead letters: rows that a mirror's database rejected, and deliveries that failed permanently.

use std::collections::BTreeMap;

use async_trait::async_trait;
use deskbell_admin::{
    AdminError, Caller, DeadLetterCause, DeadLetterQuery, DeadLetterView, DeadLetters, Retried,
    RetryRequest,
};
use deskbell_store::deliveries::DeliveryKey;
use deskbell_store::{Store, StoreError};
use deskbell_sync::dead_letters::{self, Choice};
use deskbell_sync::inspect::InspectError;
use deskbell_sync::{MirrorOptions, statements};
use deskbell_trust::with_causes;

use super::local::LocalAdmin;
use crate::command_runner::{Answer, Request, Retry};
use crate::config::{Config, DestinationConfig};
use crate::unavailable::unavailable;
use crate::views::{self, DELIVERY};

/// Dead letters of deliveries in an answer's groups; there may be as many as there are events.
pub(crate) const DELIVERIES_MAX: usize = 10_000;
/// Those that are looked through for the ones that are asked for.
const LOOKED_AT_MAX: usize = 100_000;
/// Dead letters in an answer.
const LISTED_MAX: u32 = 500;
/// Ids that stand for all of one cause.
const EXAMPLES: usize = 3;

/// The destinations whose dead letters are rows in a database, and those whose are deliveries.
#[derive(Debug, Default)]
pub(crate) struct DestinationsByKind {
    pub(crate) mirrors: Vec<MirrorOptions>,
    pub(crate) delivered_to: Vec<String>,
}

impl DestinationsByKind {
    /// The named destination, or all that are enabled.
    pub(crate) fn of(config: &Config, name: Option<&str>) -> Self {
        let is_meant = |one: &&DestinationConfig| match name {
            Some(name) => one.name == name,
            None => one.enabled,
        };
        let mut destinations = Self::default();
        for destination in config.destinations.iter().filter(is_meant) {
            match destination.mirror_options(&config.sources) {
                Some(options) => destinations.mirrors.push(options),
                None => destinations.delivered_to.push(destination.name.clone()),
            }
        }
        destinations
    }
}

/// The rows of one mirror.
pub(crate) async fn rows(
    options: &MirrorOptions,
    choice: &Choice,
) -> Result<Vec<DeadLetterView>, InspectError> {
    let found = dead_letters::list(options, choice).await?;
    let titles = statements::titles(&options.database.statements);
    let view = |entry: dead_letters::DeadLetterEntry| {
        let title = titles.get(&entry.part).cloned();
        views::dead_row(entry, title)
    };
    Ok(found.into_iter().map(view).collect())
}

/// The first deliveries of these that failed permanently, so many at most, among the first
/// [`LOOKED_AT_MAX`].
pub(crate) async fn deliveries(
    store: &dyn Store,
    wanted: &Retry,
    rows_max: usize,
) -> Result<Vec<DeadLetterView>, StoreError> {
    let (mut found, mut looked_at) = (Vec::new(), 0);
    for destination in &wanted.destinations {
        let mut after: Option<DeliveryKey> = None;
        loop {
            let page = wanted.page(store, destination, after.take()).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            looked_at += page.len();
            let matching = page.into_iter().filter(|one| wanted.matches(one));
            found.extend(matching.map(views::dead_delivery));
            if found.len() >= rows_max || looked_at >= LOOKED_AT_MAX {
                found.truncate(rows_max);
                return Ok(found);
            }
        }
    }
    Ok(found)
}

impl LocalAdmin {
    /// Of the named destination, or of all of them; and the mirrors that could not be read, with why.
    async fn listed(
        &self,
        query: &DeadLetterQuery,
    ) -> Result<(Vec<DeadLetterView>, Vec<(String, String)>), AdminError> {
        let destinations = self.by_kind(query.destination.as_deref()).await?;
        let choice = match (&query.cause, &query.id) {
            (Some(cause), _) => Choice::Cause(cause.clone()),
            (None, Some(id)) => Choice::These(vec![id.clone()]),
            (None, None) => Choice::All,
        };
        let (mut found, mut unread) = (Vec::new(), Vec::new());
        for options in &destinations.mirrors {
            match rows(options, &choice).await {
                Ok(rows) => found.extend(rows),
                Err(error) => unread.push((options.destination.clone(), with_causes(&error))),
            }
        }
        let wanted = Retry {
            destinations: destinations.delivered_to,
            ids: query.id.clone().map(|id| vec![id]),
            reason: query.cause.clone(),
        };
        let failed_deliveries = deliveries(&*self.store, &wanted, DELIVERIES_MAX).await;
        found.extend(failed_deliveries.map_err(unavailable)?);
        found.retain(|one| {
            query.id.as_ref().is_none_or(|id| one.id == *id || one.message_id == *id)
        });
        Ok((found, unread))
    }

    async fn by_kind(&self, name: Option<&str>) -> Result<DestinationsByKind, AdminError> {
        let mut destinations = DestinationsByKind::of(&self.config, name);
        let is_empty = destinations.mirrors.is_empty() && destinations.delivered_to.is_empty();
        if let Some(name) = name.filter(|_| is_empty) {
            // A function of the program, or one that is no longer in the config.
            let states = self.store.destinations().await.map_err(unavailable)?;
            if !states.iter().any(|state| *state.name == *name) {
                return Err(AdminError::not_found("destination", name));
            }
            destinations.delivered_to.push(name.to_owned());
        }
        Ok(destinations)
    }
}

#[async_trait]
impl DeadLetters for LocalAdmin {
    async fn dead_letters(
        &self,
        query: &DeadLetterQuery,
    ) -> Result<Vec<DeadLetterView>, AdminError> {
        let (mut found, unread) = self.listed(query).await?;
        if let Some((destination, error)) = unread.into_iter().next().filter(|_| found.is_empty()) {
            return Err(AdminError::Unavailable(format!("{destination}: {error}")));
        }
        found.sort_by_key(|one| std::cmp::Reverse(one.since));
        found.truncate(query.limit.clamp(1, LISTED_MAX) as usize);
        Ok(found)
    }

    async fn dead_letter_causes(&self) -> Result<Vec<DeadLetterCause>, AdminError> {
        let (found, unread) = self.listed(&DeadLetterQuery::default()).await?;
        let mut causes = by_cause(found);
        causes.extend(unread.into_iter().map(|(destination, error)| DeadLetterCause {
            destination,
            part: String::new(),
            cause: None,
            reason: Some(format!("its dead letters cannot be read: {error}")),
            count: 0,
            oldest: None,
            newest: None,
            examples: Vec::new(),
        }));
        Ok(causes)
    }

    async fn retry_dead_letters(
        &self,
        caller: &Caller,
        request: &RetryRequest,
    ) -> Result<Retried, AdminError> {
        let RetryRequest { destination, ids, all, cause } = request;
        let choice = match (ids.is_empty(), all, cause) {
            (false, false, None) => Choice::These(ids.clone()),
            (true, true, None) => Choice::All,
            (true, false, Some(cause)) => Choice::Cause(cause.clone()),
            _ => {
                let message = "expected exactly one of `ids`, `all` and `cause`";
                return Err(AdminError::invalid("ids", message));
            }
        };
        let destinations = self.by_kind(destination.as_deref()).await?;
        let mut asked = 0;
        for options in &destinations.mirrors {
            asked += dead_letters::request_retry(options, &choice).await.map_err(unavailable)?;
        }
        let ids = (!ids.is_empty()).then(|| ids.clone());
        let retry = Retry { destinations: destinations.delivered_to, ids, reason: cause.clone() };
        let answer = self.commands.execute(Request::Retry(retry)).await.map_err(unavailable)?;
        if let Answer::Replayed { deliveries } = answer {
            asked += deliveries;
        }
        let target = destination.as_deref().unwrap_or("all destinations");
        self.audit(caller, "dead_letters.retry", target, Some(format!("{asked} asked for"))).await;
        Ok(Retried { asked })
    }
}

/// Those with one cause together, the most frequent first.
fn by_cause(found: Vec<DeadLetterView>) -> Vec<DeadLetterCause> {
    let mut causes: BTreeMap<(String, String, Option<String>), DeadLetterCause> = BTreeMap::new();
    for one in found {
        let cause = cause_of(&one);
        let key = (one.destination.clone(), one.part.clone(), cause.clone());
        let group = causes.entry(key).or_insert_with(|| DeadLetterCause {
            destination: one.destination.clone(),
            part: one.part.clone(),
            cause,
            reason: one.reason.clone(),
            count: 0,
            oldest: one.since,
            newest: one.since,
            examples: Vec::new(),
        });
        group.count += 1;
        group.oldest = [group.oldest, one.since].into_iter().flatten().min();
        group.newest = group.newest.max(one.since);
        if group.examples.len() < EXAMPLES {
            let id = if one.id.is_empty() { one.message_id } else { one.id };
            group.examples.push(id);
        }
    }
    let mut causes: Vec<_> = causes.into_values().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    causes
}

/// What a retry takes for all of its kind.
fn cause_of(one: &DeadLetterView) -> Option<String> {
    match one.part.as_str() {
        DELIVERY => one.reason.clone(),
        _ => [&one.constraint, &one.cause, &one.table, &one.reason]
            .into_iter()
            .flatten()
            .next()
            .cloned(),
    }
}
