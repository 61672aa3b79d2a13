//! The memory that all bodies share. Where it is used up, the slowest bodies are cut.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::client::Client;
use crate::clock;
use crate::metrics;
use crate::reading::Reading;

/// How long a body waits for memory while others are cut; then it is refused.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// The interval at which it looks for bodies to cut meanwhile.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// A body is not cut before it has been coming in for this long: its rate means nothing yet.
const CUT_AFTER_MS: u64 = 250;

/// A number of bytes, reserved by bodies piece by piece.
#[derive(Debug, Clone)]
pub(crate) struct BodyBudget {
    free: Arc<Semaphore>,
    /// The bodies that are still coming in and hold some of it.
    readings: Arc<Mutex<Vec<Arc<Reading>>>>,
}

/// Reserved bytes; dropped, they are free again.
pub(crate) type Reserved = OwnedSemaphorePermit;

/// There is no memory left, and no body to cut for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BudgetExhausted;

impl BodyBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        let free = Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        Self { free, readings: Arc::default() }
    }

    /// Reserves these bytes. Where too few are free, slow bodies are cut until there are enough.
    pub(crate) async fn reserve(&self, bytes: u32) -> Result<Reserved, BudgetExhausted> {
        match Arc::clone(&self.free).try_acquire_many_owned(bytes) {
            Ok(reserved) => Ok(reserved),
            Err(_) => timeout(WAIT_MAX, self.free_up(bytes)).await.unwrap_or(Err(BudgetExhausted)),
        }
    }

    async fn free_up(&self, bytes: u32) -> Result<Reserved, BudgetExhausted> {
        let reserved = Arc::clone(&self.free).acquire_many_owned(bytes);
        tokio::pin!(reserved);
        let mut cut_bytes = 0;
        loop {
            let is_any = self.cut_slowest(bytes as usize, &mut cut_bytes);
            if !is_any && cut_bytes == 0 {
                return Err(BudgetExhausted);
            }
            if let Ok(reserved) = timeout(RETRY_INTERVAL, &mut reserved).await {
                return reserved.map_err(|_| BudgetExhausted);
            }
        }
    }

    /// Cuts the slowest bodies until these bytes come free. Whether any body is coming in.
    fn cut_slowest(&self, bytes: usize, cut_bytes: &mut usize) -> bool {
        let now_ms = clock::uptime_ms();
        let mut readings = self.readings();
        let is_any = !readings.is_empty();
        while *cut_bytes < bytes {
            let old =
                readings.iter().enumerate().filter(|(_, one)| one.age_ms(now_ms) >= CUT_AFTER_MS);
            let slowest = old
                .min_by_key(|(_, one)| (one.rate(now_ms), std::cmp::Reverse(one.age_ms(now_ms))));
            let Some((index, _)) = slowest else { break };
            // Its reader drops what it has reserved as soon as it sees that.
            let slowest = readings.swap_remove(index);
            *cut_bytes += slowest.held();
            slowest.cut();
            metrics::body_cut();
        }
        is_any
    }

    fn readings(&self) -> MutexGuard<'_, Vec<Arc<Reading>>> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that is still coming in, and can be cut.
#[derive(Debug)]
pub(crate) struct PartialBody<'a> {
    budget: &'a BodyBudget,
    /// By whose rate others judge the connection.
    client: Option<&'a Client>,
    pub(crate) reading: Arc<Reading>,
}

impl<'a> PartialBody<'a> {
    /// The body has sent so many bytes, and is not at its end.
    pub(crate) fn new(budget: &'a BodyBudget, client: Option<&'a Client>, bytes: usize) -> Self {
        let reading = Arc::new(Reading::new(bytes));
        budget.readings().push(Arc::clone(&reading));
        if let Some(client) = client {
            client.set_reading(Some(Arc::clone(&reading)));
        }
        Self { budget, client, reading }
    }
}

impl Drop for PartialBody<'_> {
    fn drop(&mut self) {
        let mut readings = self.budget.readings();
        if let Some(index) = readings.iter().position(|one| Arc::ptr_eq(one, &self.reading)) {
            readings.swap_remove(index);
        }
        drop(readings);
        if let Some(client) = self.client {
            client.set_reading(None);
        }
    }
}
