//! `list_destinations`, and `enable_destination` where writing is allowed.

use deskbell_admin::DestinationView;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{tool, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Output, answer};
use super::schema::schema_of;
use super::server::Server;
use crate::cli::destinations;
use crate::cli::exit::Failure;

#[derive(Debug, Serialize, JsonSchema)]
struct DestinationList {
    destinations: Vec<DestinationView>,
    /// Whether their settings are left out, since there are too many.
    without_settings: bool,
}

impl Output for DestinationList {
    fn text(&self) -> String {
        if self.destinations.is_empty() {
            return "there are no destinations".to_owned();
        }
        let lines = self.destinations.iter().map(|one| format!("{}: {}", one.name, one.summary));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn shorten(&mut self) -> bool {
        let is_shorter = !self.without_settings;
        self.without_settings = true;
        self.destinations.iter_mut().for_each(|one| one.settings = serde_json::Value::Null);
        is_shorter
    }
}

/// Which destination to enable.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EnableDestination {
    /// Name of the destination.
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Enabled {
    destination: String,
    /// Whether a running `deskbell serve` delivers at once; otherwise deliveries start with the next.
    by_serve: bool,
}

impl Output for Enabled {
    fn text(&self) -> String {
        let when = if self.by_serve { "" } else { "; deliveries start when `deskbell serve` runs" };
        format!("{} re-enabled{when}", self.destination)
    }
}

#[tool_router(router = destination_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "List destinations (mirrors, HTTP endpoints, email, …) with their state in a sentence, lag, pending deliveries and dead letters. The first tool for \"is everything well\".",
        annotations(read_only_hint = true, open_world_hint = false),
        output_schema = schema_of::<DestinationList>()
    )]
    async fn list_destinations(&self) -> Answer {
        answer(self.destinations().await)
    }

    async fn destinations(&self) -> Result<DestinationList, Failure> {
        let found = destinations::all(self.remote_arguments(), self.context()).await?;
        let caller = self.caller();
        let destinations = found.into_iter().map(|one| one.for_caller(&caller)).collect();
        Ok(DestinationList { destinations, without_settings: false })
    }
}

#[tool_router(router = enable_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "Send to a destination again that was disabled because it kept failing, or was paused.",
        annotations(read_only_hint = false, destructive_hint = false, idempotent_hint = true),
        output_schema = schema_of::<Enabled>()
    )]
    async fn enable_destination(&self, Parameters(asked): Parameters<EnableDestination>) -> Answer {
        let name = asked.name;
        let enabled = destinations::enable(&name, self.remote_arguments(), self.context()).await;
        answer(enabled.map(|by_serve| Enabled { destination: name, by_serve }))
    }
}
