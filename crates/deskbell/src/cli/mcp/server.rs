//! The server: what its tools ask, and what it lets an assistant see.

use std::sync::Arc;

use deskbell_admin::Caller;
use deskbell_config::ONE_TIME_CODES;
use deskbell_store::TokenRole;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::model::{Implementation, ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, tool_handler};

use crate::cli::remote::{Remote, RemoteArguments};
use crate::cli::{Context, exit};

const INSTRUCTIONS: &str = "\
Deskbell receives Clerk's webhooks, keeps a log of events, mirrors them into a database and delivers \
them to destinations. Begin with list_destinations for how it is, explain for one user or \
organization, show_event for one message. Personal data is masked (•••) unless the person started the \
server with --payloads; one-time codes are never shown.";

/// A server whose tools are these, over the local event log or another server's.
#[derive(Clone)]
pub(super) struct Server {
    asked: Arc<Asked>,
    tools: ToolRouter<Self>,
}

/// What is asked, and as whom.
pub(super) struct Asked {
    pub(super) context: Context,
    pub(super) remote: RemoteArguments,
    /// Whether the assistant sees personal data.
    pub(super) payloads: bool,
}

impl Server {
    pub(super) fn new(asked: Asked, tools: ToolRouter<Self>) -> Self {
        Self { asked: Arc::new(asked), tools }
    }

    pub(super) fn context(&self) -> &Context {
        &self.asked.context
    }

    pub(super) fn remote_arguments(&self) -> &RemoteArguments {
        &self.asked.remote
    }

    /// The other server; `None` for the local event log.
    pub(super) fn remote(&self) -> Result<Option<Remote>, exit::Failure> {
        self.asked.remote.remote()
    }

    pub(super) fn sees_payloads(&self) -> bool {
        self.asked.payloads
    }

    /// Who an answer about an event of this type is masked for: nobody sees what may be a one-time code.
    pub(super) fn caller_for(&self, event_type: &str) -> Caller {
        let mut caller = self.caller();
        if ONE_TIME_CODES.contains(&event_type) {
            caller.role = TokenRole::Viewer;
        }
        caller
    }

    /// Who answers are masked for.
    pub(super) fn caller(&self) -> Caller {
        let role = if self.asked.payloads { TokenRole::Reader } else { TokenRole::Viewer };
        Caller { name: "mcp".to_owned(), role }
    }
}

#[tool_handler(router = self.tools)]
impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("deskbell", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }
}
