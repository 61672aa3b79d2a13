//! How often one may try to sign in: each address for itself, and all together.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Attempts that fail from one address, or one network of IPv6, within [`WINDOW`].
const ATTEMPTS_MAX: u32 = 10;
/// Attempts that fail from all addresses within [`WINDOW`]. It bounds how many addresses are known.
const ALL_ATTEMPTS_MAX: u32 = 1_000;
const WINDOW: Duration = Duration::from_secs(5 * 60);

/// Counts attempts.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: Option<Count>,
    by_client: HashMap<IpAddr, Count>,
}

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

    /// How long until the next attempt is allowed, if none is now.
    fn wait(self, attempts_max: u32, now: Instant) -> Option<Duration> {
        (self.attempts >= attempts_max).then(|| self.remaining(now))
    }
}

impl Attempts {
    /// Counts an attempt from this address.
    ///
    /// # Errors
    /// How long until the next one is allowed.
    pub(super) fn begin(&self, client: Option<IpAddr>) -> Result<(), Duration> {
        let now = Instant::now();
        let client = network(client);
        let mut counts = self.counts();
        counts.forget(now);
        let waits = [
            counts.all.and_then(|count| count.wait(ALL_ATTEMPTS_MAX, now)),
            counts.by_client.get(&client).and_then(|count| count.wait(ATTEMPTS_MAX, now)),
        ];
        if let Some(wait) = waits.into_iter().flatten().max() {
            return Err(wait);
        }
        let first = Count { since: now, attempts: 0 };
        counts.all.get_or_insert(first).attempts += 1;
        counts.by_client.entry(client).or_insert(first).attempts += 1;
        Ok(())
    }

    /// The attempt succeeded, and does not count.
    pub(super) fn succeeded(&self, client: Option<IpAddr>) {
        let mut counts = self.counts();
        let counts = &mut *counts;
        let own = counts.by_client.get_mut(&network(client));
        for count in counts.all.iter_mut().chain(own) {
            count.attempts = count.attempts.saturating_sub(1);
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// Forgets windows that are over. What is left is at most as much as two windows allow.
    fn forget(&mut self, now: Instant) {
        self.all = self.all.filter(|count| !count.remaining(now).is_zero());
        self.by_client.retain(|_, count| !count.remaining(now).is_zero());
    }
}

/// What counts as one client: an address of IPv4, or the 64 bits of IPv6 that a site is given.
fn network(client: Option<IpAddr>) -> IpAddr {
    match client.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        Some(address) => address,
        None => Ipv4Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
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
        assert_eq!(attempts.begin(address("::ffff:203.0.113.5")), Err(Duration::from_secs(240)));
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
    async fn a_network_of_ipv6_is_one_client() {
        let attempts = Attempts::default();
        for host in 0..10 {
            let client = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, host, 1);
            assert_eq!(attempts.begin(Some(client.into())), Ok(()));
        }
        assert!(attempts.begin(address("2001:db8:0:1:ffff::1")).is_err());
        assert_eq!(attempts.begin(address("2001:db8:0:2::1")), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn all_together_are_limited_and_so_is_memory() {
        let attempts = Attempts::default();
        let clients = || (0..ALL_ATTEMPTS_MAX).map(|n| Some(Ipv4Addr::from(n + 1).into()));
        for client in clients() {
            assert_eq!(attempts.begin(client), Ok(()));
        }
        assert_eq!(attempts.begin(address("203.0.113.5")), Err(WINDOW));
        assert_eq!(attempts.counts().by_client.len(), ALL_ATTEMPTS_MAX as usize);
        tokio::time::advance(WINDOW).await;
        assert_eq!(attempts.begin(address("203.0.113.5")), Ok(()));
        assert_eq!(attempts.counts().by_client.len(), 1);
    }
}
