//! The deliveries that are settled, and what of it the store does not know yet.

use std::mem;
use std::time::Duration;

use deskbell_store::deliveries::{Settlement, Verdict};
use tokio::time::Instant;

/// While others are in flight, settlements are gathered for so long: a transaction of many costs little
/// more than one of few.
const GATHERED_FOR: Duration = Duration::from_millis(5);

/// What is to be written to the store.
#[derive(Debug, Default)]
pub(super) struct Settlements {
    pending: Vec<Settlement>,
    /// Since when the first of them is.
    pending_since: Option<Instant>,
    /// How many are being written.
    writing: usize,
    /// Dead letters that the store has not counted.
    pub(super) dead_letters: u32,
}

impl Settlements {
    /// Those that the store does not have.
    pub(super) fn len(&self) -> usize {
        self.pending.len() + self.writing
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// When they are worth a transaction, unless so many are pending before.
    pub(super) fn write_at(&self, pending_max: usize) -> Option<Instant> {
        let since = self.pending_since?;
        Some(if self.pending.len() >= pending_max { since } else { since + GATHERED_FOR })
    }

    pub(super) fn push(&mut self, settlement: Settlement, is_notice: bool) {
        // An alert about a dead letter of an alert would not end.
        if matches!(settlement.verdict, Verdict::DeadLetter(_)) && !is_notice {
            self.dead_letters += 1;
        }
        self.pending.push(settlement);
        self.pending_since.get_or_insert_with(Instant::now);
    }

    /// What is to be written now, in one transaction.
    pub(super) fn start_write(&mut self) -> Vec<Settlement> {
        self.writing = self.pending.len();
        self.pending_since = None;
        mem::take(&mut self.pending)
    }

    pub(super) fn written(&mut self) {
        self.writing = 0;
    }

    /// The write failed: this batch is written again, before what came meanwhile.
    pub(super) fn put_back(&mut self, batch: Vec<Settlement>) {
        self.writing = 0;
        self.pending.splice(..0, batch);
        self.pending_since.get_or_insert_with(Instant::now);
    }
}

#[cfg(test)]
mod tests {
    use deskbell_store::Seq;
    use deskbell_store::deliveries::ClaimId;

    use super::*;

    fn delivered(seq: i64) -> Settlement {
        let claim = ClaimId { seq: Seq::new(seq), number: 1 };
        Settlement { claim, attempt: None, verdict: Verdict::Delivered }
    }

    #[tokio::test(start_paused = true)]
    async fn few_are_gathered_for_a_moment_and_many_are_not() {
        let mut settlements = Settlements::default();
        assert_eq!(settlements.write_at(2), None);
        let began = Instant::now();
        settlements.push(delivered(1), false);
        assert_eq!(settlements.write_at(1), Some(began));
        assert_eq!(settlements.write_at(2), Some(began + GATHERED_FOR));
        tokio::time::advance(GATHERED_FOR / 2).await;
        settlements.push(delivered(2), false);
        assert_eq!(settlements.write_at(3), Some(began + GATHERED_FOR), "since the first of them");
        assert_eq!(settlements.write_at(2), Some(began));
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_could_not_be_written_are_still_to_be() {
        let mut settlements = Settlements::default();
        settlements.push(delivered(1), false);
        let batch = settlements.start_write();
        assert_eq!(settlements.write_at(1), None, "while they are written");
        settlements.put_back(batch);
        assert_eq!(settlements.write_at(1), Some(Instant::now()));
    }
}
