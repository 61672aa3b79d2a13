//! `replay_event`, where writing is allowed.

use rmcp::handler::server::wrapper::Parameters;
use rmcp::{tool, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Output, answer};
use super::schema::schema_of;
use super::server::Server;
use crate::cli::exit::Failure;
use crate::cli::replay;

/// Which event to send again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplayEvent {
    /// Message id (svix-id) of the event.
    message_id: String,
    /// Only to this destination, even if its filter does not take the event.
    destination: Option<String>,
    /// Only count the deliveries.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Replayed {
    /// Deliveries that are made again, or would be.
    deliveries: u64,
    dry_run: bool,
}

impl Output for Replayed {
    fn text(&self) -> String {
        let what = if self.dry_run { "would be made" } else { "queued" };
        format!("{} deliveries {what}", self.deliveries)
    }
}

#[tool_router(router = replay_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "Send one event again to the destinations that take it, or to one of them. The receivers get it once more, with the same message id. Mirrors are not touched.",
        annotations(read_only_hint = false, destructive_hint = false),
        output_schema = schema_of::<Replayed>()
    )]
    async fn replay_event(&self, Parameters(asked): Parameters<ReplayEvent>) -> Answer {
        answer(self.replayed(asked).await)
    }

    async fn replayed(&self, asked: ReplayEvent) -> Result<Replayed, Failure> {
        let ReplayEvent { message_id, destination, dry_run } = asked;
        let remote = self.remote_arguments().clone();
        let arguments = replay::Arguments::of_event(message_id, destination, dry_run, remote);
        let replayed = replay::replayed(&arguments, self.context()).await?;
        Ok(Replayed { deliveries: replayed.deliveries, dry_run })
    }
}
