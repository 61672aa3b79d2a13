//! What is known of a connection while it lasts: what it does, since when, and how well.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::reading::Reading;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// It waits for a handshake or a request's head, or for the client to hang up: nothing of the
    /// client's is lost when it ends.
    Idle,
    /// A request's body comes in.
    Body,
    /// A request is answered.
    Busy,
}

impl Phase {
    fn of(number: u8) -> Self {
        [Self::Idle, Self::Body][..].get(usize::from(number)).copied().unwrap_or(Self::Busy)
    }
}

/// How many connections are busy, of how many may be.
#[derive(Debug)]
pub(crate) struct Busy {
    count: AtomicUsize,
    max: usize,
}

impl Busy {
    pub(crate) fn new(max: usize) -> Self {
        Self { count: AtomicUsize::new(0), max }
    }
}

/// One connection. Its task records what it does; others read that and may end it.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) peer: SocketAddr,
    /// Whether it speaks TLS with us.
    pub(crate) is_tls: bool,
    /// Cancelled when the server begins to stop.
    pub(crate) stopping: CancellationToken,
    busy: Arc<Busy>,
    phase: AtomicU8,
    since_ms: AtomicU64,
    /// Since when a write makes no progress, plus one; 0 where none waits.
    write_waits_since_ms: AtomicU64,
    has_delivered: AtomicBool,
    reading: Mutex<Option<Arc<Reading>>>,
    is_ending: AtomicBool,
    end: Notify,
}

impl Client {
    pub(crate) fn new(
        peer: SocketAddr,
        busy: Arc<Busy>,
        is_tls: bool,
        stopping: CancellationToken,
    ) -> Self {
        Self {
            peer,
            is_tls,
            stopping,
            busy,
            phase: AtomicU8::new(Phase::Idle as u8),
            since_ms: AtomicU64::new(clock::uptime_ms()),
            write_waits_since_ms: AtomicU64::new(0),
            has_delivered: AtomicBool::new(false),
            reading: Mutex::new(None),
            is_ending: AtomicBool::new(false),
            end: Notify::new(),
        }
    }

    /// It does this from now on. `false`: it is busy, and more are than may be.
    pub(crate) fn enter(&self, phase: Phase) -> bool {
        self.since_ms.store(clock::uptime_ms(), Ordering::Relaxed);
        let before = Phase::of(self.phase.swap(phase as u8, Ordering::Relaxed));
        match (before == Phase::Busy, phase == Phase::Busy) {
            (false, true) => self.busy.count.fetch_add(1, Ordering::Relaxed) < self.busy.max,
            (true, false) => {
                self.busy.count.fetch_sub(1, Ordering::Relaxed);
                true
            }
            _ => true,
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::of(self.phase.load(Ordering::Relaxed))
    }

    /// For how long it has been doing that.
    pub(crate) fn phase_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.since_ms.load(Ordering::Relaxed))
    }

    /// A write could make no progress.
    pub(crate) fn write_waits(&self) {
        let waits = &self.write_waits_since_ms;
        if waits.load(Ordering::Relaxed) == 0 {
            waits.store(clock::uptime_ms() + 1, Ordering::Relaxed);
        }
    }

    /// A write made progress. Who takes its reply is not idle.
    pub(crate) fn write_moves(&self) {
        self.write_waits_since_ms.store(0, Ordering::Relaxed);
        if self.phase() == Phase::Idle {
            self.since_ms.store(clock::uptime_ms(), Ordering::Relaxed);
        }
    }

    /// For how long a write has made no progress, where one waits.
    pub(crate) fn write_waits_ms(&self, now_ms: u64) -> Option<u64> {
        let since = self.write_waits_since_ms.load(Ordering::Relaxed).checked_sub(1)?;
        Some(now_ms.saturating_sub(since))
    }

    /// It has delivered an event.
    pub(crate) fn delivered(&self) {
        self.has_delivered.store(true, Ordering::Relaxed);
    }

    pub(crate) fn has_delivered(&self) -> bool {
        self.has_delivered.load(Ordering::Relaxed)
    }

    /// The body that comes in by it, once more than one piece of it is needed.
    pub(crate) fn set_reading(&self, reading: Option<Arc<Reading>>) {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = reading;
    }

    /// How fast its body comes, in bytes a second.
    pub(crate) fn body_rate(&self, now_ms: u64) -> u64 {
        let reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        reading.as_ref().map_or(0, |reading| reading.rate(now_ms))
    }

    pub(crate) fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
        self.end.notify_one();
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    /// Returns when the connection is to end.
    pub(crate) async fn ended(&self) {
        self.end.notified().await;
    }
}
