//! What the routes ask of everything else.

use async_trait::async_trait;
use deskbell_admin::{
    Access, AdminError, AlertView, AuditPage, Caller, DeadLetterCause, DeadLetterQuery,
    DeadLetterState, DeadLetterView, DeadLetters, DestinationStats, DestinationView, Destinations,
    MirrorView, Mirrors, NewSession, Overview, OverviewReader, ReplayRequest, ReplayStatus,
    Replays, Retried, RetryRequest, Session, Settings, SettingsView, Timestamp, TokenView, catalog,
};
use deskbell_store::{AccessToken, TokenRole};

use super::{Desk, SOURCE};

fn unasked<T>() -> Result<T, AdminError> {
    Err(AdminError::NotSupported("no route of Svix's asks for this".into()))
}

#[async_trait]
impl Destinations for Desk {
    async fn destinations(&self) -> Result<Vec<DestinationView>, AdminError> {
        unasked()
    }

    async fn destination(&self, _: &str) -> Result<DestinationView, AdminError> {
        unasked()
    }

    async fn pause(&self, _: &Caller, _: &str) -> Result<(), AdminError> {
        unasked()
    }

    async fn resume(&self, _: &Caller, _: &str) -> Result<(), AdminError> {
        unasked()
    }

    async fn destination_stats(
        &self,
        name: &str,
        since: Timestamp,
        until: Timestamp,
        _: u32,
    ) -> Result<DestinationStats, AdminError> {
        let state = self.open()?;
        let attempts = state.attempts.iter().filter(|attempt| {
            attempt.destination == name && (since..until).contains(&attempt.started_at)
        });
        let attempts: Vec<_> = attempts.collect();
        let delivered = attempts.iter().filter(|attempt| attempt.error.is_none()).count() as u64;
        let pending = state
            .deliveries
            .iter()
            .filter(|((_, destination), delivery)| destination == name && **delivery == "pending");
        Ok(DestinationStats {
            since,
            until,
            pending: pending.count() as u64,
            delivered,
            failed: attempts.len() as u64 - delivered,
            buckets: Vec::new(),
            complete: true,
        })
    }

    async fn send_example(
        &self,
        _: &Caller,
        name: &str,
        event_type: &str,
    ) -> Result<String, AdminError> {
        let known = catalog().into_iter().find(|known| known.event_type == event_type);
        let known = known.ok_or_else(|| AdminError::not_found("event type", event_type))?;
        let mut state = self.open()?;
        let id = format!("msg_example_{}", state.events.len());
        let seq = state.append(SOURCE, &id, event_type, &known.sample, "example");
        state.deliveries.insert((seq, name.into()), "pending");
        Ok(id)
    }
}

#[async_trait]
impl Replays for Desk {
    async fn replay(&self, _: &Caller, request: ReplayRequest) -> Result<ReplayStatus, AdminError> {
        let mut state = self.open()?;
        state.replays.push(request);
        let id = i64::try_from(state.replays.len()).ok();
        Ok(ReplayStatus { id, deliveries: 2, ..ReplayStatus::default() })
    }

    async fn replay_status(&self, id: i64) -> Result<ReplayStatus, AdminError> {
        let known = i64::try_from(self.open()?.replays.len()).unwrap();
        match (1..=known).contains(&id) {
            true => {
                let done = ReplayStatus { deliveries: 2, done: true, ..ReplayStatus::default() };
                Ok(ReplayStatus { id: Some(id), events: 5, ..done })
            }
            false => Err(AdminError::not_found("replay", &id.to_string())),
        }
    }
}

#[async_trait]
impl DeadLetters for Desk {
    async fn dead_letters(
        &self,
        query: &DeadLetterQuery,
    ) -> Result<Vec<DeadLetterView>, AdminError> {
        let state = self.open()?;
        let dead = state.deliveries.iter().filter(|(_, delivery)| **delivery == "dead_lettered");
        let views = dead.filter_map(|((seq, destination), _)| {
            let event = &state.events[usize::try_from(seq - 1).ok()?].summary;
            let is_wanted = query.id.as_ref().is_none_or(|id| *id == event.message_id)
                && query.destination.as_ref().is_none_or(|wanted| wanted == destination);
            is_wanted.then(|| DeadLetterView {
                state: DeadLetterState::Failed,
                since: None,
                destination: destination.clone(),
                part: "delivery".into(),
                source: event.source.clone(),
                message_id: event.message_id.clone(),
                event_type: event.event_type.clone(),
                entity: String::new(),
                id: String::new(),
                reason: None,
                cause: None,
                constraint: None,
                table: None,
                title: None,
                attempts: None,
            })
        });
        Ok(views.collect())
    }

    async fn dead_letter_causes(&self) -> Result<Vec<DeadLetterCause>, AdminError> {
        unasked()
    }

    async fn retry_dead_letters(
        &self,
        _: &Caller,
        _: &RetryRequest,
    ) -> Result<Retried, AdminError> {
        unasked()
    }
}

#[async_trait]
impl Mirrors for Desk {
    async fn mirrors(&self) -> Result<Vec<MirrorView>, AdminError> {
        unasked()
    }

    async fn mirror(&self, _: &str) -> Result<MirrorView, AdminError> {
        unasked()
    }
}

#[async_trait]
impl OverviewReader for Desk {
    async fn overview(&self) -> Result<Overview, AdminError> {
        unasked()
    }

    async fn open_alerts(&self) -> Result<Vec<AlertView>, AdminError> {
        unasked()
    }
}

#[async_trait]
impl Settings for Desk {
    async fn settings(&self) -> Result<SettingsView, AdminError> {
        unasked()
    }

    async fn audit(&self, _: Option<i64>, _: u32) -> Result<AuditPage, AdminError> {
        unasked()
    }
}

#[async_trait]
impl Access for Desk {
    async fn token(&self, _: &AccessToken) -> Result<Option<Caller>, AdminError> {
        unasked()
    }

    async fn tokens(&self) -> Result<Vec<TokenView>, AdminError> {
        unasked()
    }

    async fn create_token(
        &self,
        _: &Caller,
        _: &str,
        _: TokenRole,
    ) -> Result<AccessToken, AdminError> {
        unasked()
    }

    async fn revoke_token(&self, _: &Caller, _: &str) -> Result<(), AdminError> {
        unasked()
    }

    async fn begin_session(&self, _: &Caller) -> Result<NewSession, AdminError> {
        unasked()
    }

    async fn redeem_code(&self, _: &AccessToken) -> Result<Option<NewSession>, AdminError> {
        unasked()
    }

    async fn session(&self, _: &AccessToken) -> Result<Option<Session>, AdminError> {
        unasked()
    }

    async fn end_session(&self, _: &AccessToken) -> Result<(), AdminError> {
        unasked()
    }
}
