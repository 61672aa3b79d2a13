//! The way in: verify, read the envelope, hand the event to the log, answer when it is durable.

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use clerk_webhooks::{NoSecret, NotAnEvent, SignatureHeaders, Verified, Verifier, VerifyError};
use deskbell_store::clock;
use deskbell_store::{Appended, EventLog, ID_BYTES_MAX, LogHandle, NewEvent, Origin, SubmitError};
use http::request::Parts;
use http_body::Body as _;

use crate::body::{BodyError, BodyReader, Timeliness};
use crate::changed_duplicates::ChangedDuplicates;
use crate::client::Client;
use crate::client_address::{AllowedClients, NotAllowed};
use crate::metrics::IngestMetrics;
use crate::refusals::{Refusals, RefusedRequests};
use crate::replies::{self, Refusal};
use crate::source_config::SourceConfig;

/// One Clerk instance that sends to us.
#[derive(Debug)]
pub struct Source {
    /// Its name, which its events have in the log.
    pub name: Arc<str>,
    /// The paths that it posts to.
    pub paths: Vec<String>,
    pub verifier: Verifier,
}

impl Source {
    /// The source of this config.
    ///
    /// # Errors
    /// It has no secret.
    pub fn new(config: &SourceConfig) -> Result<Self, NoSecret> {
        let secrets = config.signing_secrets.iter().map(|secret| &secret.0);
        let verifier =
            Verifier::builder().secrets(secrets).tolerance(config.tolerance.0).build()?;
        Ok(Self { name: config.name.as_str().into(), paths: config.path.clone(), verifier })
    }
}

/// What a stranger may send.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Bytes in one body; a larger one is answered with 413.
    pub body_bytes_max: usize,
    /// How long a body may take to arrive; a slower one is answered with 408.
    pub body_timeout: Duration,
    /// Bytes that all bodies being read or stored may hold together; beyond, 503.
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
    clients: Arc<AllowedClients>,
    metrics: IngestMetrics,
    duplicates: ChangedDuplicates,
    refusals: Arc<Refusals>,
}

impl Ingest {
    pub(crate) fn new(
        source: Arc<Source>,
        log: LogHandle,
        store: Arc<dyn EventLog>,
        body: BodyReader,
        clients: Arc<AllowedClients>,
        refused: Arc<RefusedRequests>,
    ) -> Self {
        let metrics = IngestMetrics::new(&source.name);
        let duplicates = ChangedDuplicates::new(&source.name, store);
        let refusals = Arc::new(Refusals::new(Arc::clone(&source.name), refused));
        Self { source, log, body, clients, metrics, duplicates, refusals }
    }

    async fn take(
        &self,
        head: &Parts,
        body: &mut Body,
        client: Option<&Client>,
    ) -> Result<Appended, Refusal> {
        let peer = client.map(|client| client.peer.ip());
        self.clients.check(peer, &head.headers).map_err(|error| self.not_allowed(error))?;
        self.body.check_announced(body).map_err(|error| self.not_read(error))?;
        let headers =
            SignatureHeaders::from_map(&head.headers).map_err(|error| self.not_verified(&error))?;
        let timeliness = self.well_formed(&headers)?;
        let body = self.body.read(body, timeliness, client).await;
        let body = body.map_err(|error| self.not_read(error))?;
        let event = self.verify(&headers, &body.bytes)?;
        self.append(event, &body.bytes).await
    }

    async fn append(&self, event: NewEvent, body: &Bytes) -> Result<Appended, Refusal> {
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
            self.duplicates.compare(message_id, body);
        }
        Ok(appended)
    }

    /// Refuses what cannot verify whatever its body is: that body needs no room.
    fn well_formed(&self, headers: &SignatureHeaders<'_>) -> Result<Timeliness, Refusal> {
        let verifier = &self.source.verifier;
        let now = clock::now();
        let is_signature = |token: &[u8]| token.starts_with(b"v1,") || token.starts_with(b"v1a,");
        let seconds = headers.timestamp().parse().ok().filter(|_| {
            let digits = headers.timestamp().bytes().all(|byte| byte.is_ascii_digit());
            digits && headers.signatures().any(is_signature)
        });
        let Some(seconds) = seconds else {
            // It names what is missing.
            return match verifier.verify_headers(headers, b"", now) {
                Err(error) => Err(self.not_verified(&error)),
                Ok(_) => Ok(Timeliness::InTime),
            };
        };
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let is_in_time = now.abs_diff(seconds) <= verifier.tolerance().as_secs();
        Ok(if is_in_time { Timeliness::InTime } else { Timeliness::Late })
    }

    fn verify(&self, headers: &SignatureHeaders<'_>, body: &Bytes) -> Result<NewEvent, Refusal> {
        let verifier = &self.source.verifier;
        let verified = verifier
            .verify_headers(headers, body, clock::now())
            .map_err(|error| self.not_verified(&error))?;
        if verified.id().len() > ID_BYTES_MAX {
            return Err(self.id_too_long(verified.id().len()));
        }
        let event = new_event(&self.source.name, &verified, body);
        event.map_err(|error| self.not_an_event(verified.id(), &error))
    }

    fn not_allowed(&self, error: NotAllowed) -> Refusal {
        self.refusals.note("not_allowed", error);
        Refusal::Forbidden
    }

    fn not_read(&self, error: BodyError) -> Refusal {
        self.refusals.note(error.reason(), error);
        error.into()
    }

    fn not_verified(&self, error: &VerifyError) -> Refusal {
        self.refusals.not_verified(error);
        self.metrics.verification_failed(error.code());
        Refusal::VerificationFailed
    }

    fn not_an_event(&self, message_id: &str, error: &NotAnEvent) -> Refusal {
        let id = message_id;
        self.refusals.note("not_an_event", format_args!("message {id} is authentic, but {error}"));
        Refusal::NotAnEvent
    }

    fn id_too_long(&self, bytes: usize) -> Refusal {
        let error = format_args!(
            "the message id of an authentic request has {bytes} bytes, and {ID_BYTES_MAX} are kept"
        );
        self.refusals.note("id_too_long", error);
        Refusal::NotAnEvent
    }

    fn not_written(&self, error: &SubmitError) -> Refusal {
        self.refusals.note("not_written", error);
        Refusal::Overloaded
    }
}

/// `POST` on a source's path.
pub(crate) async fn receive(State(ingest): State<Arc<Ingest>>, request: Request) -> Response {
    let started = Instant::now();
    let (head, mut body) = request.into_parts();
    let client = head.extensions.get::<Arc<Client>>().map(|client| &**client);
    match ingest.take(&head, &mut body, client).await {
        Ok(appended) => {
            if let Some(client) = client {
                client.delivered();
            }
            match appended {
                Appended::New(_) => ingest.metrics.new.increment(1),
                Appended::Duplicate(_) => ingest.metrics.duplicate.increment(1),
            }
            ingest.metrics.duration_seconds.record(started.elapsed());
            replies::received()
        }
        Err(refusal) => {
            ingest.metrics.refused(refusal.code());
            let reply = refusal.into_response();
            // What is left of the body is not read.
            if body.is_end_stream() { reply } else { replies::closing(reply) }
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
    ingest.refusals.note("method_not_allowed", error);
    replies::only_post()
}

fn new_event(
    source: &Arc<str>,
    verified: &Verified<'_>,
    body: &Bytes,
) -> Result<NewEvent, NotAnEvent> {
    NewEvent::of_body(source, verified.id(), verified.timestamp(), body, Origin::Webhook)
}
