//! The interface between the workers and the kinds of destination.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_config::Fault;
use deskbell_store::StoredEvent;
use deskbell_store::deliveries::StartFrom;
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::delivery_config::DeliveryConfig;
use crate::template::CheckFailure;

/// The keys of one type of destination: read from the config, and what its channel is built of.
pub trait ChannelConfig {
    /// Fills in the delivery keys that are not set, where they have defaults of their own here.
    fn set_defaults(&self, _delivery: &mut DeliveryConfig) {}

    /// Whether the keys fit together. A fault's path begins at the destination.
    ///
    /// # Errors
    /// The first fault.
    fn validate(&self, _delivery: &DeliveryConfig) -> Result<(), Fault> {
        Ok(())
    }

    /// Where in the log a new destination begins.
    fn start(&self) -> StartFrom;

    /// The receiver, without what may be a secret.
    fn receiver(&self) -> String;

    /// Whether alerts can be sent to it.
    fn takes_alerts(&self) -> bool {
        true
    }

    /// The channel. Nothing is connected to.
    ///
    /// # Errors
    /// The channel's own: a template that does not compile, say.
    fn channel(&self, destination: &str) -> Result<Arc<dyn Channel>, ChannelError>;
}

/// Why a channel cannot be built.
pub type ChannelError = Box<dyn Error + Send + Sync>;

/// Attempts deliveries to one kind of destination. No channel knows another.
#[async_trait]
pub trait Channel: fmt::Debug + Send + Sync + 'static {
    /// Attempts the delivery once. `deadline` includes everything from the connection to the last
    /// byte of the reply. The future may be dropped at any point.
    async fn attempt(&self, delivery: &Delivery, deadline: Instant) -> Attempt;

    /// Renders its templates with the catalog's samples of these types, and returns what fails.
    fn check(&self, _event_types: &[&str]) -> Vec<CheckFailure> {
        Vec::new()
    }

    /// The templates' paths that no sample and no description of events of these types has, in words.
    fn unknown_paths(&self, _event_types: &[&str]) -> Vec<String> {
        Vec::new()
    }
}

#[derive(Debug, Clone)]
pub struct Delivery {
    pub destination: Arc<str>,
    pub event: StoredEvent,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// How long ago the first attempt began; `None` if this one is the first.
    pub first_attempt_ago: Option<Duration>,
    /// The time that is signed, in seconds since the Unix epoch.
    pub sent_at_seconds: u64,
}
