//! Both apps, run as programs, over HTTP.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as it does")]

mod guard;
mod running;
mod tokens;
mod webhooks;
