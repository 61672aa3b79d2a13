//! What the tests of several crates share: a proxy that fails on purpose.

mod proxy;

pub use proxy::{Mode, Proxy};
