//! The task that owns what runs: it applies what changes, until it is told to stop.

use std::time::Duration;

use deskbell_store::Backoff;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::StartError;
use super::reload::Reloaded;
use super::running::Running;
use crate::config::Config;
use crate::endpoints::changed;
use crate::tasks::StoppedEarly;

/// The longest pause between tries to apply what was declared through the admin API.
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// A config file to apply.
#[derive(Debug)]
pub(super) struct Reload {
    pub(super) config: Box<Config>,
    pub(super) answer: oneshot::Sender<Result<Reloaded, StartError>>,
}

/// Owns what runs. One thing is applied after the other, and none of them is cut off half-way.
#[derive(Debug)]
pub(super) struct Supervisor {
    pub(super) running: Running,
    pub(super) reloads: mpsc::Receiver<Reload>,
    pub(super) stop: CancellationToken,
    /// Cancelled when a background task has ended by itself, or this one.
    pub(super) ended: CancellationToken,
}

impl Supervisor {
    pub(super) async fn run(mut self) -> Result<(), StoppedEarly> {
        let _ended = self.ended.clone().drop_guard();
        let mut backoff = Backoff::new(BACKOFF_MAX);
        let mut pause = Duration::ZERO;
        loop {
            let (store, applied) = (self.running.store.clone(), self.running.applied.clone());
            let declared = async {
                sleep(pause).await;
                changed(&*store, &applied).await;
            };
            tokio::select! {
                () = self.stop.cancelled() => return self.running.stop().await,
                Some(Reload { config, answer }) = self.reloads.recv() => {
                    // Whoever asked may be gone.
                    let _ = answer.send(self.running.reload(&config).await);
                }
                () = declared => {
                    pause = match self.apply_declared().await {
                        true => {
                            backoff.reset();
                            Duration::ZERO
                        }
                        false => backoff.failed(),
                    };
                }
                () = self.running.ended_early(), if !self.ended.is_cancelled() => {
                    self.ended.cancel();
                }
            }
        }
    }

    /// Applies what was declared through the admin API. Whether that worked.
    async fn apply_declared(&mut self) -> bool {
        match self.running.reload_declared().await {
            Ok(Reloaded { destinations, .. }) => {
                tracing::info!(restarted = destinations.join(", "), "endpoints reloaded");
                true
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "endpoints not reloaded; retrying");
                false
            }
        }
    }
}
