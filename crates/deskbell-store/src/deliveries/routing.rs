//! What the router hands to the store.

use std::sync::Arc;

use super::{DeliveryKey, Unwanted};
use crate::{FencingToken, Seq};

/// The router's name as a consumer: the newest token that was given out for it may write.
pub const ROUTER: &str = "router";

/// What the router made of a stretch of the log, for the destinations that stand at its beginning.
#[derive(Debug, Clone)]
pub struct RoutedBatch {
    /// The router's right to write.
    pub token: FencingToken,
    /// Where the checkpoints stand.
    pub from: Seq,
    /// Where they stand afterwards.
    pub to: Seq,
    /// The destinations.
    pub destinations: Vec<Arc<str>>,
    /// What is owed to them.
    pub deliveries: Vec<NewDelivery>,
    /// Events that none of them wants, and why.
    pub unwanted: Vec<(Seq, Vec<Unwanted>)>,
}

/// A delivery that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Which one.
    pub key: DeliveryKey,
    /// The id of the entity that the event is about.
    pub subject: Option<String>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routed {
    /// It took effect.
    Done,
    /// Another router has taken over, or moved a checkpoint: nothing was done.
    Superseded,
}

/// What came of replay requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revived {
    /// They were acted on.
    Done {
        /// How many requests there were; fewer than asked for, where there were no more.
        requests: u32,
        /// How many deliveries are pending again.
        deliveries: u64,
    },
    /// Another router has taken over: nothing was done.
    Superseded,
}
