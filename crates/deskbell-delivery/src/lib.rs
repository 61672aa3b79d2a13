//! Deliveries: from the event log to everyone who must know.
//!
//! The router reads the log and writes down which event is pending for which destination. A worker for
//! each destination claims what is due, has its [`Channel`] attempt it, and settles what came of
//! it. At least once: every attempt bears the event's message id, by which a receiver can tell a
//! repetition.

mod api;
mod attempt;
mod breaker;
mod ca_certificates;
mod channel;
mod delivery_config;
mod email;
mod event_outcome;
mod filter;
mod handler;
mod health;
mod http;
mod idempotency;
mod loops;
mod notice;
mod off_workers;
mod rate_limiter;
mod replay;
mod reply;
mod retry;
mod router;
mod slack;
mod template;
mod words;
mod worker;

pub use attempt::{Attempt, Outcome, reply_outcome};
pub use breaker::ProbePolicy;
pub use ca_certificates::{CaCertificates, NoCertificates};
pub use channel::{Channel, ChannelConfig, ChannelError, Delivery};
pub use delivery_config::{DeliveryConfig, WorkerOptions};
pub use email::{EmailChannel, EmailConfig, EmailPreset, EmailProvider};
pub use event_outcome::{StoredOutcome, event_outcome};
pub use filter::{Decision, Filter, view};
pub use handler::{HandlerChannel, HandlerContext, HandlerError, HandlerFunction};
pub use health::{FAILED_ATTEMPTS_MIN, FailingStreak, HealthPolicy};
pub use http::{
    AllowedHost, EndpointSecret, EndpointSecrets, HeaderOfOurs, Headers, HttpChannel, HttpConfig,
    HttpError, NotAHost, Refused, SignatureVersion,
};
pub use loops::{LoopsChannel, LoopsConfig};
pub use notice::{Notice, NoticeState, NoticeSubject};
pub use replay::{Replay, ReplayError, Replayed, Replayer, What};
pub use retry::{Failed, RetryPolicy};
pub use router::{Route, Router, RouterError, RouterOptions, RouterProgress};
pub use slack::{SlackChannel, SlackConfig};
pub use template::CheckFailure;
pub use template::reference as template_reference;
pub use words::{in_words, one_line, shown_time};
pub use worker::{Worker, WorkerProgress};
