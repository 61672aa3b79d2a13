//! Verify, sign and read Clerk (and Svix) webhooks: constant-time verification, typed events, a catalog, and extractors for axum and actix-web.
//!
//! The library does no I/O and reads no clock: the time is an argument. Verification works on the raw bytes of the body,
//! before anything parses them.
//!
//! ```
//! use clerk_webhooks::{EventData, HeaderFamily, Secret, Signer, Verifier};
//! use std::time::{Duration, SystemTime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let body = br#"{"type": "user.created", "data": {"id": "user_1", "first_name": "Ada"}}"#;
//!
//! // What Clerk does:
//! let headers = Signer::new(&secret)?.sign("msg_1", 1_700_000_000, body).to_map(HeaderFamily::Svix)?;
//!
//! // What you do, with `SystemTime::now()`:
//! let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_042);
//! let verified = Verifier::new(secret).verify(&headers, body, now)?;
//! assert_eq!(verified.id(), "msg_1");
//!
//! let event = verified.event()?;
//! let EventData::UserCreated(user) = event.data else { panic!("{}", event.event_type) };
//! assert_eq!(user.full_name().as_deref(), Some("Ada"));
//! # Ok(())
//! # }
//! ```
//!
//! - To verify: [`Secret`], [`Verifier`], [`Verified`], and [`VerifyError`] with the reason why not.
//! - To read: [`Envelope`], which is cheap, [`EventHead`], which is cheaper, or [`Event`], which is typed.
//! - To sign: [`Signer`].
//! - In a web framework: the modules `axum`, `actix` and `tower`, each behind the feature of its name (`actix-web` for `actix`).
//! - The feature `catalog`: every type of event, with a sample.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix-web")]
pub mod actix;
#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "tower")]
pub mod tower;

#[cfg(any(feature = "actix-web", feature = "tower"))]
mod body;
mod builder;
#[cfg(any(feature = "actix-web", feature = "tower"))]
mod clock;
mod env;
mod headers;
mod key;
#[cfg(any(feature = "actix-web", feature = "tower"))]
mod rejection;
mod secret;
mod settings;
mod sign;
mod verified;
mod verify;
mod verify_error;

pub use builder::{NoSecret, VerifierBuilder};
pub use env::{EnvSecrets, FromEnvError};
pub use headers::{HeaderFamily, SignatureHeaders};
#[cfg(any(feature = "actix-web", feature = "tower"))]
pub use rejection::{BodyTooLarge, BodyUnreadable, NoVerifier, WebhookRejection};
pub use secret::{Secret, SecretError, SecretListError};
pub use settings::{DEFAULT_BODY_BYTES_MAX, DEFAULT_TOLERANCE};
pub use sign::{CannotSign, SignedHeaders, Signer};
pub use verified::{Verified, VerifiedMessage};
pub use verify::Verifier;
pub use verify_error::{PresentHeaders, VerifyError};

// Every example of the README compiles.
#[cfg(all(doctest, feature = "actix-web", feature = "axum", feature = "catalog"))]
#[doc = include_str!("../README.md")]
mod readme {}

// Events.
#[cfg(feature = "catalog")]
#[cfg_attr(docsrs, doc(cfg(feature = "catalog")))]
pub mod catalog;
mod envelope;
mod event;
mod event_data;
mod event_type;
pub mod payload;
#[cfg(feature = "catalog")]
mod shape;
mod text_enum;
mod time;

pub use envelope::{Envelope, EventHead, NotAnEvent};
pub use event::Event;
pub use event_data::{EventData, OtherReason};
pub use event_type::EventType;
pub use payload::EventAttributes;
pub use time::{NotATime, UnixMillis};
