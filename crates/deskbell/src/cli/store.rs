//! The event log as commands open it: to read, or to have something done about its deliveries.

pub(super) mod backup;
pub(super) mod command;
pub(super) mod migrate;

use std::sync::Arc;
use std::time::Duration;

use deskbell_admin::AdminError;
use deskbell_delivery::Replayer;
use deskbell_store::{COMMANDS, CommandId, Commands, OpenError, Store, StoreError, StoreLocation};
use miette::Diagnostic;

use super::exit;
use crate::StartError;
use crate::backend_api;
use crate::command_runner::{Answer, CommandRunner, Request};
use crate::config::Config;
use crate::delivering;
use crate::endpoints::{Declared, KeySource};

/// How often the answer is looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long an answer is waited for; the command stays, and is executed all the same.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// Attempts to enqueue a command while the running program locks the store, each a second long.
const ENQUEUE_ATTEMPTS: usize = 5;

/// An event log that could not be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("cannot open the event log")]
    Open(#[from] OpenError),
    #[error("cannot use the event log")]
    Store(#[from] StoreError),
    #[error("the running `deskbell serve` did not answer within {} seconds", WAIT_MAX.as_secs())]
    #[diagnostic(help("the command stays in the event log and is executed later"))]
    NoAnswer,
    #[error("{0}")]
    Refused(String),
    #[error("the running `deskbell serve` has another version and gave an unexpected answer: {0}")]
    Unexpected(String),
}

/// What was done, and by whom.
pub(super) struct Done {
    /// What came of it.
    pub(super) answer: Answer,
    /// Whether a running `serve` did it; where none runs, deliveries wait for one.
    pub(super) by_serve: bool,
}

/// The store, to read it, also beside a running `serve`.
pub(super) async fn to_read(config: &Config) -> Result<Arc<dyn Store>, exit::Failure> {
    config.store.location().open_to_read().await.map_err(failed)
}

/// As [`to_read`]; `None` where there is none yet.
pub(super) async fn to_read_if_there(
    config: &Config,
) -> Result<Option<Arc<dyn Store>>, exit::Failure> {
    match config.store.location().open_to_read().await {
        Ok(store) => Ok(Some(store)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The config with what was declared through the admin API.
pub(super) async fn declared(config: &Config, store: &dyn Store) -> Result<Config, exit::Failure> {
    let declared = Declared::read(store, &KeySource::of(config)).await.map_err(failed)?;
    Ok(declared.applied_to(config))
}

/// Has the running `serve` do it, or does it here where none runs. The store must be there. A
/// refusal is a failure.
pub(super) async fn execute(config: &Config, request: Request) -> Result<Done, exit::Failure> {
    let location = config.store.location();
    let done = match location.open_unless_serving().await.map_err(failed)? {
        Some(store) => {
            let answer = execute_here(config, store, request).await?;
            Done { answer, by_serve: false }
        }
        None => {
            let answer = enqueue(&location, request).await.map_err(failed)?;
            Done { answer, by_serve: true }
        }
    };
    match done.answer {
        Answer::Refused(why) => Err(failed(Error::Refused(why))),
        _ => Ok(done),
    }
}

async fn execute_here(
    config: &Config,
    store: Arc<dyn Store>,
    request: Request,
) -> Result<Answer, exit::Failure> {
    let config = declared(config, &*store).await?;
    let readable = backend_api::sources(&config)
        .map_err(|error| exit::Failure::start(StartError::BackendApi(error)))?;
    let replayer = replayer(&config, &store)?;
    let runner = CommandRunner::new(Arc::new(config), store.clone(), replayer, readable);
    let answer = runner.execute(request).await;
    // Where that fails, a program that starts meanwhile waits for the lease's end.
    let _ = store.release_lease(COMMANDS).await;
    store.close().await;
    answer.map_err(failed)
}

/// Replays to the config's destinations.
pub(super) fn replayer(config: &Config, store: &Arc<dyn Store>) -> Result<Replayer, exit::Failure> {
    let routes = delivering::routes(config)
        .map_err(|error| exit::Failure::start(StartError::Delivering(error)))?;
    Ok(Replayer::new(store.clone(), routes, config.source_names()))
}

async fn enqueue(location: &StoreLocation, request: Request) -> Result<Answer, Error> {
    let command = request.into_command();
    let mut tries = 1;
    let id = loop {
        match location.enqueue_command(&command).await {
            Err(error) if error.is_transient() && tries < ENQUEUE_ATTEMPTS => tries += 1,
            enqueued => break enqueued?,
        }
    };
    let store = location.open_to_read().await?;
    let answer = tokio::time::timeout(WAIT_MAX, answer(&*store, id)).await;
    store.close().await;
    answer.unwrap_or(Err(Error::NoAnswer))
}

async fn answer(store: &dyn Commands, id: CommandId) -> Result<Answer, Error> {
    let mut poll = tokio::time::interval(POLL_INTERVAL);
    loop {
        poll.tick().await;
        let queued = store.find_command(id).await?;
        if let Some(outcome) = queued.and_then(|queued| queued.outcome) {
            return Ok(Answer::read(&outcome));
        }
    }
}

/// That the answer is one to another question.
pub(super) fn unexpected(answer: &Answer) -> exit::Failure {
    failed(Error::Unexpected(format!("{answer:?}")))
}

/// So many deliveries, in words.
pub(super) fn counted(deliveries: u64) -> String {
    match deliveries {
        1 => "1 delivery".to_owned(),
        _ => format!("{deliveries} deliveries"),
    }
}

/// What the admin API's module could not answer.
pub(super) fn admin_failed(error: AdminError) -> exit::Failure {
    exit::Failure::failed(error)
}

/// What could not be read or written.
pub(super) fn failed_to_read(error: StoreError) -> exit::Failure {
    failed(error)
}

fn failed(error: impl Into<Error>) -> exit::Failure {
    exit::Failure::failed_with_help(error.into())
}
