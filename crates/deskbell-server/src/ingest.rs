//! The way in: verify, read the envelope, hand the event to the log, answer when it is durable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clerk_webhooks::{Envelope, NotAnEvent, Verified, Verifier, VerifyError};
use deskbell_store::{Appended, ID_BYTES_MAX, LogHandle, NewEvent, Store, SubmitError};
use http::HeaderMap;

use crate::body::{BodyError, BodyReader};
use crate::changed_duplicates::ChangedDuplicates;
use crate::clock;
use crate::metrics::IngestMetrics;
use crate::refusals::{Cause, Refusals};
use crate::replies::{self, Refusal};

/// One Clerk instance that sends to us.
#[derive(Debug)]
pub struct Source {
    /// Its name, which its events bear in the log.
    pub name: Arc<str>,
    /// The paths that it posts to.
    pub paths: Vec<String>,
    /// Checks its signatures.
    pub verifier: Verifier,
}

/// What a stranger may send.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Bytes in one body; a larger one is answered with 413.
    pub body_bytes_max: usize,
    /// How long a body may take to arrive; a slower one is answered with 408.
    pub body_timeout: Duration,
    /// Bytes that all bodies being read or written down may hold together; beyond, 503.
    pub in_flight_bytes_max: usize,
}

impl Default for IngestOptions {
    fn default() -> Self {
        Self {
            body_bytes_max: 1 << 20,
            body_timeout: Duration::from_secs(10),
            in_flight_bytes_max: 64 << 20,
        }
    }
}

/// One source's route, with what it needs.
#[derive(Clone)]
pub(crate) struct Ingest {
    source: Arc<Source>,
    log: LogHandle,
    body: BodyReader,
    metrics: IngestMetrics,
    duplicates: ChangedDuplicates,
    refusals: Arc<Refusals>,
}

impl Ingest {
    pub(crate) fn new(
        source: Arc<Source>,
        log: LogHandle,
        store: Arc<dyn Store>,
        body: BodyReader,
    ) -> Self {
        let metrics = IngestMetrics::new(&source.name);
        let duplicates = ChangedDuplicates::new(&source.name, store);
        let refusals = Arc::new(Refusals::new(Arc::clone(&source.name)));
        Self { source, log, body, metrics, duplicates, refusals }
    }

    async fn take(&self, request: Request) -> Result<Appended, Refusal> {
        let (head, body) = request.into_parts();
        let body = self.body.read(body).await.map_err(|error| self.not_read(error))?;
        let event = self.verify(&head.headers, &body.bytes)?;
        let message_id = event.message_id.clone();
        let shown_type = tracing::enabled!(target: "deskbell::events", tracing::Level::INFO)
            .then(|| event.event_type.clone());
        let appended = self.log.append(event).await.map_err(|error| self.not_written(&error))?;
        let (Appended::New(seq) | Appended::Duplicate(seq)) = &appended;
        let duplicate = matches!(appended, Appended::Duplicate(_));
        if let Some(event_type) = shown_type {
            tracing::info!(target: "deskbell::events", source = %self.source.name,
                event.id = message_id, event.r#type = event_type, seq = seq.get(), duplicate,
                "received");
        }
        if duplicate {
            self.duplicates.compare(message_id, &body.bytes);
        }
        Ok(appended)
    }

    fn verify(&self, headers: &HeaderMap, body: &Bytes) -> Result<NewEvent, Refusal> {
        let verifier = &self.source.verifier;
        let verified = verifier
            .verify(headers, body, clock::now())
            .map_err(|error| self.not_verified(&error))?;
        if verified.id().len() > ID_BYTES_MAX {
            return Err(self.id_too_long(verified.id().len()));
        }
        let event = new_event(&self.source.name, &verified, body);
        event.map_err(|error| self.not_an_event(verified.id(), &error))
    }

    fn not_read(&self, error: BodyError) -> Refusal {
        self.refusals.note(error.cause(), error);
        error.into()
    }

    fn not_verified(&self, error: &VerifyError) -> Refusal {
        self.refusals.note(error.into(), error);
        self.metrics.verification_failed(error.code());
        Refusal::VerificationFailed
    }

    fn not_an_event(&self, message_id: &str, error: &NotAnEvent) -> Refusal {
        let id = message_id;
        self.refusals
            .note(Cause::NotAnEvent, format_args!("message {id} is authentic, but {error}"));
        Refusal::NotAnEvent
    }

    fn id_too_long(&self, bytes: usize) -> Refusal {
        let error = format_args!(
            "the message id of an authentic request has {bytes} bytes, and {ID_BYTES_MAX} are kept"
        );
        self.refusals.note(Cause::IdTooLong, error);
        Refusal::NotAnEvent
    }

    fn not_written(&self, error: &SubmitError) -> Refusal {
        self.refusals.note(Cause::NotWritten, error);
        Refusal::Overloaded
    }
}

/// `POST` on a source's path.
pub(crate) async fn receive(State(ingest): State<Arc<Ingest>>, request: Request) -> Response {
    let started = Instant::now();
    match ingest.take(request).await {
        Ok(appended) => {
            match appended {
                Appended::New(_) => ingest.metrics.new.increment(1),
                Appended::Duplicate(_) => ingest.metrics.duplicate.increment(1),
            }
            ingest.metrics.duration_seconds.record(started.elapsed());
            replies::received()
        }
        Err(refusal) => {
            ingest.metrics.refused(refusal.code());
            refusal.into_response()
        }
    }
}

/// `POST` on a source's path while the store is not open yet.
pub(crate) async fn refuse() -> Response {
    Refusal::Overloaded.into_response()
}

/// Another method on a source's path.
pub(crate) async fn refuse_method(State(ingest): State<Arc<Ingest>>, request: Request) -> Response {
    let error = format_args!("{} was asked for, and only POST is answered", request.method());
    ingest.refusals.note(Cause::Method, error);
    replies::only_post()
}

fn new_event(
    source: &Arc<str>,
    verified: &Verified<'_>,
    body: &Bytes,
) -> Result<NewEvent, NotAnEvent> {
    let envelope = Envelope::parse(verified.body())?;
    Ok(NewEvent {
        source: Arc::clone(source),
        message_id: verified.id().to_owned(),
        // A longer text names nothing of Clerk's. The payload has it all the same.
        subject: envelope.subject().filter(|id| id.len() <= ID_BYTES_MAX).map(Into::into),
        occurred_at_ms: envelope.occurred_at(verified.timestamp()).as_millis(),
        instance_id: envelope.instance_id.as_deref().map(ToOwned::to_owned),
        event_type: envelope.event_type.into_owned(),
        payload: body.clone(),
    })
}
