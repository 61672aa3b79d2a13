//! `list_event_types` and `sample_event`.

use clerk_webhooks::catalog;
use deskbell_devtools::sample;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{tool, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, Output, answer};
use super::schema::schema_of;
use super::server::Server;
use crate::cli::exit::Failure;

#[derive(Debug, Serialize, JsonSchema)]
struct EventTypes {
    types: Vec<EventType>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct EventType {
    #[serde(rename = "type")]
    name: &'static str,
    description: &'static str,
}

impl Output for EventTypes {
    fn text(&self) -> String {
        format!("{} event types", self.types.len())
    }
}

/// Which sample to show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SampleEvent {
    /// Event type, such as user.created
    #[serde(rename = "type")]
    event_type: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Sample {
    /// The body of such a request, with made-up values.
    sample: Value,
}

impl Output for Sample {
    fn text(&self) -> String {
        "a made-up event of this type, in the form that Clerk sends it".to_owned()
    }
}

#[tool_router(router = catalog_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "List the event types that Clerk sends.",
        annotations(read_only_hint = true, open_world_hint = false),
        output_schema = schema_of::<EventTypes>()
    )]
    async fn list_event_types(&self) -> Answer {
        let types = catalog::all().iter().map(|entry| EventType {
            name: entry.event_type.as_str(),
            description: entry.description,
        });
        answer(Ok(EventTypes { types: types.collect() }))
    }

    #[tool(
        description = "Show a sample body of an event type, with all of its fields.",
        annotations(read_only_hint = true, open_world_hint = false),
        output_schema = schema_of::<Sample>()
    )]
    async fn sample_event(&self, Parameters(asked): Parameters<SampleEvent>) -> Answer {
        let found = sample(&asked.event_type).map_err(Failure::usage);
        answer(found.map(|sample| Sample { sample }))
    }
}
