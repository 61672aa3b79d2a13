//! The clock: every crate above the stores asks it what time it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock that a store goes by: the system's (the database's, where the database is a server), or
/// a manual one that only moves when it is advanced. Clones of a manual clock are one clock.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// `None` where the system is asked.
    manual_ms: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// A manual clock at this time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn manual(start_ms: i64) -> Self {
        Self { manual_ms: Some(Arc::new(AtomicI64::new(start_ms))) }
    }

    /// Sets a manual clock forward; the system's goes on by itself.
    pub fn advance(&self, by: Duration) {
        if let Some(manual_ms) = &self.manual_ms {
            manual_ms.fetch_add(whole_ms(by), Ordering::SeqCst);
        }
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.manual_ms().unwrap_or_else(now_ms)
    }

    /// The time of a manual clock; `None` for the system's.
    pub(crate) fn manual_ms(&self) -> Option<i64> {
        self.manual_ms.as_ref().map(|manual_ms| manual_ms.load(Ordering::SeqCst))
    }
}

/// The time by the system's clock.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
#[must_use]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// Milliseconds since the Unix epoch, by the system's clock.
#[must_use]
pub fn now_ms() -> i64 {
    whole_ms(now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A duration in milliseconds, as far as they can be counted.
#[must_use]
pub fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds as a duration; zero if they are below zero.
pub(crate) fn duration_ms(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
