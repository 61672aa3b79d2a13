//! `deskbell reconcile --messages`: the sender's record against the event log.

use std::process::ExitCode;
use std::time::Duration;

use clerk_api::ClientError;
use clerk_api::sender::{ReadError, SenderSession, SessionError};
use clerk_webhooks::UnixMillis;
use deskbell_store::{Store, clock};
use deskbell_trust::{
    MessageComparison, MessageScope, MessagesCompared, MessagesError, endpoint_of, read_pull_state,
};
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::super::{Context, exit, store};
use crate::backend_api;
use crate::command_runner::{Answer, Request as Command};
use crate::config::{Config, SourceConfig, SourceMode};
use crate::used_types::is_pulled;

/// How long the sender keeps messages.
const KEPT: Duration = Duration::from_secs(90 * 24 * 3_600);
/// Messages that one command fetches: others need not wait long for it.
const FETCHED_AT_ONCE: usize = 50;
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
    #[error("Clerk's sender has no endpoint for source `{source_name}`, or several with its paths")]
    #[diagnostic(help(
        "`deskbell connect --url URL` creates one; with --adopt it takes over one that is there"
    ))]
    NoEndpoint { source_name: String },
    #[error("the instance of source `{source_name}` has no webhooks yet")]
    #[diagnostic(help(
        "`deskbell connect` or `deskbell serve` with `mode = \"pull\"` turns them on"
    ))]
    NoWebhooks { source_name: String },
    #[error("no message of source `{source_name}` was ever fetched")]
    #[diagnostic(help("`deskbell serve` fetches them: start it, and try again"))]
    NeverPulled { source_name: String },
    #[error("cannot compare the messages of source `{source_name}`")]
    Messages { source_name: String, source: MessagesError },
}

impl Error {
    fn no_endpoint(source: &SourceConfig) -> Self {
        Self::NoEndpoint { source_name: source.name.clone() }
    }

    fn never_pulled(source: &SourceConfig) -> Self {
        Self::NeverPulled { source_name: source.name.clone() }
    }
}

/// What is asked for.
pub(super) struct Request {
    pub(super) since: Option<UnixMillis>,
    pub(super) repair: bool,
    /// How long messages that are sent again are waited for.
    pub(super) wait: Duration,
}

pub(super) async fn run(request: &Request, context: &Context) -> Result<ExitCode, exit::Failure> {
    let config = context.load_without_secrets()?;
    let store = store::to_read(&config).await?;
    let compared = compare_all(request, &config, &*store).await;
    store.close().await;
    let compared = compared?;
    if context.json {
        let sources = compared.iter().map(|(source, compared)| output(source, compared));
        outln!("{:#}", json!(MessagesOutput { sources: sources.collect() }));
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
) -> Result<Vec<(String, MessagesCompared)>, exit::Failure> {
    let mut compared = Vec::new();
    for source in config.sources.iter().filter(|source| source.secret_key.is_some()) {
        let outcome = compare(request, config, source, store).await?;
        compared.push((source.name.clone(), outcome));
    }
    match compared.is_empty() {
        true => Err(exit::Failure::config(Error::NoKey)),
        false => Ok(compared),
    }
}

async fn compare(
    request: &Request,
    config: &Config,
    source: &SourceConfig,
    store: &dyn Store,
) -> Result<MessagesCompared, exit::Failure> {
    let failed = |error: Error| exit::Failure::failed_with_help(error);
    let source_name = || source.name.clone();
    let session = session(source).await?;
    let endpoints = match source.mode {
        SourceMode::Push => {
            session.endpoints().await.map_err(|error| failed(Error::Read(error)))?
        }
        SourceMode::Pull => Vec::new(),
    };
    let takes = |name: &str| is_pulled(config, &source.name, name);
    let scope = match source.mode {
        SourceMode::Push => {
            let endpoint = endpoint_of(&endpoints, &source.name, &source.path);
            let endpoint = endpoint.ok_or_else(|| failed(Error::no_endpoint(source)))?;
            MessageScope::Endpoint(endpoint)
        }
        SourceMode::Pull => {
            let state = read_pull_state(store).await.map_err(store::failed_to_read)?;
            let of_source = state.and_then(|mut state| state.sources.remove(&source.name));
            let begun_at_ms = of_source.and_then(|state| state.begun_at_ms);
            let begun_at_ms = begun_at_ms.ok_or_else(|| failed(Error::never_pulled(source)))?;
            MessageScope::Pull { takes: &takes, begun_at_ms }
        }
    };
    let comparison =
        MessageComparison { session: &session, scope, log: store, source: &source.name };
    let now_ms = clock::now_ms();
    let earliest = now_ms - clock::whole_ms(KEPT);
    let since_ms = request.since.map_or(earliest, UnixMillis::as_millis);
    let of_messages = |error| failed(Error::Messages { source_name: source_name(), source: error });
    let mut compared = comparison.compare(since_ms, now_ms).await.map_err(of_messages)?;
    if !request.repair || compared.missing == 0 {
        return Ok(compared);
    }
    if let MessageScope::Endpoint(endpoint) = scope {
        let done = comparison.have_sent_again(endpoint, &mut compared, request.wait).await;
        done.map_err(of_messages)?;
    }
    fetch(config, source, store, &mut compared).await?;
    Ok(compared)
}

async fn session(source: &SourceConfig) -> Result<SenderSession, exit::Failure> {
    let Some(key) = &source.secret_key else { return Err(exit::Failure::config(Error::NoKey)) };
    let client = backend_api::client(source, key)
        .map_err(|error| exit::Failure::config(Error::Client(error)))?;
    let session = client.find_sender_session().await.map_err(|error| {
        let source_name = source.name.clone();
        exit::Failure::failed_with_help(Error::Session { source_name, source: error })
    });
    let source_name = source.name.clone();
    session?.ok_or_else(|| exit::Failure::failed_with_help(Error::NoWebhooks { source_name }))
}

/// Fetches the messages that did not come, the oldest first.
async fn fetch(
    config: &Config,
    source: &SourceConfig,
    store: &dyn Store,
    compared: &mut MessagesCompared,
) -> Result<(), exit::Failure> {
    let missing: Vec<_> = compared.missing_ids.iter().rev().cloned().collect();
    for message_ids in missing.chunks(FETCHED_AT_ONCE) {
        let (source, message_ids) = (source.name.clone(), message_ids.to_vec());
        let done = store::execute(config, Command::FetchMessages { source, message_ids }).await?;
        let Answer::MessagesFetched { messages } = done.answer else {
            return Err(store::unexpected(&done.answer));
        };
        compared.fetched += messages;
    }
    let mut left = Vec::new();
    for id in &compared.missing_ids {
        let found = store.find(&source.name, id).await.map_err(store::failed_to_read)?;
        left.extend(found.is_none().then(|| id.clone()));
    }
    // One that was sent again may have come meanwhile.
    let gone = u64::try_from(compared.missing_ids.len() - left.len()).unwrap_or(u64::MAX);
    compared.recovered += gone.saturating_sub(compared.fetched);
    compared.missing_ids = left;
    Ok(())
}

/// What `reconcile --messages` has found.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct MessagesOutput<'a> {
    sources: Vec<SourceMessages<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct SourceMessages<'a> {
    source: &'a str,
    /// Messages of the sender's record.
    sent: u64,
    /// Those of them that are in the event log.
    received: u64,
    /// Younger than a minute, and not in the log yet.
    on_their_way: u64,
    missing: u64,
    /// Missing messages that the sender was asked to send again.
    asked_again: u64,
    /// Those of them that came.
    recovered: u64,
    /// Missing messages that were fetched from the record.
    fetched: u64,
    /// What is missing still.
    left: u64,
    /// The first few ids of missing messages.
    examples: Vec<&'a str>,
}

fn output<'a>(source: &'a str, compared: &'a MessagesCompared) -> SourceMessages<'a> {
    let examples = compared.missing_ids.iter().take(EXAMPLES_MAX);
    SourceMessages {
        source,
        sent: compared.sent,
        received: compared.received,
        on_their_way: compared.on_their_way,
        missing: compared.missing,
        asked_again: compared.asked_again,
        recovered: compared.recovered,
        fetched: compared.fetched,
        left: compared.left(),
        examples: examples.map(|id| &**id).collect(),
    }
}

fn print(source: &str, compared: &MessagesCompared, repair: bool) {
    let MessagesCompared { sent, on_their_way, missing, recovered, fetched, .. } = compared;
    if *on_their_way > 0 {
        outln!("{source}: {on_their_way} messages are younger than a minute and on their way");
    }
    let expected = sent - on_their_way;
    match (missing, compared.left()) {
        (0, _) => outln!("{source}: all {expected} messages received"),
        (_, 0) => outln!(
            "{source}: all {expected} messages received; missing before: {missing} ({recovered} sent \
             again, {fetched} fetched)"
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
