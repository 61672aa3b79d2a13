//! `check_handler`, and `probe_handler`, which sends events.

use std::path::PathBuf;

use deskbell_devtools::doctor::{Report, Status};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{tool, tool_router};
use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::answer::{Answer, Output, answer};
use super::schema::schema_of;
use super::server::Server;
use crate::cli::doctor::{self, Arguments};
use crate::cli::exit::Failure;

/// The handler to check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CheckHandler {
    /// URL of the webhook handler, such as http://localhost:3000/api/webhooks [default: that of the
    /// config's server].
    url: Option<String>,
    /// Directory of the application: its .env files, package versions and source files are looked at
    /// [default: the current directory].
    project: Option<String>,
    /// Signing secret (whsec_…) [default: those of the environment, of .env files, and of the config].
    secret: Option<String>,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("url: expected a URL such as http://localhost:3000/api/webhooks, found `{url}`")]
struct NotAUrl {
    url: String,
}

impl Output for Report {
    fn text(&self) -> String {
        let faults =
            self.checks.iter().filter(|check| matches!(check.status, Status::Fail | Status::Warn));
        let faults = faults.map(|check| {
            let help = check.help.as_deref().unwrap_or_default();
            format!("{}: {}\nfix: {help}", check.name, check.found)
        });
        let faults: Vec<_> = faults.collect();
        if faults.is_empty() { "nothing is wrong".to_owned() } else { faults.join("\n\n") }
    }
}

#[tool_router(router = check_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "Find out what is wrong with a webhook handler, anybody's, without sending it events: reachable, TLS, redirects, protected by middleware, the secret and the right variable, package versions that break it. Each fault with how to fix it.",
        annotations(read_only_hint = true, open_world_hint = true),
        output_schema = schema_of::<Report>()
    )]
    async fn check_handler(&self, Parameters(asked): Parameters<CheckHandler>) -> Answer {
        answer(self.checked(asked, Probes::None).await)
    }
}

#[tool_router(router = probe_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "As check_handler, and send the handler signed and forged test events, of users whose ids begin with user_deskbell_doctor_: whether it verifies, parses before verifying, deduplicates, takes unknown types and missing names, and answers in time.",
        annotations(read_only_hint = false, destructive_hint = false, open_world_hint = true),
        output_schema = schema_of::<Report>()
    )]
    async fn probe_handler(&self, Parameters(asked): Parameters<CheckHandler>) -> Answer {
        answer(self.checked(asked, Probes::Events).await)
    }
}

/// What is sent to the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probes {
    None,
    Events,
}

impl Server {
    async fn checked(&self, asked: CheckHandler, probes: Probes) -> Result<Report, Failure> {
        let url = asked
            .url
            .map(|text| Url::parse(&text).map_err(|_| Failure::usage(NotAUrl { url: text })));
        let project = PathBuf::from(asked.project.unwrap_or_else(|| ".".to_owned()));
        let secrets = asked.secret.into_iter().collect();
        let no_probes = probes == Probes::None;
        let arguments = Arguments::of_handler(url.transpose()?, secrets, project, no_probes);
        doctor::report(&arguments, self.context()).await
    }
}
