//! `verify_request`.

use rmcp::handler::server::wrapper::Parameters;
use rmcp::{tool, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::{Answer, Output, answer};
use super::schema::schema_of;
use super::server::Server;
use super::since::Since;
use crate::cli::exit::Failure;
use crate::cli::verify::{self, Verified};

/// The request to verify.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    /// The request as text, with its headers and its body: raw HTTP, HAR, JSON with headers and body, or a
    /// curl line.
    request: String,
    /// Signing secret (whsec_…) [default: those of the config's sources].
    secret: Option<String>,
    /// When the request arrived (2026-11-21T08:00:00Z) or how long ago (2h) [default: now].
    arrived_at: Option<Since>,
}

impl Output for Verified {
    fn text(&self) -> String {
        let Some(message) = &self.message else { return "the request is valid".to_owned() };
        let mut text = format!("the request is not valid: {message}");
        for cause in &self.causes {
            text += &format!("\ncause: {}\nfix: {}", cause.found, cause.help);
        }
        text
    }
}

#[tool_router(router = verify_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "Verify a captured webhook request: whether its signature is valid, and if not, which mistake explains it (body re-serialized, wrong secret, clock, proxy, …) and how to fix it.",
        annotations(read_only_hint = true, open_world_hint = false),
        output_schema = schema_of::<Verified>()
    )]
    async fn verify_request(&self, Parameters(asked): Parameters<VerifyRequest>) -> Answer {
        answer(self.verified(&asked))
    }

    fn verified(&self, asked: &VerifyRequest) -> Result<Verified, Failure> {
        let seconds = |at: Since| at.0.as_millis().unsigned_abs() / 1_000;
        let secrets: Vec<_> = asked.secret.iter().cloned().collect();
        verify::text(&asked.request, &secrets, asked.arrived_at.map(seconds), self.context())
    }
}
