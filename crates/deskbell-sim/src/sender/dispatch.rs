//! The order in which messages leave, with the duplicates among them: all of it from the seed.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::options::Reorder;
use crate::Message;

/// A duplicate leaves behind up to so many later messages: from at once to when the first was acked long ago.
const DUPLICATE_WINDOW: usize = 200;

/// One message to send to every endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dispatch {
    /// The message's index in the order of events, which it shares with its duplicates.
    pub(crate) index: usize,
    pub(crate) message: Message,
    pub(crate) duplicate: bool,
}

/// Iterates over messages in the order of sending. It buffers no more of them than the windows are wide.
pub(crate) struct Dispatches<I> {
    messages: I,
    rng: ChaCha8Rng,
    duplicates: f64,
    reorder: Reorder,
    taken: usize,
    /// Entries leave by (slot, the order in which they were put in).
    queued: BinaryHeap<Reverse<Queued>>,
    put: usize,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    slot: usize,
    put: usize,
}

struct Queued {
    key: Key,
    dispatch: Dispatch,
}

impl<I: Iterator<Item = Message>> Dispatches<I> {
    pub(crate) fn new(messages: I, seed: u64, duplicates: f64, reorder: Reorder) -> Self {
        Self {
            messages,
            rng: ChaCha8Rng::seed_from_u64(seed),
            duplicates: duplicates.clamp(0.0, 1.0),
            reorder: Reorder { late: reorder.late.clamp(0.0, 1.0), ..reorder },
            taken: 0,
            queued: BinaryHeap::new(),
            put: 0,
        }
    }

    /// Gives a message a slot: its own, or one behind it; and a later one to its duplicate.
    fn enqueue(&mut self, message: Message) {
        let index = self.taken;
        self.taken += 1;
        let late = self.rng.random_bool(self.reorder.late);
        let window = if late { self.reorder.late_window } else { self.reorder.window };
        let slot = index + self.rng.random_range(0..=window);
        if self.rng.random_bool(self.duplicates) {
            let behind = slot + self.rng.random_range(1..=DUPLICATE_WINDOW);
            self.put(behind, Dispatch { index, message: message.clone(), duplicate: true });
        }
        self.put(slot, Dispatch { index, message, duplicate: false });
    }

    fn put(&mut self, slot: usize, dispatch: Dispatch) {
        let key = Key { slot, put: self.put };
        self.put += 1;
        self.queued.push(Reverse(Queued { key, dispatch }));
    }
}

impl<I: Iterator<Item = Message>> Iterator for Dispatches<I> {
    type Item = Dispatch;

    fn next(&mut self) -> Option<Dispatch> {
        loop {
            // Whatever is still to come has a slot that is not below `taken`.
            if self.queued.peek().is_some_and(|Reverse(queued)| queued.key.slot < self.taken) {
                return self.queued.pop().map(|Reverse(queued)| queued.dispatch);
            }
            match self.messages.next() {
                Some(message) => self.enqueue(message),
                None => return self.queued.pop().map(|Reverse(queued)| queued.dispatch),
            }
        }
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scenario, World};

    fn order(seed: u64, duplicates: f64, reorder: Reorder) -> Vec<Dispatch> {
        let world = World::new(&Scenario::new(1, 3000));
        Dispatches::new(world, seed, duplicates, reorder).collect()
    }

    #[test]
    fn every_message_leaves_once_and_its_duplicate_after_it() {
        let order = order(1, 0.1, Reorder::default());
        let mut times = vec![0; 3000];
        for dispatch in &order {
            assert_eq!(dispatch.duplicate, times[dispatch.index] == 1, "{}", dispatch.index);
            times[dispatch.index] += 1;
        }
        assert!(times.iter().all(|&times| times == 1 || times == 2));
        let duplicates = order.len() - 3000;
        assert!((200..400).contains(&duplicates), "{duplicates} duplicates");
    }

    #[test]
    fn order_is_disturbed_within_the_windows() {
        let reorder = Reorder { window: 20, late: 0.02, late_window: 1000 };
        let order = order(2, 0.0, reorder);
        let mut newest = 0;
        let delays: Vec<usize> = order
            .iter()
            .map(|dispatch| {
                newest = newest.max(dispatch.index);
                newest - dispatch.index
            })
            .collect();
        assert!(delays.iter().filter(|&&delay| delay > 0).count() > 1000);
        assert!(delays.iter().filter(|&&delay| delay > 100).count() > 10);
        assert!(delays.iter().all(|&delay| delay <= 1000));
    }

    #[test]
    fn without_disturbance_the_order_is_that_of_events() {
        let order = order(3, 0.0, Reorder::NONE);
        assert!(order.iter().enumerate().all(|(place, one)| place == one.index));
    }

    #[test]
    fn the_seed_alone_decides() {
        let reorder = Reorder::default();
        assert_eq!(order(4, 0.2, reorder), order(4, 0.2, reorder));
        assert_ne!(order(4, 0.2, reorder), order(5, 0.2, reorder));
    }
}
