//! Attempts at deliveries: of a message, of a destination, or of all.

use std::time::Instant;

use async_trait::async_trait;
use deskbell_admin::{AdminError, AttemptPage, AttemptQuery, AttemptView, Attempts};
use deskbell_config::takes_type;
use deskbell_store::Seq;
use deskbell_store::deliveries::{AttemptRange, DeliveryKey, LoggedAttempt};

use super::details;
use super::local::LocalAdmin;
use crate::search::Budget;
use crate::unavailable::unavailable;
use crate::views;

const ATTEMPTS_MAX: u32 = 500;
/// Attempts that are looked through in one query.
const SCANNED_MAX: u32 = 20_000;

#[async_trait]
impl Attempts for LocalAdmin {
    async fn attempts(&self, query: &AttemptQuery) -> Result<AttemptPage, AdminError> {
        match &query.message_id {
            Some(id) => self.of_message(id, query).await,
            None => self.newest(query).await,
        }
    }

    async fn attempt(&self, id: &str) -> Result<AttemptView, AdminError> {
        let not_found = || AdminError::not_found("attempt", id);
        let (seq, number, destination) = views::read_attempt_id(id).ok_or_else(not_found)?;
        let key = DeliveryKey { destination: destination.into(), seq: Seq::new(seq) };
        let found = self.store.logged_attempt(&key, number).await.map_err(unavailable)?;
        found.map(view).ok_or_else(not_found)
    }
}

impl LocalAdmin {
    /// All of one message, the newest first: there are few.
    async fn of_message(&self, id: &str, query: &AttemptQuery) -> Result<AttemptPage, AdminError> {
        let source = query.source.as_deref();
        let events = details::find(&self.config, &*self.store, source, id).await;
        let events = events.map_err(unavailable)?;
        if events.is_empty() {
            return Err(AdminError::not_found("message", id));
        }
        let mut attempts = Vec::new();
        for event in events {
            let head = views::head_of(&event);
            for delivery in self.store.deliveries_of(event.seq).await.map_err(unavailable)? {
                let name = delivery.key.destination;
                attempts.extend(
                    delivery.attempts.into_iter().map(|one| views::attempt(&head, &name, one)),
                );
            }
        }
        attempts.retain(|attempt| takes(query, attempt));
        attempts.sort_by(|a, b| (b.started_at, &b.id).cmp(&(a.started_at, &a.id)));
        let skipped = query.cursor.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let limit = query.limit.clamp(1, ATTEMPTS_MAX) as usize;
        let next = skipped + limit;
        let next = (attempts.len() > next).then(|| next.to_string());
        let page = attempts.into_iter().skip(skipped).take(limit);
        Ok(AttemptPage { attempts: page.collect(), next })
    }

    async fn newest(&self, query: &AttemptQuery) -> Result<AttemptPage, AdminError> {
        let limit = query.limit.clamp(1, ATTEMPTS_MAX);
        let mut range = AttemptRange {
            destination: query.destination.clone(),
            before: query.cursor.clone(),
            attempts_max: limit,
            scanned_max: SCANNED_MAX,
        };
        let mut attempts = Vec::new();
        // A page that is short has a next one.
        let started = Instant::now();
        loop {
            let page = self.store.newest_attempts(&range).await.map_err(unavailable)?;
            let views = page.attempts.into_iter().map(view);
            attempts.extend(views.filter(|attempt| takes(query, attempt)));
            range.before = page.older;
            range.attempts_max = limit.saturating_sub(attempts.len().try_into().unwrap_or(limit));
            let is_over = range.attempts_max == 0 || started.elapsed() >= Budget::LIST.time_max;
            if range.before.is_none() || is_over {
                return Ok(AttemptPage { attempts, next: range.before });
            }
        }
    }
}

fn takes(query: &AttemptQuery, attempt: &AttemptView) -> bool {
    let AttemptQuery { source, destination, types, result, status_class, before, after, .. } =
        query;
    (types.is_empty() || takes_type(types, &attempt.event_type))
        && source.as_ref().is_none_or(|source| *source == attempt.source)
        && destination.as_ref().is_none_or(|name| *name == attempt.destination)
        && result.is_none_or(|result| result == attempt.result)
        && status_class
            .is_none_or(|class| attempt.status.is_some_and(|status| status / 100 == class / 100))
        && before.is_none_or(|before| attempt.started_at < before)
        && after.is_none_or(|after| attempt.started_at > after)
}

fn view(logged: LoggedAttempt) -> AttemptView {
    views::attempt(&logged.event, &logged.key.destination, logged.attempt)
}
