//! How often one may guess a token when signing in: each address for itself, so that nobody keeps others
//! out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Attempts that fail from one address, or one network of IPv6, within [`WINDOW`].
const ATTEMPTS_MAX: u32 = 10;
const WINDOW: Duration = Duration::from_secs(5 * 60);
/// Addresses that are counted. Beyond them the one that began first is forgotten.
const CLIENTS_MAX: usize = 1_000;

/// Counts attempts.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<IpAddr, Count>>);

/// Attempts since a time.
#[derive(Debug, Clone, Copy)]
struct Count {
    since: Instant,
    attempts: u32,
}

impl Count {
    fn remaining(self, now: Instant) -> Duration {
        (self.since + WINDOW).saturating_duration_since(now)
    }
}

impl Attempts {
    /// Counts an attempt of this client.
    ///
    /// # Errors
    /// How long until the next one is allowed.
    pub(super) fn begin(&self, client: IpAddr) -> Result<(), Duration> {
        let now = Instant::now();
        let mut counts = self.counts();
        counts.retain(|_, count| !count.remaining(now).is_zero());
        if counts.len() == CLIENTS_MAX && !counts.contains_key(&client) {
            let oldest = counts.iter().min_by_key(|(_, count)| count.since);
            if let Some(oldest) = oldest.map(|(client, _)| *client) {
                counts.remove(&oldest);
            }
        }
        let count = counts.entry(client).or_insert(Count { since: now, attempts: 0 });
        if count.attempts >= ATTEMPTS_MAX {
            return Err(count.remaining(now));
        }
        count.attempts += 1;
        Ok(())
    }

    /// The attempt succeeded, and does not count.
    pub(super) fn succeeded(&self, client: IpAddr) {
        if let Some(count) = self.counts().get_mut(&client) {
            count.attempts = count.attempts.saturating_sub(1);
        }
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, Count>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn each_client_has_ten_attempts_in_five_minutes() {
        let attempts = Attempts::default();
        let (one, other) = (address("203.0.113.5"), address("203.0.113.6"));
        for _ in 0..10 {
            assert_eq!(attempts.begin(one), Ok(()));
        }
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(attempts.begin(one), Err(Duration::from_secs(240)));
        assert_eq!(attempts.begin(other), Ok(()));
        tokio::time::advance(Duration::from_secs(240)).await;
        assert_eq!(attempts.begin(one), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_succeeds_is_not_counted() {
        let attempts = Attempts::default();
        let client = address("2001:db8::1");
        for _ in 0..100 {
            assert_eq!(attempts.begin(client), Ok(()));
            attempts.succeeded(client);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_clients_keep_nobody_out_and_are_forgotten() {
        let attempts = Attempts::default();
        for number in 1..=2 * u32::try_from(CLIENTS_MAX).unwrap() {
            assert_eq!(attempts.begin(Ipv4Addr::from(number).into()), Ok(()));
        }
        assert_eq!(attempts.begin(address("203.0.113.5")), Ok(()));
        assert_eq!(attempts.counts().len(), CLIENTS_MAX);
        tokio::time::advance(WINDOW).await;
        assert_eq!(attempts.begin(address("203.0.113.5")), Ok(()));
        assert_eq!(attempts.counts().len(), 1);
    }
}
