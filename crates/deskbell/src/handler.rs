//! A function of the program that embeds the engine, called for events.

use deskbell_delivery::HandlerFunction;

#[derive(Debug, Clone)]
pub(crate) struct Handler {
    pub(crate) name: String,
    /// Types, or patterns such as `user.*`.
    pub(crate) events: Vec<String>,
    pub(crate) function: HandlerFunction,
}
