//! A function of the program that embeds the engine, called for events.

use std::fmt;
use std::pin::Pin;

use clerk_webhooks::Event;
use deskbell_delivery::{HandlerContext, HandlerError};

pub(crate) type Called = Pin<Box<dyn Future<Output = Result<(), HandlerError>> + Send>>;
type Function = Box<dyn Fn(Event, HandlerContext) -> Called + Send + Sync>;

pub(crate) struct Handler {
    pub(crate) name: String,
    pub(crate) events: Vec<String>,
    pub(crate) function: Function,
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler")
            .field("name", &self.name)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
