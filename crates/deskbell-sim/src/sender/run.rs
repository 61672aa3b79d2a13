//! One run of the sender: begins deliveries at their time, and counts them as they end.

use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Duration, Instant, sleep_until};

use super::delivery::{Courier, Delivered, Delivery};
use super::dispatch::{Dispatch, Dispatches};
use super::report::Tally;
use super::{Progress, Report, SenderOptions};
use crate::Message;

/// At most so many deliveries are under way or wait for a retry; at it, no new one begins until one ends.
const DELIVERIES_OPEN_MAX: usize = 10_000;

/// A run under way. Dropped, it takes its deliveries with it.
pub(crate) struct Run<'a, P> {
    courier: &'a Arc<Courier>,
    options: &'a SenderOptions,
    progress: P,
    started: Instant,
    tally: Tally,
    open: JoinSet<Delivered>,
}

impl<'a, P: FnMut(&Progress)> Run<'a, P> {
    pub(crate) fn new(courier: &'a Arc<Courier>, options: &'a SenderOptions, progress: P) -> Self {
        let (tally, open) = (Tally::default(), JoinSet::new());
        Self { courier, options, progress, started: Instant::now(), tally, open }
    }

    /// Sends the messages and returns once each is acked or given up.
    pub(crate) async fn send_all(&mut self, messages: impl IntoIterator<Item = Message>) {
        let SenderOptions { seed, duplicates, reorder, .. } = *self.options;
        let dispatches = Dispatches::new(messages.into_iter(), seed, duplicates, reorder);
        let mut firsts = 0;
        for dispatch in dispatches {
            if !dispatch.duplicate {
                self.wait_for_rate(firsts).await;
                firsts += 1;
            }
            for endpoint in 0..self.courier.signers.len() {
                self.begin(&dispatch, endpoint).await;
            }
        }
        while let Some(joined) = self.open.join_next().await {
            self.ended(joined);
        }
    }

    /// What the run has come to; what is still open is left.
    pub(crate) fn into_report(mut self, stopped: bool) -> Report {
        self.count_ended();
        self.tally.into_report(self.started.elapsed(), stopped)
    }

    /// Begins a delivery as soon as there is room for it.
    async fn begin(&mut self, dispatch: &Dispatch, endpoint: usize) {
        while self.open.len() >= DELIVERIES_OPEN_MAX {
            if let Some(joined) = self.open.join_next().await {
                self.ended(joined);
            }
        }
        let Some(slot) = self.slot().await else { return };
        let Message { id, body, .. } = &dispatch.message;
        self.tally.begun(dispatch.index, id, endpoint == 0 && !dispatch.duplicate);
        let (id, body) = (id.clone(), body.clone());
        let delivery = Delivery { index: dispatch.index, id, body, endpoint };
        self.open.spawn(Arc::clone(self.courier).deliver(delivery, slot));
        self.count_ended();
    }

    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.courier.slots).acquire_owned().await.ok()
    }

    /// Waits until the message of this index may begin.
    async fn wait_for_rate(&self, index: usize) {
        if let Some(rate) = self.options.rate_per_second.filter(|&rate| rate > 0.0) {
            #[expect(clippy::cast_precision_loss, reason = "indexes are far below 2^52")]
            let since = Duration::try_from_secs_f64(index as f64 / rate).unwrap_or(Duration::MAX);
            if let Some(due) = self.started.checked_add(since) {
                sleep_until(due).await;
            }
        }
    }

    fn count_ended(&mut self) {
        while let Some(joined) = self.open.try_join_next() {
            self.ended(joined);
        }
    }

    /// No delivery is ever cancelled while its set lives, so that a join that failed is a panic.
    fn ended(&mut self, joined: Result<Delivered, JoinError>) {
        self.tally.ended(joined.unwrap_or_else(|error| resume_unwind(error.into_panic())));
        (self.progress)(self.tally.progress());
    }
}
