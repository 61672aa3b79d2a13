//! The rest of what is asked: one destination `app`, and a note of each change that somebody asked for.

use std::collections::BTreeMap;

use async_trait::async_trait;
use deskbell_admin::{
    AdminError, AlertView, AttemptPage, AttemptQuery, AttemptResult, AttemptView, Attempts,
    AuditEntry, AuditPage, Caller, DeadLetterCause, DeadLetterQuery, DeadLetterView, DeadLetters,
    DestinationStats, DestinationView, Destinations, Endpoint, EndpointSettings, Endpoints,
    ExplainedRow, ExplainedValue, Explanation, MirrorView, Mirrors, NewEndpoint, Overview,
    OverviewReader, ReplayRequest, ReplayStatus, Replays, Retried, RetryRequest, SealedSecret,
    Settings, SettingsView, Timestamp, ValueFrom,
};
use serde_json::json;

use super::MemoryAdmin;

/// An error that repeats a row's value.
const QUOTING: &str = "Key (email)=(ada@example.com) already exists.";

fn named(name: &str) -> Result<DestinationView, AdminError> {
    if name != "app" {
        return Err(AdminError::not_found("destination", name));
    }
    let view = json!({
        "name": name, "type": "http", "state": "blocked", "head": 3,
        "summary": format!("blocked: {QUOTING}"), "reason": QUOTING,
    });
    Ok(serde_json::from_value(view).unwrap())
}

pub(super) fn explanation(id: &str) -> Result<Explanation, AdminError> {
    if id != "user_1" {
        return Err(AdminError::not_found("entity or event", id));
    }
    let value = |value: &str| ExplainedValue {
        value: value.into(),
        from: ValueFrom::Event,
        message_id: Some("msg_1".to_owned()),
        seq: Some(1),
    };
    let columns = [("id", "user_1"), ("first_name", "Ada")];
    let columns = columns.map(|(name, text)| (name.to_owned(), value(text)));
    let (destination, table) = ("mirror".to_owned(), "clerk_users".to_owned());
    let row = ExplainedRow { destination, table, columns: BTreeMap::from(columns) };
    let (unread, events) = Default::default();
    Ok(Explanation {
        without_row: Vec::new(),
        subject: Some(id.to_owned()),
        rows: vec![row],
        unread,
        events,
        has_more: false,
    })
}

#[async_trait]
impl Destinations for MemoryAdmin {
    async fn destinations(&self) -> Result<Vec<DestinationView>, AdminError> {
        self.check()?;
        Ok(vec![named("app")?])
    }

    async fn destination(&self, name: &str) -> Result<DestinationView, AdminError> {
        named(name)
    }

    async fn pause(&self, caller: &Caller, name: &str) -> Result<(), AdminError> {
        self.note(format!("{} pauses {name}", caller.name));
        named(name).map(|_| ())
    }

    async fn resume(&self, caller: &Caller, name: &str) -> Result<(), AdminError> {
        self.note(format!("{} resumes {name}", caller.name));
        named(name).map(|_| ())
    }

    async fn destination_stats(
        &self,
        name: &str,
        since: Timestamp,
        until: Timestamp,
        buckets: u32,
    ) -> Result<DestinationStats, AdminError> {
        named(name)?;
        self.note(format!("stats of {name} over {} ms in {buckets}", until.0 - since.0));
        let (pending, delivered, failed) = Default::default();
        let buckets = Vec::new();
        Ok(DestinationStats { since, until, pending, delivered, failed, buckets, complete: true })
    }

    async fn send_example(
        &self,
        caller: &Caller,
        name: &str,
        event_type: &str,
    ) -> Result<String, AdminError> {
        named(name)?;
        self.note(format!("{} sends {event_type} to {name}", caller.name));
        Ok("msg_example".to_owned())
    }
}

#[async_trait]
impl Attempts for MemoryAdmin {
    async fn attempts(&self, query: &AttemptQuery) -> Result<AttemptPage, AdminError> {
        self.note(format!("attempts {query:?}"));
        Ok(AttemptPage { attempts: vec![attempt("atmpt_1")], next: None })
    }

    async fn attempt(&self, id: &str) -> Result<AttemptView, AdminError> {
        Ok(attempt(id))
    }
}

fn attempt(id: &str) -> AttemptView {
    AttemptView {
        id: id.to_owned(),
        destination: "app".to_owned(),
        source: "clerk".to_owned(),
        message_id: "msg_1".to_owned(),
        seq: 1,
        event_type: "user.created".to_owned(),
        number: 1,
        started_at: Timestamp(0),
        took_ms: 5,
        result: AttemptResult::Failed,
        status: Some(500),
        error: Some("it answered 500".to_owned()),
        reply_bytes: 3,
        reply: Some("Ada".to_owned()),
    }
}

#[async_trait]
impl DeadLetters for MemoryAdmin {
    async fn dead_letters(
        &self,
        query: &DeadLetterQuery,
    ) -> Result<Vec<DeadLetterView>, AdminError> {
        self.note(format!("dead letters {query:?}"));
        let letter = json!({
            "state": "failed", "destination": "app", "part": "", "source": "clerk",
            "message_id": "msg_1", "type": "user.created", "entity": "user", "id": "user_1",
            "reason": QUOTING, "cause": "23505",
        });
        Ok(vec![serde_json::from_value(letter).unwrap()])
    }

    async fn dead_letter_causes(&self) -> Result<Vec<DeadLetterCause>, AdminError> {
        let cause = json!({
            "destination": "app", "part": "", "cause": QUOTING, "reason": QUOTING, "count": 1,
            "examples": ["user_1"],
        });
        Ok(vec![serde_json::from_value(cause).unwrap()])
    }

    async fn retry_dead_letters(
        &self,
        caller: &Caller,
        request: &RetryRequest,
    ) -> Result<Retried, AdminError> {
        self.note(format!("{} retries {:?}", caller.name, request.ids));
        Ok(Retried { asked: request.ids.len() as u64 })
    }
}

#[async_trait]
impl Mirrors for MemoryAdmin {
    async fn mirrors(&self) -> Result<Vec<MirrorView>, AdminError> {
        Ok(vec![self.mirror("app").await?])
    }

    async fn mirror(&self, name: &str) -> Result<MirrorView, AdminError> {
        Ok(MirrorView {
            destination: named(name)?,
            tables: Vec::new(),
            error: Some(QUOTING.to_owned()),
        })
    }
}

#[async_trait]
impl OverviewReader for MemoryAdmin {
    async fn overview(&self) -> Result<Overview, AdminError> {
        Ok(Overview {
            version: "0.0.0".to_owned(),
            now: Timestamp(0),
            head: 3,
            minutes: Vec::new(),
            ack_latency: None,
            sources: Vec::new(),
            destinations: vec![named("app")?],
            duplicates: 0,
            refused: Vec::new(),
            alerts: self.open_alerts().await?,
        })
    }

    async fn open_alerts(&self) -> Result<Vec<AlertView>, AdminError> {
        Ok(vec![AlertView {
            kind: "destination_failing".to_owned(),
            about: "app".to_owned(),
            since: Timestamp(0),
            message: "every attempt has failed".to_owned(),
        }])
    }
}

#[async_trait]
impl Replays for MemoryAdmin {
    async fn replay(
        &self,
        caller: &Caller,
        request: ReplayRequest,
    ) -> Result<ReplayStatus, AdminError> {
        self.note(format!("{} replays {:?}", caller.name, request.message_id));
        // What a search finds takes longer.
        let done = request.matching.is_none();
        let begun = ReplayStatus { deliveries: 1, events: 1, done, ..ReplayStatus::default() };
        Ok(ReplayStatus { id: Some(7), ..begun })
    }

    async fn replay_status(&self, id: i64) -> Result<ReplayStatus, AdminError> {
        match id {
            7 => {
                let done = ReplayStatus { done: true, ..ReplayStatus::default() };
                Ok(ReplayStatus { id: Some(id), deliveries: 1, events: 1, ..done })
            }
            _ => Err(AdminError::not_found("replay", &id.to_string())),
        }
    }
}

#[async_trait]
impl Settings for MemoryAdmin {
    async fn settings(&self) -> Result<SettingsView, AdminError> {
        let retention = json!({
            "payloads": "100d", "events": "100d", "attempts": "30d", "erase_on_delete": false,
        });
        let view = json!({ "version": "0.0.0", "config": {}, "toml": "", "retention": retention });
        Ok(serde_json::from_value(view).unwrap())
    }

    async fn audit(&self, before: Option<i64>, limit: u32) -> Result<AuditPage, AdminError> {
        self.note(format!("audit {before:?} {limit}"));
        let entry = AuditEntry {
            number: 1,
            at: Timestamp(0),
            who: "admin token".to_owned(),
            action: "token.create".to_owned(),
            target: "app".to_owned(),
            details: None,
        };
        Ok(AuditPage { entries: vec![entry], next: None })
    }
}

/// No route of our own changes endpoints.
fn no_endpoints<T>() -> Result<T, AdminError> {
    Err(AdminError::NotSupported("endpoints".to_owned()))
}

type Headers = BTreeMap<String, SealedSecret>;

#[async_trait]
impl Endpoints for MemoryAdmin {
    fn sources(&self) -> Vec<String> {
        vec!["clerk".to_owned()]
    }

    async fn endpoints(&self, _: &str) -> Result<Vec<Endpoint>, AdminError> {
        no_endpoints()
    }

    async fn endpoint(&self, _: &str, _: &str) -> Result<Endpoint, AdminError> {
        no_endpoints()
    }

    async fn create_endpoint(
        &self,
        _: &Caller,
        _: &str,
        _: NewEndpoint,
    ) -> Result<Endpoint, AdminError> {
        no_endpoints()
    }

    async fn update_endpoint(
        &self,
        _: &Caller,
        _: &str,
        _: &str,
        _: EndpointSettings,
    ) -> Result<Endpoint, AdminError> {
        no_endpoints()
    }

    async fn delete_endpoint(&self, _: &Caller, _: &str, _: &str) -> Result<(), AdminError> {
        no_endpoints()
    }

    async fn endpoint_headers(&self, _: &str, _: &str) -> Result<Headers, AdminError> {
        no_endpoints()
    }

    async fn set_endpoint_headers(
        &self,
        _: &Caller,
        _: &str,
        _: &str,
        _: Headers,
    ) -> Result<(), AdminError> {
        no_endpoints()
    }

    async fn endpoint_secret(
        &self,
        _: &Caller,
        _: &str,
        _: &str,
    ) -> Result<SealedSecret, AdminError> {
        no_endpoints()
    }

    async fn rotate_endpoint_secret(
        &self,
        _: &Caller,
        _: &str,
        _: &str,
        _: Option<SealedSecret>,
    ) -> Result<(), AdminError> {
        no_endpoints()
    }
}
