//! Extractors for [actix-web](https://docs.rs/actix-web): a handler's argument is an event that was verified.
//!
//! The application's data holds a [`Verifier`], plain or in a `web::Data`. The body is limited
//! ([`body_bytes_max`](crate::VerifierBuilder::body_bytes_max), whatever `PayloadConfig` says), read, verified as raw bytes, and
//! only then parsed.
//!
//! ```
//! use actix_web::{App, HttpResponse, web};
//! use clerk_webhooks::actix::ClerkEvent;
//! use clerk_webhooks::{EventData, Secret, Verifier};
//!
//! async fn webhook(ClerkEvent(event): ClerkEvent) -> HttpResponse {
//!     match event.data {
//!         EventData::UserCreated(user) => println!("welcome, {:?}", user.primary_email_address()),
//!         _ => println!("{}", event.event_type),
//!     }
//!     HttpResponse::Ok().finish()
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::new(Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?);
//! let app = App::new().app_data(verifier).route("/api/webhooks", web::post().to(webhook));
//! # Ok(())
//! # }
//! ```
//!
//! A handler that takes `Result<ClerkEvent, WebhookRejection>` sees, and can log, why a request was turned away.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, ContentType, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, web};
use futures_util::StreamExt as _;

pub use crate::rejection::WebhookRejection;

use crate::body::LimitedBody;
use crate::clock;
use crate::event::Event;
use crate::headers::SignatureHeaders;
use crate::rejection::{BodyUnreadable, NoVerifier};
use crate::verified::VerifiedMessage;
use crate::verify::Verifier;

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, WebhookRejection>>>>;

/// A verified event. A verified message that is no event is turned away with 400, `not_an_event`.
#[derive(Clone, Debug)]
pub struct ClerkEvent(pub Event);

impl FromRequest for ClerkEvent {
    type Error = WebhookRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let message = ClerkMessage::from_request(request, payload);
        Box::pin(async move { Ok(Self(message.await?.0.event()?)) })
    }
}

/// A verified message, whatever its body holds: for those who parse or forward it themselves.
#[derive(Clone, Debug)]
pub struct ClerkMessage(pub VerifiedMessage);

impl FromRequest for ClerkMessage {
    type Error = WebhookRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move { receive(&request, payload).await.map(Self) })
    }
}

impl ResponseError for WebhookRejection {
    fn status_code(&self) -> actix_web::http::StatusCode {
        actix_web::http::StatusCode::from_u16(self.status().as_u16())
            .unwrap_or(actix_web::http::StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).content_type(ContentType::json()).body(self.body())
    }
}

async fn receive(
    request: &HttpRequest,
    mut payload: Payload,
) -> Result<VerifiedMessage, WebhookRejection> {
    let verifier = verifier(request)?;
    let mut body = LimitedBody::new(verifier.body_bytes_max(), content_length(request))?;
    while let Some(chunk) = payload.next().await {
        body.push(chunk.map_err(|error| BodyUnreadable::new(error.to_string()))?)?;
    }
    let body = body.finish();
    let headers = SignatureHeaders::from_fn(|name| {
        request.headers().get_all(name).map(HeaderValue::as_bytes)
    })?;
    Ok(verifier.verify_headers(&headers, &body, clock::now())?.with_body(body.clone()))
}

fn verifier(request: &HttpRequest) -> Result<&Verifier, NoVerifier> {
    let shared = || request.app_data::<web::Data<Verifier>>().map(web::Data::get_ref);
    request.app_data::<Verifier>().or_else(shared).ok_or(NoVerifier)
}

fn content_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
