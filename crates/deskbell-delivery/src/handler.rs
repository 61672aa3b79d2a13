//! A channel to a Rust function of the program, which is called for every event.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clerk_webhooks::{Envelope, Event};
use deskbell_store::StoredEvent;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, Outcome};
use crate::channel::{Channel, Delivery};

type Called = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send>>;

/// A function that is called for events.
#[derive(Clone)]
pub struct HandlerFunction(Arc<dyn Fn(Event, HandlerContext) -> Called + Send + Sync>);

/// Calls a function, at least once for each event: again if the call fails or is cut off.
#[derive(Debug, Clone)]
pub struct HandlerChannel {
    function: HandlerFunction,
    stopping: CancellationToken,
}

/// What a handler is given beside the event.
#[derive(Debug, Clone)]
pub struct HandlerContext {
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// When the call is cut off.
    pub deadline: Instant,
    stopping: CancellationToken,
}

/// Why a handler failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HandlerError {
    /// The event is handed over again later.
    #[error("{reason}")]
    Retry {
        /// The shortest wait; `None` for the retry schedule's.
        after: Option<Duration>,
        reason: String,
    },
    /// The event is dead-lettered.
    #[error("{reason}")]
    Reject { reason: String },
}

impl HandlerError {
    /// The event is handed over again by the retry schedule.
    #[must_use]
    pub fn retry(reason: impl fmt::Display) -> Self {
        Self::Retry { after: None, reason: reason.to_string() }
    }

    /// The event is dead-lettered.
    #[must_use]
    pub fn reject(reason: impl fmt::Display) -> Self {
        Self::Reject { reason: reason.to_string() }
    }
}

impl HandlerContext {
    /// Waits until the program begins to stop. A call that goes on is cut off after the grace period,
    /// and made again when the program runs again.
    pub async fn stopping(&self) {
        self.stopping.cancelled().await;
    }
}

impl HandlerFunction {
    pub fn new<F, T>(function: F) -> Self
    where
        F: Fn(Event, HandlerContext) -> T + Send + Sync + 'static,
        T: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        Self(Arc::new(move |event, context| Box::pin(function(event, context))))
    }
}

impl HandlerChannel {
    /// A channel to this function. `stopping` tells its calls when the program begins to stop.
    #[must_use]
    pub fn new(function: HandlerFunction, stopping: CancellationToken) -> Self {
        Self { function, stopping }
    }
}

#[async_trait]
impl Channel for HandlerChannel {
    async fn attempt(&self, delivery: &Delivery, deadline: Instant) -> Attempt {
        let stopping = self.stopping.clone();
        let context = HandlerContext { attempt: delivery.attempt, deadline, stopping };
        let event = match typed(&delivery.event) {
            Ok(event) => event,
            Err(error) => return Attempt::rejected(error.to_string()),
        };
        let called = (self.function.0)(event, context);
        match tokio::time::timeout_at(deadline, called).await {
            Ok(Ok(())) => Attempt::without_reply(Outcome::Delivered),
            Ok(Err(HandlerError::Retry { after, reason })) => {
                Attempt::without_reply(Outcome::Retry { after, reason })
            }
            Ok(Err(HandlerError::Reject { reason })) => Attempt::rejected(reason),
            Err(_) => Attempt::failed("the handler did not finish within its timeout"),
        }
    }
}

fn typed(event: &StoredEvent) -> Result<Event, clerk_webhooks::NotAnEvent> {
    let envelope = Envelope::parse(&event.payload)?;
    let received_at_seconds = u64::try_from(event.received_at_ms / 1_000).unwrap_or(0);
    Ok(Event::from_envelope(&*event.message_id, received_at_seconds, &envelope))
}

impl fmt::Debug for HandlerFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandlerFunction")
    }
}
