//! Replays, as the background tasks that Svix's clients ask about.

use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{ReplayStatus, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::svix::api::Api;
use crate::svix::errors::ApiError;
use crate::svix::replies::ok;
use crate::svix::time;

/// What was asked for. It is part of the task's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::svix) enum Task {
    Recover,
    Replay,
    BulkReplay,
}

/// A replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BackgroundTaskOut)]
pub(in crate::svix) struct TaskOut {
    id: String,
    /// `running` or `finished`.
    status: String,
    /// `endpoint.recover`, `endpoint.replay` or `endpoint.bulk-replay`.
    task: String,
    data: TaskData,
    /// When this was found out.
    updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BackgroundTaskData)]
pub(in crate::svix) struct TaskData {
    /// Deliveries that are pending again.
    messages_sent: u64,
}

const PREFIX: &str = "qtask_";
/// The prefix of the number of deliveries, if a replay was done at once.
const DONE: &str = "done-";

/// A replay that a task's id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Replay {
    /// By its number.
    Begun(i64),
    Done {
        deliveries: u64,
    },
}

impl Task {
    const ALL: [Self; 3] = [Self::Recover, Self::Replay, Self::BulkReplay];

    fn name(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::Replay => "replay",
            Self::BulkReplay => "bulk-replay",
        }
    }

    /// One that was done at once has no number: what came of it is in the id.
    fn id(self, replay: &ReplayStatus) -> String {
        let name = self.name();
        match replay.id {
            Some(number) => format!("{PREFIX}{name}_{number}"),
            None => format!("{PREFIX}{name}_{DONE}{}", replay.deliveries),
        }
    }

    /// The replay that has this id as a task.
    fn of_id(id: &str) -> Option<(Self, Replay)> {
        let (name, replay) = id.strip_prefix(PREFIX)?.rsplit_once('_')?;
        let task = Self::ALL.into_iter().find(|task| task.name() == name)?;
        let replay = match replay.strip_prefix(DONE) {
            Some(deliveries) => Replay::Done { deliveries: deliveries.parse().ok()? },
            None => Replay::Begun(replay.parse().ok()?),
        };
        Some((task, replay))
    }
}

impl TaskOut {
    pub(in crate::svix) fn of(task: Task, replay: &ReplayStatus) -> Self {
        Self {
            id: task.id(replay),
            status: match (&replay.failed, replay.done) {
                (Some(_), _) => "failed",
                (None, true) => "finished",
                (None, false) => "running",
            }
            .to_owned(),
            task: format!("endpoint.{}", task.name()),
            data: TaskData { messages_sent: replay.deliveries },
            updated_at: time::now(),
        }
    }
}

/// Ask how far a replay is.
#[utoipa::path(
    get, path = "/api/v1/background-task/{task_id}", tag = "Background task",
    params(("task_id" = String, Path)),
    responses((status = 200, body = TaskOut)),
)]
pub(in crate::svix) async fn get(
    State(api): State<Api>,
    Path(task_id): Path<String>,
) -> Result<Response, ApiError> {
    let unknown = || ApiError::not_found("background task", &task_id);
    let (task, replay) = Task::of_id(&task_id).ok_or_else(unknown)?;
    let status = match replay {
        Replay::Begun(number) => {
            let status = api.admin().replay_status(number).await?;
            ReplayStatus { id: Some(number), ..status }
        }
        Replay::Done { deliveries } => done(deliveries),
    };
    Ok(ok(&TaskOut::of(task, &status)))
}

fn done(deliveries: u64) -> ReplayStatus {
    ReplayStatus { deliveries, done: true, ..ReplayStatus::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_by_its_id() {
        for task in Task::ALL {
            let begun = ReplayStatus { id: Some(7), ..done(3) };
            assert_eq!(Task::of_id(&task.id(&begun)), Some((task, Replay::Begun(7))));
            let deliveries = 3;
            let expected = Some((task, Replay::Done { deliveries }));
            assert_eq!(Task::of_id(&task.id(&done(deliveries))), expected);
        }
        for id in ["qtask_", "qtask_recover", "qtask_recover_x", "qtask_other_1", "7"] {
            assert_eq!(Task::of_id(id), None, "{id}");
        }
    }
}
