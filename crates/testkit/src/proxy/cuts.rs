//! How much each connection may carry before it is cut, at random from a seed.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Notify;

/// The most bytes that pass before a connection is cut, both ways together: some batches.
const BYTES_MAX: usize = 600_000;
/// Connections that are refused in a row, as by a server that is away for a while.
const REFUSED: u32 = 5;

/// Deals out allowances.
#[derive(Debug)]
pub(super) struct Cuts {
    random: StdRng,
    refused: u32,
}

/// What one connection may carry, and how it ends then.
#[derive(Debug)]
pub(super) struct Allowance {
    bytes: AtomicUsize,
    end: End,
    spent: Notify,
}

/// How a connection ends, apart from its own two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Both sides are closed.
    Cut,
    /// Nothing passes any more until the client closes it.
    Silence,
    /// Nothing passes any more, whoever closes it.
    Forgotten,
}

impl Cuts {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: StdRng::seed_from_u64(seed), refused: 0 }
    }

    pub(super) fn next(&mut self) -> Allowance {
        if self.refused > 0 {
            self.refused -= 1;
            return Allowance::new(0, End::Cut);
        }
        let end = if self.random.random_bool(0.1) { End::Silence } else { End::Cut };
        self.refused = if self.random.random_bool(0.1) { REFUSED } else { 0 };
        Allowance::new(self.random.random_range(0..BYTES_MAX), end)
    }
}

impl Allowance {
    pub(super) fn unlimited() -> Self {
        Self::new(usize::MAX, End::Cut)
    }

    fn new(bytes: usize, end: End) -> Self {
        Self { bytes: AtomicUsize::new(bytes), end, spent: Notify::new() }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) == 0
    }

    /// How many of so many bytes may still pass.
    pub(super) fn take(&self, bytes: usize) -> usize {
        let left = |left: usize| Some(left.saturating_sub(bytes));
        let had = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        let had = had.unwrap_or_else(|had| had);
        if had <= bytes {
            self.spent.notify_one();
        }
        had.min(bytes)
    }

    /// Waits until nothing may pass any more.
    pub(super) async fn spent(&self) -> End {
        self.spent.notified().await;
        self.end
    }
}
