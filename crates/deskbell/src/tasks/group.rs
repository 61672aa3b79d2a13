//! Tasks that stop together. One that panics or ends by itself is reported under its own name.

use std::collections::HashMap;
use std::fmt;

use futures_util::future::join_all;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Default)]
pub(crate) struct TaskGroup {
    tasks: JoinSet<()>,
    names: HashMap<Id, TaskName>,
    shutdown: CancellationToken,
    failure: Option<StoppedEarly>,
}

/// What a task is reported as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskName {
    part: &'static str,
    /// Of a task that serves one destination.
    destination: Option<String>,
}

/// A part of the engine ended by a panic.
#[derive(Debug, thiserror::Error)]
#[error("the {task} failed")]
pub struct StoppedEarly {
    task: TaskName,
    #[source]
    source: JoinError,
}

impl StoppedEarly {
    pub(crate) fn of(task: impl Into<TaskName>, source: JoinError) -> Self {
        Self { task: task.into(), source }
    }
}

impl TaskGroup {
    /// Runs the task that this makes of the group's signal to stop.
    pub(super) fn spawn<T>(
        &mut self,
        name: impl Into<TaskName>,
        task: impl FnOnce(CancellationToken) -> T,
    ) where
        T: Future<Output = ()> + Send + 'static,
    {
        let handle = self.tasks.spawn(task(self.shutdown.clone()));
        self.names.insert(handle.id(), name.into());
    }

    /// Waits until one of the tasks has ended, and logs it; forever, where there is none.
    pub(crate) async fn ended(&mut self) -> TaskName {
        let Some((task, ended)) = self.next().await else { return std::future::pending().await };
        let TaskName { part, destination } = &task;
        match ended {
            Ok(()) => tracing::error!(part, destination, "ended unexpectedly"),
            Err(error) => {
                tracing::error!(part, destination, %error, "failed");
                self.failure = Some(StoppedEarly { task: task.clone(), source: error });
            }
        }
        task
    }

    /// Tells the tasks to stop and waits until they have.
    pub(crate) async fn stop(mut self) -> Result<(), StoppedEarly> {
        self.shutdown.cancel();
        while let Some((task, ended)) = self.next().await {
            if let Err(source) = ended {
                self.failure.get_or_insert(StoppedEarly { task, source });
            }
        }
        self.failure.map_or(Ok(()), Err)
    }

    async fn next(&mut self) -> Option<(TaskName, Result<(), JoinError>)> {
        let (id, ended) = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => (id, Ok(())),
            Err(error) => (error.id(), Err(error)),
        };
        Some((self.names.remove(&id)?, ended))
    }
}

/// Stops all of them at the same time.
pub(crate) async fn stop_all(
    groups: impl IntoIterator<Item = TaskGroup>,
) -> Result<(), StoppedEarly> {
    let stopped = join_all(groups.into_iter().map(TaskGroup::stop)).await;
    stopped.into_iter().fold(Ok(()), Result::and)
}

impl From<&'static str> for TaskName {
    fn from(part: &'static str) -> Self {
        Self { part, destination: None }
    }
}

impl From<(&'static str, &str)> for TaskName {
    fn from((part, destination): (&'static str, &str)) -> Self {
        Self { part, destination: Some(destination.to_owned()) }
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.destination {
            Some(destination) => write!(f, "{} of `{destination}`", self.part),
            None => f.write_str(self.part),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group of the pruner, the router and a worker, of which one fails or ends.
    fn group(part: &str, end: fn()) -> TaskGroup {
        let mut group = TaskGroup::default();
        let names: [TaskName; 3] = ["pruner".into(), "router".into(), ("worker", "crm").into()];
        for name in names {
            let is_ending = name.part == part;
            group.spawn(name, |shutdown| async move {
                match is_ending {
                    true => end(),
                    false => shutdown.cancelled().await,
                }
            });
        }
        group
    }

    #[tokio::test]
    async fn a_task_that_panics_is_reported_under_its_own_name() {
        for (part, said) in [
            ("pruner", "the pruner failed"),
            ("router", "the router failed"),
            ("worker", "the worker of `crm` failed"),
        ] {
            let mut group = group(part, || panic!("a fault"));
            assert_eq!(group.ended().await.part, part);
            assert_eq!(group.stop().await.unwrap_err().to_string(), said);
        }
    }

    #[tokio::test]
    async fn a_panic_while_the_group_stops_is_reported_too() {
        let mut group = TaskGroup::default();
        group.spawn("router", |shutdown| async move { shutdown.cancelled().await });
        group.spawn("pruner", |shutdown| async move {
            shutdown.cancelled().await;
            panic!("a fault");
        });
        assert_eq!(group.stop().await.unwrap_err().to_string(), "the pruner failed");
    }

    #[tokio::test]
    async fn a_task_that_ends_by_itself_is_named_and_no_failure() {
        for part in ["pruner", "router", "worker"] {
            let mut group = group(part, || ());
            assert_eq!(group.ended().await.part, part);
            group.stop().await.unwrap();
        }
    }
}
