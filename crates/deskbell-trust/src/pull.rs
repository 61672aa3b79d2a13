//! Pull: messages are fetched from the record of Clerk's sender, in order, instead of being sent. For a
//! program that nobody can reach.
//!
//! Only the sender's clock takes part: the checkpoint is the time of the newest message that was
//! fetched, and what is a little older is looked at again.

mod round;
mod source;
mod state;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::{Backoff, ConsumerLog, Leader, StoreError, run_as_leader};
use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::round::Puller;
pub use self::source::PulledSource;
use self::state::{PULL, Progress};
pub use self::state::{PullState, PulledState, read_pull_state};
use crate::backfill::with_causes;
use crate::message_event::FetchError;

/// How often new messages are looked for.
pub const PULL_EVERY: Duration = Duration::from_secs(5);
/// The longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Fetches the messages of all sources, in one process at a time.
#[derive(Debug)]
pub struct MessagePull {
    store: Arc<dyn ConsumerLog>,
    sources: Vec<PulledSource>,
    every: Duration,
}

impl MessagePull {
    #[must_use]
    pub fn new(store: Arc<dyn ConsumerLog>, sources: Vec<PulledSource>, every: Duration) -> Self {
        Self { store, sources, every }
    }

    /// Fetches until `shutdown`, while this process is the leader.
    pub async fn run(mut self, shutdown: CancellationToken) {
        if self.sources.is_empty() {
            return shutdown.cancelled().await;
        }
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, PULL, &shutdown, &mut self).await;
    }

    async fn pull_all(&self) -> Result<(), StoreError> {
        let state = read_pull_state(&*self.store).await?.unwrap_or_default();
        let progress = Mutex::new(Progress::new(&*self.store, state));
        let sources = self.sources.iter();
        join_all(sources.map(|source| self.follow(source, &progress))).await;
        Ok(())
    }

    /// Fetches the messages of one source, round by round.
    async fn follow(&self, source: &PulledSource, progress: &Mutex<Progress<'_>>) {
        let mut puller = Puller::new(source, &*self.store);
        let mut backoff = Backoff::new(PAUSE_MAX);
        let mut reported: Option<String> = None;
        loop {
            match puller.run_once(progress).await {
                Ok(fetched) => {
                    backoff.reset();
                    if reported.take().is_some() {
                        tracing::info!(source = &*source.name, "messages are fetched again");
                    }
                    if fetched == 0 {
                        sleep(self.every).await;
                    }
                }
                Err(error) => {
                    let text = with_causes(&error);
                    if reported.as_ref() != Some(&text) {
                        report(source, &error);
                    }
                    progress.lock().await.note_failure(&source.name, &text).await;
                    reported = Some(text);
                    sleep(backoff.failed().max(self.every)).await;
                }
            }
        }
    }
}

#[async_trait]
impl Leader for MessagePull {
    /// Dropped at any moment: what was appended is in the log, and the rest goes on from the checkpoint.
    async fn lead(&mut self, shutdown: CancellationToken) {
        let pulling = async {
            loop {
                if let Err(error) = self.pull_all().await {
                    report_store(&error);
                    sleep(self.every).await;
                }
            }
        };
        shutdown.run_until_cancelled(pulling).await;
    }
}

fn report_store(error: &StoreError) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(error, "cannot read how far messages were fetched; retrying");
}

fn report(source: &PulledSource, error: &FetchError) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(
        source = &*source.name,
        error,
        "cannot fetch messages from Clerk's sender; retrying. If this lasts, receive them by \
         `mode = \"push\"` instead"
    );
}
