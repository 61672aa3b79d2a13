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

impl Task {
    const ALL: [Self; 3] = [Self::Recover, Self::Replay, Self::BulkReplay];

    fn name(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::Replay => "replay",
            Self::BulkReplay => "bulk-replay",
        }
    }

    fn id(self, replay: Option<i64>) -> String {
        format!("{PREFIX}{}_{}", self.name(), replay.unwrap_or_default())
    }

    /// The replay that has this id as a task.
    fn of_id(id: &str) -> Option<(Self, i64)> {
        let (name, replay) = id.strip_prefix(PREFIX)?.rsplit_once('_')?;
        let task = Self::ALL.into_iter().find(|task| task.name() == name)?;
        Some((task, replay.parse().ok()?))
    }
}

impl TaskOut {
    pub(in crate::svix) fn of(task: Task, replay: ReplayStatus) -> Self {
        Self {
            id: task.id(replay.id),
            status: if replay.done { "finished" } else { "running" }.to_owned(),
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
    let mut status = api.admin().replay_status(replay).await?;
    status.id = Some(replay);
    Ok(ok(&TaskOut::of(task, status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_found_by_its_id() {
        for task in Task::ALL {
            assert_eq!(Task::of_id(&task.id(Some(7))), Some((task, 7)));
        }
        for id in ["qtask_", "qtask_recover", "qtask_recover_x", "qtask_other_1", "7"] {
            assert_eq!(Task::of_id(id), None, "{id}");
        }
    }
}
