//! `deskbell mcp`: the event log and the developer's tools for an assistant, over stdin and stdout.

mod answer;
mod catalog;
mod dead_letters;
mod destinations;
mod doctor;
mod events;
mod explain;
mod limit;
mod replay;
mod schema;
mod server;
mod since;
mod verify;

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Args;
use miette::Diagnostic;
use rmcp::ServiceExt;
use rmcp::transport::stdio_pipes;

use self::server::{Asked, Server};
use super::remote::RemoteArguments;
use super::{Context, exit};

const EXAMPLE: &str = "\
Examples:
  claude mcp add deskbell -- deskbell mcp --config /srv/app/deskbell.toml
  deskbell mcp                                     the event log of this machine's config
  deskbell mcp --server https://hooks.example.com --token $TOKEN
  deskbell mcp --allow-writes                      lets the assistant replay and retry

An assistant starts it and speaks the Model Context Protocol on stdin and stdout. See docs/mcp.md.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Also offer the tools that change something: replay, retry, enable.
    #[arg(long)]
    allow_writes: bool,
    /// Show personal data of payloads and rows. One-time codes are never shown.
    #[arg(long)]
    payloads: bool,
    #[command(flatten)]
    remote: RemoteArguments,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("the client on stdin did not begin as the Model Context Protocol asks")]
    #[diagnostic(help("an assistant starts this command: see docs/mcp.md"))]
    Begin(#[from] Box<rmcp::service::ServerInitializeError>),
    #[error("a task of the server failed")]
    Task(#[from] tokio::task::JoinError),
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let Arguments { allow_writes, payloads, remote } = arguments;
    // A flag that makes no sense is said at once, and not by each tool.
    remote.remote()?;
    if io::stdin().is_terminal() {
        errln!("waiting for a client of the Model Context Protocol on stdin; see docs/mcp.md");
    }
    let mut tools = Server::event_tools()
        + Server::explain_tools()
        + Server::destination_tools()
        + Server::dead_letter_tools()
        + Server::verify_tools()
        + Server::check_tools()
        + Server::catalog_tools();
    if allow_writes {
        tools += Server::replay_tools() + Server::retry_tools() + Server::enable_tools();
        tools += Server::probe_tools();
    }
    let server = Server::new(Asked { context: context.read_again(), remote, payloads }, tools);
    let failed = |error: Error| exit::Failure::failed_with_help(error);
    let running = server.serve(stdio_pipes()).await;
    let running = running.map_err(|error| failed(Box::new(error).into()))?;
    running.waiting().await.map_err(|error| failed(error.into()))?;
    Ok(ExitCode::from(exit::DONE))
}
