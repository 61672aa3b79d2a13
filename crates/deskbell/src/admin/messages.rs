//! Messages that somebody makes through the API: events that mirrors never see.

use std::sync::Arc;

use clerk_webhooks::Envelope;
use deskbell_admin::{AdminError, NewMessage};
use deskbell_store::deliveries::{DeliveryKey, NewDelivery};
use deskbell_store::{Appended, ID_BYTES_MAX, NewEvent, Origin, Seq};
use rand::Rng;
use rand::distr::Alphanumeric;

use super::local::LocalAdmin;
use crate::unavailable::unavailable;

/// Bytes of a payload, as of one that Clerk sends.
const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// Random characters of an id.
const ID_CHARS: usize = 27;

/// Writes the message to the log, and returns its id.
pub(super) async fn create(admin: &LocalAdmin, message: NewMessage) -> Result<String, AdminError> {
    let event = event(admin, &message).await?;
    let (id, subject) = (event.message_id.clone(), event.subject.clone());
    let appended = admin.log.append(event).await.map_err(unavailable)?;
    let Appended::New(seq) = appended else { return Err(already_there(&id)) };
    if let Some(destination) = message.destination {
        enqueue(admin, &destination, seq, subject).await?;
    }
    Ok(id)
}

/// Makes the message pending for one destination, whatever its filter.
async fn enqueue(
    admin: &LocalAdmin,
    destination: &str,
    seq: Seq,
    subject: Option<String>,
) -> Result<(), AdminError> {
    let key = DeliveryKey { destination: destination.into(), seq };
    let added = admin.store.enqueue(&[NewDelivery { key, subject }]).await.map_err(unavailable)?;
    if added == 0 {
        return Err(AdminError::not_found("destination", destination));
    }
    admin.store.due(destination).notify_one();
    Ok(())
}

async fn event(admin: &LocalAdmin, message: &NewMessage) -> Result<NewEvent, AdminError> {
    let NewMessage { source, message_id, event_type, payload, destination } = message;
    if !admin.config.sources.iter().any(|known| known.name == *source) {
        return Err(AdminError::not_found("source", source));
    }
    let is_id = |text: &str| !text.is_empty() && text.len() <= ID_BYTES_MAX;
    if !is_id(event_type) {
        return Err(AdminError::invalid("eventType", expected_id()));
    }
    let message_id = match message_id {
        Some(id) if !is_id(id) => return Err(AdminError::invalid("eventId", expected_id())),
        Some(id) if admin.store.find(source, id).await.map_err(unavailable)?.is_some() => {
            return Err(already_there(id));
        }
        Some(id) => id.clone(),
        None => random_id("msg_"),
    };
    let payload = serde_json::to_vec(payload).map_err(unavailable)?;
    if payload.len() > PAYLOAD_BYTES_MAX {
        let message = format!("expected at most {PAYLOAD_BYTES_MAX} bytes");
        return Err(AdminError::invalid("payload", message));
    }
    let envelope = Envelope::parse(&payload).ok();
    let subject = envelope.as_ref().and_then(|envelope| envelope.subject().map(Into::into));
    Ok(NewEvent {
        source: Arc::from(source.as_str()),
        message_id,
        event_type: event_type.clone(),
        subject: subject.filter(|subject: &String| is_id(subject)),
        occurred_at_ms: admin.store.now_ms().await.map_err(unavailable)?,
        instance_id: None,
        payload: payload.into(),
        // One for a single destination is routed to no other.
        origin: if destination.is_some() { Origin::Example } else { Origin::Api },
    })
}

fn expected_id() -> String {
    format!("expected 1 to {ID_BYTES_MAX} bytes")
}

fn already_there(id: &str) -> AdminError {
    AdminError::Conflict(format!("a message `{id}` already exists"))
}

/// A random id that begins with this.
pub(super) fn random_id(prefix: &str) -> String {
    let random = rand::rng().sample_iter(Alphanumeric).take(ID_CHARS).map(char::from);
    prefix.chars().chain(random).collect()
}
