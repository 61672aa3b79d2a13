//! The screen of `listen`: a list of events, what each handler made of the chosen one, and keys to send
//! it again.
//!
//! The state is pure: keys and updates go in, and what somebody wants comes out.

mod draw;
mod entry;
mod keys;
mod state;

pub use draw::draw;
pub use keys::{Action, Key};
pub use state::{Screen, Settings};

#[cfg(test)]
mod tests;
