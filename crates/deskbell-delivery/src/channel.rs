//! The one seam between the workers and the kinds of destination.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::StoredEvent;
use tokio::time::Instant;

use crate::attempt::Attempt;

/// A way to tell somebody of an event: a file of this crate for each kind. None knows another.
#[async_trait]
pub trait Channel: fmt::Debug + Send + Sync + 'static {
    /// Tries once to deliver, and is done by `deadline`: one deadline for everything, from the
    /// connection to the last byte of the reply. The future may be dropped at any point.
    async fn attempt(&self, delivery: &Delivery, deadline: Instant) -> Attempt;
}

/// What is to be delivered.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The destination's name.
    pub destination: Arc<str>,
    /// The event.
    pub event: StoredEvent,
    /// The number of this attempt: 1 for the first.
    pub attempt: u32,
    /// How long ago the first attempt began; `None` where this one is the first.
    pub first_attempt_ago: Option<Duration>,
    /// When this attempt is made, in seconds since the Unix epoch: what is signed.
    pub sent_at_seconds: u64,
}
