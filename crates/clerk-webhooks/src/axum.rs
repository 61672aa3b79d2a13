//! Extractors for [axum](https://docs.rs/axum): a handler's argument is an event that was verified.
//!
//! The application's state is a [`Verifier`], or gives one by [`FromRef`]. The body is limited
//! ([`body_bytes_max`](crate::VerifierBuilder::body_bytes_max), whatever axum's `DefaultBodyLimit` says), read, verified as raw
//! bytes, and only then parsed. Put no layer before it that changes the body.
//!
//! ```
//! use axum::{Router, routing::post};
//! use clerk_webhooks::axum::ClerkEvent;
//! use clerk_webhooks::{EventData, Secret, Verifier};
//!
//! async fn webhook(ClerkEvent(event): ClerkEvent) {
//!     match event.data {
//!         EventData::UserCreated(user) => println!("welcome, {:?}", user.primary_email_address()),
//!         _ => println!("{}", event.event_type),
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let verifier = Verifier::new(Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?);
//! let app: Router = Router::new().route("/api/webhooks", post(webhook)).with_state(verifier);
//! # Ok(())
//! # }
//! ```
//!
//! A handler that takes `Result<ClerkEvent, WebhookRejection>` sees, and can log, why a request was turned away; so does
//! a layer, which finds the [`WebhookRejection`] in the extensions of the answer.

use axum_core::extract::{FromRef, FromRequest, Request};
use axum_core::response::{IntoResponse, Response};

pub use crate::rejection::WebhookRejection;
pub use crate::tower::VerifyLayer;

use crate::event::Event;
use crate::tower::{receive, respond};
use crate::verified::VerifiedMessage;
use crate::verify::Verifier;

/// A verified event. A verified message that is no event is turned away with 400, `not_an_event`.
#[derive(Clone, Debug)]
pub struct ClerkEvent(pub Event);

impl<S> FromRequest<S> for ClerkEvent
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = WebhookRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let ClerkMessage(message) = ClerkMessage::from_request(request, state).await?;
        Ok(Self(message.event()?))
    }
}

/// A verified message, whatever its body holds: for those who parse or forward it themselves.
#[derive(Clone, Debug)]
pub struct ClerkMessage(pub VerifiedMessage);

impl<S> FromRequest<S> for ClerkMessage
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = WebhookRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let (head, body) = request.into_parts();
        receive(&Verifier::from_ref(state), &head.headers, body).await.map(Self)
    }
}

impl IntoResponse for WebhookRejection {
    fn into_response(self) -> Response {
        respond(self)
    }
}
