//! How many secrets are looked for in the store at the same time. Whoever makes secrets up waits for
//! others who do; those whose secret was valid before do not.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use deskbell_admin::AdminError;
use deskbell_store::{AccessToken, TokenHash};
use tokio::sync::Semaphore;

use super::error::AccessError;

/// Secrets of strangers that are looked for at the same time: the others wait, and leave the store to
/// events.
const STRANGERS_MAX: usize = 4;
/// Secrets that were valid before and are looked for at the same time; the others wait.
const KNOWN_MAX: usize = 16;
/// Requests of strangers from one address, or one network of IPv6, that wait; further ones get 503.
const WAITING_MAX: usize = 16;
/// Hashes of secrets that were valid before. Beyond them the oldest is forgotten, whose owner then waits
/// as a stranger once.
const REMEMBERED_MAX: usize = 1_000;

/// The lookups.
#[derive(Debug)]
pub(crate) struct Lookups {
    strangers: Semaphore,
    known: Semaphore,
    remembered: Mutex<Remembered>,
    waiting: Mutex<HashMap<IpAddr, usize>>,
}

#[derive(Debug, Default)]
struct Remembered {
    hashes: HashSet<TokenHash>,
    /// In the order in which they came.
    order: VecDeque<TokenHash>,
}

impl Default for Lookups {
    fn default() -> Self {
        Self {
            strangers: Semaphore::new(STRANGERS_MAX),
            known: Semaphore::new(KNOWN_MAX),
            remembered: Mutex::default(),
            waiting: Mutex::default(),
        }
    }
}

impl Lookups {
    /// Makes this lookup of a client's secret once there is room. A secret that is found is known from
    /// then on.
    pub(super) async fn find<T>(
        &self,
        secret: &AccessToken,
        client: IpAddr,
        lookup: impl Future<Output = Result<Option<T>, AdminError>>,
    ) -> Result<Option<T>, AccessError> {
        let hash = secret.hash();
        let is_known = lock(&self.remembered).hashes.contains(&hash);
        let _waiting = match is_known {
            true => None,
            false => Some(Waiting::enter(&self.waiting, client).ok_or(AccessError::Crowded)?),
        };
        let slots = if is_known { &self.known } else { &self.strangers };
        let _slot = slots.acquire().await.map_err(|_| AccessError::Crowded)?;
        let found = lookup.await?;
        lock(&self.remembered).note(hash, found.is_some());
        Ok(found)
    }
}

impl Remembered {
    fn note(&mut self, hash: TokenHash, is_valid: bool) {
        if !is_valid {
            if self.hashes.remove(&hash) {
                self.order.retain(|known| *known != hash);
            }
        } else if self.hashes.insert(hash) {
            self.order.push_back(hash);
            if self.order.len() > REMEMBERED_MAX
                && let Some(oldest) = self.order.pop_front()
            {
                self.hashes.remove(&oldest);
            }
        }
    }
}

/// A stranger's request, until it is answered.
struct Waiting<'a> {
    counts: &'a Mutex<HashMap<IpAddr, usize>>,
    client: IpAddr,
}

impl<'a> Waiting<'a> {
    /// `None` if too many of this client wait.
    fn enter(counts: &'a Mutex<HashMap<IpAddr, usize>>, client: IpAddr) -> Option<Self> {
        let mut locked = lock(counts);
        let count = locked.entry(client).or_default();
        (*count < WAITING_MAX).then(|| {
            *count += 1;
            Self { counts, client }
        })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut counts = lock(self.counts);
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::Arc;

    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn what_is_remembered_and_who_waits_is_bounded() {
        let lookups = Lookups::default();
        let client = Ipv4Addr::LOCALHOST.into();
        let first = AccessToken::random();
        lookups.find(&first, client, async { Ok(Some(())) }).await.unwrap();
        for _ in 0..REMEMBERED_MAX {
            let valid = AccessToken::random();
            lookups.find(&valid, client, async { Ok(Some(())) }).await.unwrap();
            let invalid = AccessToken::random();
            lookups.find(&invalid, client, async { Ok(None::<()>) }).await.unwrap();
        }
        let remembered = lock(&lookups.remembered);
        assert_eq!(
            (remembered.hashes.len(), remembered.order.len()),
            (REMEMBERED_MAX, REMEMBERED_MAX)
        );
        assert!(!remembered.hashes.contains(&first.hash()), "the oldest is forgotten");
        assert!(lock(&lookups.waiting).is_empty());
    }

    #[tokio::test]
    async fn a_secret_that_is_no_longer_valid_is_a_strangers() {
        let lookups = Lookups::default();
        let (client, secret) = (Ipv4Addr::LOCALHOST.into(), AccessToken::random());
        for is_valid in [true, false] {
            let found = lookups.find(&secret, client, async { Ok(is_valid.then_some(())) }).await;
            assert_eq!(found.unwrap().is_some(), is_valid);
            assert_eq!(lock(&lookups.remembered).hashes.contains(&secret.hash()), is_valid);
            assert_eq!(lock(&lookups.remembered).order.len(), usize::from(is_valid));
        }
    }

    #[tokio::test]
    async fn a_client_that_makes_secrets_up_keeps_no_other_out() {
        let (lookups, gate) = (Arc::new(Lookups::default()), Arc::new(Semaphore::new(0)));
        let ask = |client: u8| {
            let (lookups, gate) = (Arc::clone(&lookups), Arc::clone(&gate));
            async move {
                let client = Ipv4Addr::new(203, 0, 113, client).into();
                let lookup = async {
                    gate.acquire().await.unwrap().forget();
                    Ok(Some(()))
                };
                lookups.find(&AccessToken::random(), client, lookup).await
            }
        };
        let mut strangers = JoinSet::new();
        for _ in 0..WAITING_MAX {
            strangers.spawn(ask(5));
        }
        while lock(&lookups.waiting).values().sum::<usize>() < WAITING_MAX {
            tokio::task::yield_now().await;
        }
        assert!(matches!(ask(5).await, Err(AccessError::Crowded)));
        strangers.spawn(ask(6));
        gate.add_permits(WAITING_MAX + 1);
        assert!(strangers.join_all().await.iter().all(Result::is_ok));
    }
}
