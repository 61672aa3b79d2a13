//! The memory that all bodies share. Where it is full, the slowest body makes room.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::client::Client;
use crate::clock;
use crate::metrics;
use crate::reading::Reading;

/// How long a body waits for room while others are cut; then it is refused.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// How often it is looked meanwhile for a body that can be cut.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// A body is not cut before it has been coming in for this long: its rate means nothing yet.
const CUT_AFTER_MS: u64 = 250;

/// So many bytes, given to bodies piece by piece.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    free: Arc<Semaphore>,
    /// The bodies that are still coming in and hold some of it.
    readings: Arc<Mutex<Vec<Arc<Reading>>>>,
}

/// Room that is taken; dropped, it is free again.
pub(crate) type Taken = OwnedSemaphorePermit;

/// There is no room, and nothing that could make any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoRoom;

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        let free = Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        Self { free, readings: Arc::default() }
    }

    /// Takes room for so many bytes. Where there is none, slow bodies are cut until there is.
    pub(crate) async fn take(&self, bytes: u32) -> Result<Taken, NoRoom> {
        match Arc::clone(&self.free).try_acquire_many_owned(bytes) {
            Ok(taken) => Ok(taken),
            Err(_) => timeout(WAIT_MAX, self.make_room(bytes)).await.unwrap_or(Err(NoRoom)),
        }
    }

    async fn make_room(&self, bytes: u32) -> Result<Taken, NoRoom> {
        let room = Arc::clone(&self.free).acquire_many_owned(bytes);
        tokio::pin!(room);
        let mut cut_bytes = 0;
        loop {
            let is_any = self.cut_slowest(bytes as usize, &mut cut_bytes);
            if !is_any && cut_bytes == 0 {
                return Err(NoRoom);
            }
            if let Ok(taken) = timeout(LOOK_INTERVAL, &mut room).await {
                return taken.map_err(|_| NoRoom);
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
            // Its reader lets go of its room as soon as it hears of it.
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

/// A body that holds some of the room while it is still coming in, and can be cut.
#[derive(Debug)]
pub(crate) struct Entered<'a> {
    room: &'a Room,
    /// By whose rate others judge the connection.
    client: Option<&'a Client>,
    pub(crate) reading: Arc<Reading>,
}

impl<'a> Entered<'a> {
    /// The body has sent so many bytes, and is not at its end.
    pub(crate) fn new(room: &'a Room, client: Option<&'a Client>, bytes: usize) -> Self {
        let reading = Arc::new(Reading::new(bytes));
        room.readings().push(Arc::clone(&reading));
        if let Some(client) = client {
            client.set_reading(Some(Arc::clone(&reading)));
        }
        Self { room, client, reading }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let mut readings = self.room.readings();
        if let Some(index) = readings.iter().position(|one| Arc::ptr_eq(one, &self.reading)) {
            readings.swap_remove(index);
        }
        drop(readings);
        if let Some(client) = self.client {
            client.set_reading(None);
        }
    }
}
