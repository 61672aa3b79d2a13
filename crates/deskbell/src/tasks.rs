//! The background tasks: started under a name, stopped in an order, every panic reported.

use futures_util::future::join_all;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// Tasks that stop together.
#[derive(Debug)]
pub(crate) struct Stage {
    name: &'static str,
    tasks: JoinSet<()>,
    shutdown: CancellationToken,
    failure: Option<JoinError>,
}

/// A part of the engine ended by a panic.
#[derive(Debug, thiserror::Error)]
#[error("the {part} failed")]
pub struct StoppedEarly {
    part: &'static str,
    #[source]
    source: JoinError,
}

impl Stage {
    pub(crate) fn new(name: &'static str) -> Self {
        let shutdown = CancellationToken::new();
        Self { name, tasks: JoinSet::new(), shutdown, failure: None }
    }

    /// Runs the task that this makes of the stage's signal to stop.
    pub(crate) fn spawn<T>(&mut self, task: impl FnOnce(CancellationToken) -> T)
    where
        T: Future<Output = ()> + Send + 'static,
    {
        self.tasks.spawn(task(self.shutdown.clone()));
    }

    /// Returns when one of the tasks has ended; never, where there is none.
    pub(crate) async fn ended(&mut self) {
        match self.tasks.join_next().await {
            Some(Ok(())) => tracing::error!(part = self.name, "ended unexpectedly"),
            Some(Err(error)) => {
                tracing::error!(part = self.name, %error, "failed");
                self.failure = Some(error);
            }
            None => std::future::pending().await,
        }
    }

    /// Tells the tasks to stop and waits until they have.
    pub(crate) async fn stop(mut self) -> Result<(), StoppedEarly> {
        self.shutdown.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                self.failure.get_or_insert(error);
            }
        }
        match self.failure {
            Some(source) => Err(StoppedEarly { part: self.name, source }),
            None => Ok(()),
        }
    }
}

/// Stops all of them at the same time.
pub(crate) async fn stop_all(stages: impl IntoIterator<Item = Stage>) -> Result<(), StoppedEarly> {
    let stopped = join_all(stages.into_iter().map(Stage::stop)).await;
    stopped.into_iter().fold(Ok(()), Result::and)
}
