//! `explain`.

use deskbell_admin::Explanation;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{tool, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::{Answer, Output, answer, halve};
use super::limit::Limit;
use super::schema::schema_of;
use super::server::Server;
use crate::cli::exit::Failure;
use crate::cli::explain;

/// What to explain.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Explain {
    /// Id of a user, organization or other entity (user_…, org_…), or of a message (msg_…).
    id: String,
    /// Maximum number of events.
    #[serde(default)]
    limit: Limit,
}

impl Output for Explanation {
    fn text(&self) -> String {
        let (rows, events) = (self.rows.len(), self.events.len());
        let more = if self.has_more { ", and there are older ones" } else { "" };
        let mut text = format!("{rows} rows of mirrors, {events} events{more}");
        for mirror in &self.without_row {
            text += &format!("; {mirror} has no row");
        }
        for unread in &self.unread {
            text += &format!("; {} cannot be read", unread.destination);
        }
        text
    }

    fn shorten(&mut self) -> bool {
        self.has_more = true;
        halve(&mut self.events)
    }
}

#[tool_router(router = explain_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "Explain a user, organization or other entity: its rows in the mirrors, which event each value came from, and what became of its newest events. The first tool for \"why is this row as it is\".",
        annotations(read_only_hint = true, open_world_hint = false),
        output_schema = schema_of::<Explanation>()
    )]
    async fn explain(&self, Parameters(asked): Parameters<Explain>) -> Answer {
        answer(self.explained(asked).await)
    }

    async fn explained(&self, asked: Explain) -> Result<Explanation, Failure> {
        let limit = u32::try_from(asked.limit.count()).unwrap_or(u32::MAX);
        let remote = self.remote()?;
        let explained = explain::found(&asked.id, limit, remote.as_ref(), self.context()).await?;
        Ok(explain::known(explained, &asked.id)?.for_caller(&self.caller()))
    }
}
