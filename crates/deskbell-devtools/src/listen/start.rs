//! Where a feed begins.

/// Where a feed begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With what comes from now on.
    Now,
    /// With what came at this time, in Unix milliseconds, or later.
    SinceMs(i64),
}
