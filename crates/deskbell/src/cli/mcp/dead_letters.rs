//! `list_dead_letters`, and `retry_dead_letters` where writing is allowed.

use deskbell_admin::DeadLetterView;
use miette::Diagnostic;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{tool, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Output, answer, halve};
use super::limit::Limit;
use super::schema::schema_of;
use super::server::Server;
use crate::cli::dead_letters::{self, Retry};
use crate::cli::exit::Failure;

/// Which dead letters to list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListDeadLetters {
    /// Only of this destination.
    destination: Option<String>,
    /// Only of this entity or message.
    id: Option<String>,
    /// Maximum number of dead letters.
    #[serde(default)]
    limit: Limit,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DeadLetterList {
    dead_letters: Vec<DeadLetterView>,
    /// How many there are, as far as was counted.
    found: usize,
}

impl Output for DeadLetterList {
    fn text(&self) -> String {
        match (self.dead_letters.len(), self.found) {
            (_, 0) => "no dead letters".to_owned(),
            (shown, found) if shown == found => format!("{found} dead letters"),
            (shown, found) => format!("{shown} of {found} dead letters"),
        }
    }

    fn shorten(&mut self) -> bool {
        halve(&mut self.dead_letters)
    }
}

/// Which dead letters to retry: `ids`, `cause` or `all`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RetryDeadLetters {
    /// Ids of entities or of messages.
    #[serde(default)]
    ids: Vec<String>,
    /// Rows that a database rejected with this code (such as 23505), for this constraint or in this table.
    cause: Option<String>,
    /// All dead letters.
    #[serde(default)]
    all: bool,
    /// Only of this destination.
    destination: Option<String>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("it is not clear which dead letters are meant")]
#[diagnostic(help("give exactly one of `ids`, `cause` and `all`"))]
struct WhichOnes;

#[derive(Debug, Serialize, JsonSchema)]
struct Retrying {
    /// How many are retried, at once by a running `deskbell serve`, or by the next one.
    asked: u64,
}

impl Output for Retrying {
    fn text(&self) -> String {
        format!("{} queued for retry by `deskbell serve`", self.asked)
    }
}

#[tool_router(router = dead_letter_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "List rows that a mirror's database rejected and deliveries that failed permanently, with the cause of each.",
        annotations(read_only_hint = true, open_world_hint = false),
        output_schema = schema_of::<DeadLetterList>()
    )]
    async fn list_dead_letters(&self, Parameters(asked): Parameters<ListDeadLetters>) -> Answer {
        answer(self.dead_letters(asked).await)
    }

    async fn dead_letters(&self, asked: ListDeadLetters) -> Result<DeadLetterList, Failure> {
        let ListDeadLetters { destination, id, limit } = asked;
        let (destination, id) = (destination.as_deref(), id.as_deref());
        let found =
            dead_letters::find(destination, id, self.remote_arguments(), self.context()).await?;
        let count = found.len();
        let shown = found.into_iter().take(limit.count()).map(|one| {
            let caller = self.caller_for(&one.event_type);
            one.for_caller(&caller)
        });
        Ok(DeadLetterList { dead_letters: shown.collect(), found: count })
    }
}

#[tool_router(router = retry_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "Retry dead letters: those of some ids, of one cause, or all. Mend the cause first.",
        annotations(read_only_hint = false, destructive_hint = false),
        output_schema = schema_of::<Retrying>()
    )]
    async fn retry_dead_letters(&self, Parameters(asked): Parameters<RetryDeadLetters>) -> Answer {
        answer(self.retrying(asked).await)
    }

    async fn retrying(&self, asked: RetryDeadLetters) -> Result<Retrying, Failure> {
        let RetryDeadLetters { ids, cause, all, destination } = asked;
        let given = [!ids.is_empty(), cause.is_some(), all];
        if given.iter().filter(|given| **given).count() != 1 {
            return Err(Failure::usage(WhichOnes));
        }
        let remote = self.remote_arguments().clone();
        let arguments = Retry { ids, all, cause, destination, remote };
        let asked = dead_letters::retry(&arguments, self.context()).await?;
        Ok(Retrying { asked: asked.count() })
    }
}
