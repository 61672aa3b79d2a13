//! What a request is checked against.

use std::time::Duration;

use super::keys::NamedSecret;

/// What a request is checked against.
#[derive(Debug)]
pub struct Receiver<'a> {
    /// The secrets that it should be signed with, the first ones of the endpoint itself.
    pub secrets: &'a [NamedSecret],
    /// How many of them are the endpoint's; the others are of other sources.
    pub own: usize,
    pub now_seconds: u64,
    pub tolerance: Duration,
}
