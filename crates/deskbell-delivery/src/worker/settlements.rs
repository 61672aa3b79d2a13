//! The deliveries that are settled, and what of it the store does not know yet.

use std::mem;

use deskbell_store::deliveries::{Settlement, Verdict};

/// What is to be written to the store.
#[derive(Debug, Default)]
pub(super) struct Settlements {
    pending: Vec<Settlement>,
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

    pub(super) fn push(&mut self, settlement: Settlement, is_notice: bool) {
        // An alert about a dead letter of an alert would not end.
        if matches!(settlement.verdict, Verdict::DeadLetter(_)) && !is_notice {
            self.dead_letters += 1;
        }
        self.pending.push(settlement);
    }

    /// What is to be written now, in one transaction.
    pub(super) fn start_write(&mut self) -> Vec<Settlement> {
        self.writing = self.pending.len();
        mem::take(&mut self.pending)
    }

    pub(super) fn written(&mut self) {
        self.writing = 0;
    }

    /// The write failed: this batch is written again, before what came meanwhile.
    pub(super) fn put_back(&mut self, batch: Vec<Settlement>) {
        self.writing = 0;
        self.pending.splice(..0, batch);
    }
}
