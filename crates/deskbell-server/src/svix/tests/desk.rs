//! A Deskbell in memory: endpoints, events, deliveries and attempts.

mod endpoints;
mod events;
mod others;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use deskbell_admin::{
    Admin, AdminError, AttemptResult, AttemptView, Endpoint, EndpointSettings, EventSummary,
    ReplayRequest, SealedSecret, Timestamp,
};
use serde_json::Value;

/// The source of all tests.
pub(super) const SOURCE: &str = "clerk";
/// A time in 2026.
pub(super) const START_MS: i64 = 1_795_248_000_000;

pub(super) struct Desk {
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) endpoints: BTreeMap<String, StoredEndpoint>,
    pub(super) events: Vec<StoredEvent>,
    pub(super) attempts: Vec<AttemptView>,
    /// The state of each delivery, by the event's number and the destination.
    pub(super) deliveries: BTreeMap<(i64, String), &'static str>,
    pub(super) replays: Vec<ReplayRequest>,
    /// Whether the store cannot be used.
    pub(super) is_away: bool,
    pub(super) endpoints_made: usize,
}

pub(super) struct StoredEndpoint {
    pub(super) endpoint: Endpoint,
    pub(super) headers: BTreeMap<String, SealedSecret>,
    pub(super) secret: String,
}

pub(super) struct StoredEvent {
    pub(super) summary: EventSummary,
    pub(super) payload: Bytes,
}

impl Admin for Desk {}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    /// One with the endpoint `crm` of the config file.
    pub(super) fn new() -> Arc<Self> {
        let desk = Arc::new(Self { state: Mutex::default() });
        let settings = EndpointSettings {
            url: "https://crm.example.com/hooks".into(),
            events: Some(vec!["user.*".into()]),
            ..EndpointSettings::default()
        };
        let endpoint = Endpoint {
            id: "crm".into(),
            settings,
            read_only: true,
            created_at: Timestamp(START_MS),
            updated_at: Timestamp(START_MS),
        };
        let stored = StoredEndpoint {
            endpoint,
            headers: BTreeMap::new(),
            secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into(),
        };
        desk.lock().endpoints.insert("crm".into(), stored);
        desk
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The state, if the store can be used.
    pub(super) fn open(&self) -> Result<MutexGuard<'_, State>, AdminError> {
        let state = self.lock();
        match state.is_away {
            true => Err(AdminError::Unavailable("connection refused".into())),
            false => Ok(state),
        }
    }

    /// Adds an event that Clerk sent; its number.
    pub(super) fn receive(&self, source: &str, id: &str, event_type: &str, payload: &Value) -> i64 {
        self.lock().append(source, id, event_type, payload, "webhook")
    }

    /// Adds an attempt, after which the delivery is in this state.
    pub(super) fn attempt(&self, seq: i64, destination: &str, status: u16, state: &'static str) {
        let mut desk = self.lock();
        let event = desk.events[usize::try_from(seq - 1).unwrap()].summary.clone();
        let number = 1 + desk
            .attempts
            .iter()
            .filter(|attempt| attempt.seq == seq && attempt.destination == destination)
            .count();
        let is_delivered = (200..300).contains(&status);
        let started_at = Timestamp(START_MS + 60_000 + 1_000 * desk.attempts.len() as i64);
        desk.attempts.push(AttemptView {
            id: format!("atmpt_{seq}_{number}_{destination}"),
            destination: destination.into(),
            source: event.source,
            message_id: event.message_id,
            seq,
            event_type: event.event_type,
            number: u32::try_from(number).unwrap(),
            started_at,
            took_ms: 12,
            result: if is_delivered { AttemptResult::Delivered } else { AttemptResult::Failed },
            status: Some(status).filter(|status| *status > 0),
            error: (!is_delivered).then(|| "the connection was refused".into()),
            reply_bytes: 5,
            reply: Some("reply".into()),
        });
        desk.deliveries.insert((seq, destination.into()), state);
    }
}

impl State {
    pub(super) fn append(
        &mut self,
        source: &str,
        id: &str,
        event_type: &str,
        payload: &Value,
        origin: &str,
    ) -> i64 {
        let seq = 1 + i64::try_from(self.events.len()).unwrap();
        let payload = Bytes::from(payload.to_string());
        let at = Timestamp(START_MS + seq * 1_000);
        let summary = EventSummary {
            seq,
            source: source.into(),
            message_id: id.into(),
            event_type: event_type.into(),
            subject: None,
            occurred_at: at,
            received_at: at,
            instance_id: None,
            origin: origin.into(),
            verified_by: "signature".into(),
            payload_bytes: payload.len(),
            delivery_counts: None,
        };
        self.events.push(StoredEvent { summary, payload });
        seq
    }
}
