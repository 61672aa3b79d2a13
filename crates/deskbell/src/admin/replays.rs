//! Replays: those of one event or of a queue are made at once; one of all that a search finds is a
//! command, which goes on after a restart and reports how far it is.

use async_trait::async_trait;
use deskbell_admin::{AdminError, Caller, EventQuery, ReplayRequest, ReplayStatus, Replays};
use deskbell_delivery::{Replay, What};
use deskbell_store::CommandId;

use super::local::LocalAdmin;
use crate::command_runner::{Answer, MatchingReplay, Progress, Request};
use crate::unavailable::unavailable;

/// Events that a dry run counts.
const COUNTED_MAX: u64 = 10_000;

#[async_trait]
impl Replays for LocalAdmin {
    async fn replay(
        &self,
        caller: &Caller,
        request: ReplayRequest,
    ) -> Result<ReplayStatus, AdminError> {
        let dry_run = request.dry_run;
        let (status, what) = match what(&request)? {
            Wanted::Matching(query) => (self.matching(&request, query).await?, "matching events"),
            Wanted::Replay(what) => (self.at_once(&request, what.0).await?, what.1),
        };
        if !dry_run {
            let target = request.destination.as_deref().unwrap_or("all destinations");
            let details = request.message_id.unwrap_or_else(|| what.to_owned());
            self.audit(caller, "replay", target, Some(details)).await;
        }
        Ok(status)
    }

    async fn replay_status(&self, id: i64) -> Result<ReplayStatus, AdminError> {
        let not_found = || AdminError::not_found("replay", &id.to_string());
        let found = self.store.find_command(CommandId(id)).await.map_err(unavailable)?;
        let found = found.ok_or_else(not_found)?;
        let is_replay = serde_json::from_str::<Request>(&found.command.0)
            .is_ok_and(|request| matches!(request, Request::ReplayMatching(_)));
        if !is_replay {
            return Err(not_found());
        }
        let progress = found.progress.as_deref().map(Progress::read).unwrap_or_default();
        let failed = match found.outcome.as_deref().map(Answer::read) {
            Some(Answer::Refused(why)) => Some(why),
            _ => None,
        };
        Ok(ReplayStatus {
            id: Some(id),
            deliveries: progress.deliveries,
            events: progress.events,
            done: found.outcome.is_some(),
            failed,
            more: false,
        })
    }
}

/// What to send again.
enum Wanted {
    Replay((What, &'static str)),
    Matching(EventQuery),
}

fn what(request: &ReplayRequest) -> Result<Wanted, AdminError> {
    let ReplayRequest { message_id, dead_lettered_since, missing_since, matching, .. } = request;
    if request.source.is_some() && message_id.is_none() {
        let message = "`source` needs `message_id`; set it in `matching` instead";
        return Err(AdminError::invalid("source", message));
    }
    let wanted = match (message_id, dead_lettered_since, missing_since, matching) {
        (Some(id), None, None, None) => {
            let source = request.source.clone();
            Wanted::Replay((What::Event { message_id: id.clone(), source }, "one event"))
        }
        (None, Some(since), None, None) => {
            Wanted::Replay((What::DeadLettered { since_ms: since.0 }, "dead letters"))
        }
        (None, None, Some(since), None) => {
            Wanted::Replay((What::Missing { since_ms: since.0 }, "missing events"))
        }
        (None, None, None, Some(query)) => Wanted::Matching(query.clone()),
        _ => {
            let message = "expected exactly one of `message_id`, `dead_lettered_since`, \
                           `missing_since` and `matching`";
            return Err(AdminError::invalid("message_id", message));
        }
    };
    Ok(wanted)
}

impl LocalAdmin {
    async fn at_once(
        &self,
        request: &ReplayRequest,
        what: What,
    ) -> Result<ReplayStatus, AdminError> {
        let replay = Replay {
            what,
            destination: request.destination.clone(),
            events: request.types.clone(),
            subject: request.subject.clone(),
            limit: request.limit,
            dry_run: request.dry_run,
        };
        match self.commands.execute(Request::Replay(replay)).await.map_err(unavailable)? {
            Answer::Replayed { deliveries } => {
                Ok(ReplayStatus { deliveries, done: true, ..ReplayStatus::default() })
            }
            Answer::Refused(why) => Err(AdminError::Conflict(why)),
            other => Err(AdminError::Unavailable(other.to_string())),
        }
    }

    async fn matching(
        &self,
        request: &ReplayRequest,
        query: EventQuery,
    ) -> Result<ReplayStatus, AdminError> {
        let query = EventQuery { before: None, ..query };
        let replay = MatchingReplay {
            query,
            destination: request.destination.clone(),
            limit: request.limit,
            up_to: self.store.head().await.map_err(unavailable)?.get(),
        };
        if request.dry_run {
            let counted = self.commands.count_matching(&replay, COUNTED_MAX).await;
            let Progress { deliveries, events, done, .. } = counted.map_err(unavailable)?;
            return Ok(ReplayStatus {
                id: None,
                deliveries,
                events,
                done: true,
                failed: None,
                more: !done,
            });
        }
        let command = Request::ReplayMatching(Box::new(replay)).into_command();
        let id = self.store.enqueue_command(&command).await.map_err(unavailable)?;
        Ok(ReplayStatus { id: Some(id.0), ..ReplayStatus::default() })
    }
}
