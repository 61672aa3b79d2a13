//! Who has claimed what: in memory, as the process that has the file open to write is the only one.
//!
//! A process that dies thereby gives everything back at once. Within a process, a delivery whose
//! lease has ended goes to whoever asks next, and the settlement of the one that had it before is
//! left aside. As long as nobody has asked the destination for work, a late settlement counts.
//!
//! That nothing settled is ever handed out again rests on two rules. A claim notes what is held
//! *before* it reads what is due, and claims of a destination are serialized. A settlement gives its
//! claims up only *after* its commit. So what a claim reads and nobody held when it began is
//! nobody's, and what was given up before it began was gone from what it reads.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::Seq;
use crate::clock::whole_ms;
use crate::deliveries::{ClaimId, Settlement, Verdict};

/// The queue of each destination, made when it is first asked for.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Queues {
    queues: Mutex<HashMap<String, Arc<Queue>>>,
    closed: AtomicBool,
}

impl Queues {
    /// Queues from which nothing can be claimed: those of a process that only reads.
    pub(in crate::sqlite) fn closed() -> Self {
        Self { closed: AtomicBool::new(true), ..Self::default() }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    pub(super) fn of(&self, destination: &str) -> Arc<Queue> {
        let mut queues = lock(&self.queues);
        if let Some(queue) = queues.get(destination) {
            return Arc::clone(queue);
        }
        Arc::clone(queues.entry(destination.to_owned()).or_default())
    }

    /// Notifies the workers of each of these destinations that something is due.
    pub(super) fn wake<'a>(&self, destinations: impl Iterator<Item = &'a str>) {
        for destination in destinations.collect::<HashSet<_>>() {
            self.of(destination).due.notify_one();
        }
    }
}

/// The claims on one destination's deliveries.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Locked during a claim: claims are serialized.
    pub(super) claiming: tokio::sync::Mutex<()>,
    pub(super) due: Arc<Notify>,
    claims: Mutex<Claims>,
}

#[derive(Debug, Default)]
struct Claims {
    last_number: i64,
    held: HashMap<i64, Held>,
}

#[derive(Debug)]
struct Held {
    number: i64,
    lease_ends_ms: i64,
    /// Where the destination is ordered.
    subject: Option<String>,
    /// Nobody else gets it while it is being settled, whatever the lease says.
    settling: bool,
}

/// What somebody had when it was asked.
#[derive(Debug)]
pub(super) struct Taken {
    seqs: HashSet<i64>,
    subjects: HashSet<String>,
}

impl Taken {
    pub(super) fn len(&self) -> usize {
        self.seqs.len()
    }

    /// Whether this delivery is held, or another about its subject.
    pub(super) fn has(&self, seq: i64, subject: Option<&str>) -> bool {
        self.seqs.contains(&seq) || subject.is_some_and(|subject| self.subjects.contains(subject))
    }
}

impl Queue {
    /// What is held at this time. Claims whose lease has ended are lost from here on.
    pub(super) fn taken(&self, now_ms: i64) -> Taken {
        let mut claims = lock(&self.claims);
        claims.held.retain(|_, held| held.settling || held.lease_ends_ms > now_ms);
        Taken {
            seqs: claims.held.keys().copied().collect(),
            subjects: claims.held.values().filter_map(|held| held.subject.clone()).collect(),
        }
    }

    pub(super) fn take(
        &self,
        seq: Seq,
        subject: Option<String>,
        now_ms: i64,
        lease: Duration,
    ) -> ClaimId {
        let mut claims = lock(&self.claims);
        claims.last_number += 1;
        let number = claims.last_number;
        let lease_ends_ms = now_ms.saturating_add(whole_ms(lease));
        claims.held.insert(seq.get(), Held { number, lease_ends_ms, subject, settling: false });
        ClaimId { seq, number }
    }

    pub(super) fn release(&self, released: &[ClaimId]) {
        let mut claims = lock(&self.claims);
        for claim in released {
            if claims.held.get(&claim.seq.get()).is_some_and(|held| held.is_of(*claim)) {
                claims.held.remove(&claim.seq.get());
            }
        }
        drop(claims);
        self.due.notify_one();
    }

    /// Keeps what can be settled from everybody else until the [`Settling`] is gone.
    pub(super) fn begin_settling<'a>(&'a self, settlements: &'a [Settlement]) -> Settling<'a> {
        let mut claims = lock(&self.claims);
        let mut settling = Settling {
            queue: self,
            settlements: Vec::new(),
            subjects: Vec::new(),
            wakes: false,
            lost: 0,
            committed: false,
        };
        for settlement in settlements {
            match claims.held.get_mut(&settlement.claim.seq.get()) {
                Some(held) if held.is_of(settlement.claim) => {
                    held.settling = true;
                    settling.wakes |= matches!(settlement.verdict, Verdict::Retry(_));
                    settling.subjects.extend(held.subject.clone());
                    settling.settlements.push(settlement);
                }
                _ => settling.lost += 1,
            }
        }
        settling
    }
}

impl Held {
    /// Whether this is the claim, and nobody is settling it already.
    fn is_of(&self, claim: ClaimId) -> bool {
        self.number == claim.number && !self.settling
    }
}

/// Deliveries that are being settled. Dropped before it is told that they are, it leaves them
/// claimed as they were, so that it may be tried again.
#[derive(Debug)]
pub(super) struct Settling<'a> {
    queue: &'a Queue,
    pub(super) settlements: Vec<&'a Settlement>,
    /// Those of which the next may go now.
    pub(super) subjects: Vec<String>,
    /// Whether something is due that a claim beside this may not have seen.
    wakes: bool,
    lost: u64,
    committed: bool,
}

impl Settling<'_> {
    /// To be called after the commit: gives the claims up. How many had been lost.
    pub(super) fn settled(mut self) -> u64 {
        self.committed = true;
        self.lost
    }
}

impl Drop for Settling<'_> {
    fn drop(&mut self) {
        let mut claims = lock(&self.queue.claims);
        for settlement in &self.settlements {
            let seq = settlement.claim.seq.get();
            if self.committed {
                claims.held.remove(&seq);
            } else if let Some(held) = claims.held.get_mut(&seq) {
                held.settling = false;
            }
        }
        drop(claims);
        if self.committed && (self.wakes || !self.subjects.is_empty()) {
            self.queue.due.notify_one();
        }
    }
}

/// Nothing panics while it holds one of these, and a panic elsewhere leaves them whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
