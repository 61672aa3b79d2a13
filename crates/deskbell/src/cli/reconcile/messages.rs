//! `deskbell reconcile --messages`: the sender's record against the event log.

use std::process::ExitCode;
use std::time::Duration;

use clerk_api::ClientError;
use clerk_api::sender::{ReadError, SessionError};
use clerk_webhooks::UnixMillis;
use deskbell_server::SourceConfig;
use deskbell_store::{Store, clock};
use deskbell_trust::{MessageComparison, MessagesCompared, MessagesError, endpoint_of};
use miette::Diagnostic;
use serde_json::json;

use super::super::connect::address;
use super::super::{Context, exit, store};
use crate::backend_api;
use crate::config::Config;

/// How long the sender keeps messages.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);
/// How long messages that are sent again are waited for.
const WAIT: Duration = Duration::from_secs(60);
/// How many of the missing messages are named.
const EXAMPLES_MAX: usize = 5;

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("there is no secret key of Clerk's Backend API")]
    #[diagnostic(help("set `secret_key` in [[source]], or CLERK_SECRET_KEY"))]
    NoKey,
    #[error("cannot use Clerk's Backend API")]
    Client(#[source] ClientError),
    #[error("cannot look at Clerk's sender for source `{source_name}`")]
    #[diagnostic(help(
        "Clerk does not document this way into its sender. In the Clerk dashboard open Configure > \
         Webhooks, choose your endpoint, and look for failed messages there; \"Replay\" sends them again"
    ))]
    Session { source_name: String, source: SessionError },
    #[error("cannot read the endpoints of Clerk's sender")]
    Read(#[source] ReadError),
    #[error("Clerk's sender has no endpoint for source `{source_name}`")]
    #[diagnostic(help("create it with `deskbell connect --url URL`"))]
    NoEndpoint { source_name: String },
    #[error("cannot compare the messages of source `{source_name}`")]
    Messages { source_name: String, source: MessagesError },
}

/// What is asked for.
pub(super) struct Request {
    pub(super) since: Option<UnixMillis>,
    pub(super) repair: bool,
}

pub(super) async fn run(request: &Request, context: &Context) -> Result<ExitCode, exit::Failure> {
    let config = context.load_without_secrets()?;
    let store = store::to_read(&config).await?;
    let compared = compare_all(request, &config, &*store, context).await;
    store.close().await;
    let compared = compared?;
    if context.json {
        let sources = compared.iter().map(|(source, compared)| of_json(source, compared));
        outln!("{:#}", json!({ "sources": sources.collect::<Vec<_>>() }));
    } else {
        compared.iter().for_each(|(source, compared)| print(source, compared, request.repair));
    }
    let left: u64 = compared.iter().map(|(_, compared)| compared.left()).sum();
    Ok(ExitCode::from(if left == 0 { exit::DONE } else { exit::FAILED }))
}

async fn compare_all(
    request: &Request,
    config: &Config,
    store: &dyn Store,
    context: &Context,
) -> Result<Vec<(String, MessagesCompared)>, exit::Failure> {
    let mut compared = Vec::new();
    for source in config.sources.iter().filter(|source| source.secret_key.is_some()) {
        let outcome = compare(request, source, store, context).await?;
        compared.push((source.name.clone(), outcome));
    }
    match compared.is_empty() {
        true => Err(exit::Failure::config(Error::NoKey)),
        false => Ok(compared),
    }
}

async fn compare(
    request: &Request,
    source: &SourceConfig,
    store: &dyn Store,
    context: &Context,
) -> Result<MessagesCompared, exit::Failure> {
    let failed = |error: Error| exit::Failure::failed_with_help(error);
    let source_name = || source.name.clone();
    let Some(key) = &source.secret_key else { return Err(exit::Failure::config(Error::NoKey)) };
    let sender_url = address::sender_url(&context.environment)?;
    let client = backend_api::client(source, key, sender_url)
        .map_err(|error| exit::Failure::config(Error::Client(error)))?;
    let session = client.find_sender_session().await;
    let session = session
        .map_err(|error| failed(Error::Session { source_name: source_name(), source: error }))?;
    let no_endpoint = || failed(Error::NoEndpoint { source_name: source_name() });
    let session = session.ok_or_else(no_endpoint)?;
    let endpoints = session.endpoints().await.map_err(|error| failed(Error::Read(error)))?;
    let endpoint = endpoint_of(&endpoints, &source.name, &source.path).ok_or_else(no_endpoint)?;
    let comparison =
        MessageComparison { session: &session, endpoint, log: store, source: &source.name };
    let now_ms = clock::now_ms();
    let earliest = now_ms - clock::whole_ms(KEPT);
    let since_ms = request.since.map_or(earliest, UnixMillis::as_millis);
    let of_messages = |error| failed(Error::Messages { source_name: source_name(), source: error });
    let mut compared = comparison.compare(since_ms, now_ms).await.map_err(of_messages)?;
    if request.repair && compared.missing > 0 {
        let done = comparison.have_sent_again(&mut compared, WAIT).await;
        done.map_err(of_messages)?;
    }
    Ok(compared)
}

fn of_json(source: &str, compared: &MessagesCompared) -> serde_json::Value {
    let examples: Vec<_> = compared.missing_ids.iter().take(EXAMPLES_MAX).collect();
    json!({
        "source": source, "sent": compared.sent, "received": compared.received,
        "on_their_way": compared.on_their_way, "missing": compared.missing,
        "asked_again": compared.asked_again, "recovered": compared.recovered,
        "left": compared.left(), "examples": examples,
    })
}

fn print(source: &str, compared: &MessagesCompared, repair: bool) {
    let MessagesCompared { sent, on_their_way, missing, recovered, .. } = compared;
    if *on_their_way > 0 {
        outln!("{source}: {on_their_way} messages are younger than a minute and on their way");
    }
    match (missing, compared.left()) {
        (0, _) => outln!("{source}: all {} messages received", sent - on_their_way),
        (_, 0) => outln!(
            "{source}: {recovered} messages were missing and have been sent again: all {} messages \
             received",
            sent - on_their_way
        ),
        (_, left) => {
            let ids: Vec<_> = compared.missing_ids.iter().take(EXAMPLES_MAX).cloned().collect();
            outln!("{source}: {left} of {sent} messages are missing: {}", ids.join(", "));
            if !repair {
                outln!("`deskbell reconcile --messages --repair` has Clerk send them again");
            }
        }
    }
}
