//! Commands: what the command line asks the running engine to do, and what it answers.

mod matching;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use deskbell_delivery::{Replay, ReplayError, Replayer};
use deskbell_store::deliveries::{
    DeadLetter, DeadLetterQuery, DeliveryKey, DeliveryQueries, DestinationHealth,
};
use deskbell_store::{
    COMMANDS, Command, Leader, NewToken, QueuedCommand, Store, StoreError, TokenHash, TokenRole,
    run_as_leader,
};
use deskbell_trust::{
    BackfillRequest, BackfillSource, FetchError, fetch_messages, request_backfill, with_causes,
};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub(crate) use self::matching::{MatchingReplay, Progress};
use crate::config::Config;

/// How often the store is asked for commands.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Dead letters that are read, and revived, in one transaction.
const PAGE_SIZE: u32 = 500;
/// How long counting what a replay would send may take: somebody waits for the answer.
const COUNT_TIME_MAX: Duration = Duration::from_secs(3);
/// Whose sessions are begun by the link that `serve` prints. No token can have such a name.
pub(crate) const SIGN_IN_LINK: &str = "sign-in link";
/// Rows of a destination that are deleted in one transaction.
const REMOVED_ROWS_MAX: u32 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    Replay(Replay),
    /// Retry deliveries that failed permanently.
    Retry(Retry),
    /// Send to a disabled destination again.
    Enable {
        destination: String,
    },
    /// Fill mirrors with what Clerk has.
    Backfill(BackfillRequest),
    /// Fetch messages that never came in from the record of Clerk's sender.
    FetchMessages {
        source: String,
        message_ids: Vec<String>,
    },
    /// Store a token. Its text stays with whoever asks.
    CreateToken {
        name: String,
        role: TokenRole,
        hash: TokenHash,
    },
    /// Delete a token.
    RevokeToken {
        name: String,
    },
    /// Send all events that a search finds again.
    ReplayMatching(Box<MatchingReplay>),
    /// Delete what is stored about a destination that is no longer declared.
    RemoveDestination {
        destination: String,
    },
}

/// Which dead letters to retry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    pub(crate) destinations: Vec<String>,
    /// Those of these messages, or about these entities, by their ids; `None` for all.
    pub(crate) ids: Option<Vec<String>>,
    /// Those that failed with exactly this reason.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// That many deliveries are pending again.
    Replayed {
        deliveries: u64,
    },
    Enabled,
    /// The number of the request, by which its progress is known.
    BackfillRequested {
        number: i64,
    },
    /// That many messages were fetched.
    MessagesFetched {
        messages: u64,
    },
    TokenCreated,
    TokenRevoked,
    /// Nothing of it is left.
    Removed,
    /// With the reason.
    Refused(String),
}

impl Request {
    pub(crate) fn into_command(self) -> Command {
        // Strings and numbers: it cannot fail.
        Command(serde_json::to_string(&self).unwrap_or_default())
    }
}

impl Retry {
    /// Whether this dead letter is one of them.
    pub(crate) fn matches(&self, dead_letter: &DeadLetter) -> bool {
        let is_one = |ids: &Vec<String>| {
            ids.iter()
                .any(|id| *id == dead_letter.message_id || Some(id) == dead_letter.subject.as_ref())
        };
        self.ids.as_ref().is_none_or(is_one)
            && self.reason.as_ref().is_none_or(|reason| *reason == dead_letter.reason)
    }

    /// A page of the destination's dead letters after this one, matching or not.
    pub(crate) async fn page(
        &self,
        store: &dyn DeliveryQueries,
        destination: &str,
        after: Option<DeliveryKey>,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let query = DeadLetterQuery {
            destination: Some(destination.to_owned()),
            since_ms: None,
            after,
            limit: PAGE_SIZE,
        };
        store.dead_letters(&query).await
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Replayed { deliveries: 1 } => f.write_str("1 delivery is pending again"),
            Self::Replayed { deliveries } => write!(f, "{deliveries} deliveries are pending again"),
            Self::Enabled => f.write_str("enabled"),
            Self::MessagesFetched { messages: 1 } => f.write_str("1 message was fetched"),
            Self::MessagesFetched { messages } => write!(f, "{messages} messages were fetched"),
            Self::TokenCreated => f.write_str("token created"),
            Self::TokenRevoked => f.write_str("token revoked"),
            Self::Removed => f.write_str("removed"),
            Self::BackfillRequested { number } => write!(f, "backfill {number} requested"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

impl Answer {
    pub(crate) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| {
            Self::Refused(
                "the running `deskbell serve` has another version and did not answer".into(),
            )
        })
    }
}

/// What came of one step of a command.
enum Step {
    Done(Answer),
    /// There is more to do, after one step of each command behind it.
    More,
    /// It cannot be done yet.
    Later,
}

/// Executes commands in the order in which they were enqueued.
#[derive(Debug)]
pub(crate) struct CommandRunner {
    config: Arc<Config>,
    store: Arc<dyn Store>,
    replayer: Replayer,
    /// The sources that have a secret key.
    readable: Vec<BackfillSource>,
    /// Ends what would take long.
    stopping: CancellationToken,
}

impl CommandRunner {
    pub(crate) fn new(
        config: Arc<Config>,
        store: Arc<dyn Store>,
        replayer: Replayer,
        readable: Vec<BackfillSource>,
    ) -> Self {
        Self { config, store, replayer, readable, stopping: CancellationToken::new() }
    }

    /// Executes what is enqueued until `shutdown`, while this process is the leader.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, COMMANDS, &shutdown, &mut self).await;
    }

    /// Executes what is enqueued. What takes long is done in steps, so that it does not delay what is
    /// behind it; what fails is tried again at the next poll.
    async fn execute_all(&self) -> Result<(), StoreError> {
        loop {
            let (mut after, mut has_more) = (None, false);
            while let Some(queued) = self.store.next_command(after).await? {
                if self.stopping.is_cancelled() {
                    return Ok(());
                }
                after = Some(queued.id);
                match self.step(&queued).await {
                    Ok(Step::Done(answer)) => self.complete(&queued, &answer).await?,
                    Ok(Step::More) => has_more = true,
                    Ok(Step::Later) => {}
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(command = queued.id.0, error, "a command is delayed");
                    }
                }
            }
            if !has_more {
                return Ok(());
            }
        }
    }

    async fn step(&self, queued: &QueuedCommand) -> Result<Step, StoreError> {
        match serde_json::from_str(&queued.command.0) {
            Ok(Request::ReplayMatching(replay)) => self.replay_matching(queued, &replay).await,
            Ok(Request::RemoveDestination { destination }) => self.remove(&destination).await,
            Ok(request) => self.execute(request).await.map(Step::Done),
            Err(_) => {
                let why = "the running `deskbell serve` does not know this command";
                Ok(Step::Done(Answer::Refused(why.to_owned())))
            }
        }
    }

    async fn complete(&self, queued: &QueuedCommand, answer: &Answer) -> Result<(), StoreError> {
        let text = serde_json::to_string(answer).unwrap_or_default();
        self.store.complete_command(queued.id, &text).await?;
        tracing::info!(command = queued.id.0, %answer, "executed a command");
        Ok(())
    }

    pub(crate) async fn execute(&self, request: Request) -> Result<Answer, StoreError> {
        match request {
            Request::Replay(replay) => match self.replayer.replay(&replay).await {
                Ok(replayed) => Ok(Answer::Replayed { deliveries: replayed.deliveries }),
                Err(ReplayError::Store(error)) => Err(error),
                Err(error) => Ok(Answer::Refused(error.to_string())),
            },
            Request::Retry(retry) => self.retry(&retry).await,
            Request::Enable { destination } => self.enable(destination).await,
            Request::Backfill(request) => self.backfill(request).await,
            Request::FetchMessages { source, message_ids } => {
                self.fetch_messages(&source, &message_ids).await
            }
            Request::CreateToken { name, role, hash } => {
                let token = NewToken { name, role, hash };
                Ok(match self.store.create_token(&token).await? {
                    true => Answer::TokenCreated,
                    false => Answer::Refused(format!("a token `{}` already exists", token.name)),
                })
            }
            Request::RevokeToken { name } => self.revoke_token(&name).await,
            Request::ReplayMatching(_) | Request::RemoveDestination { .. } => {
                Ok(Answer::Refused("it is executed by the running `deskbell serve`".to_owned()))
            }
        }
    }

    async fn revoke_token(&self, name: &str) -> Result<Answer, StoreError> {
        // There is no token behind the link, but there may be sessions.
        if name != SIGN_IN_LINK && !self.store.revoke_token(name).await? {
            return Ok(Answer::Refused(format!("token `{name}` not found")));
        }
        self.store.end_sessions_of(name).await?;
        Ok(Answer::TokenRevoked)
    }

    /// Replays a page.
    async fn replay_matching(
        &self,
        queued: &QueuedCommand,
        replay: &MatchingReplay,
    ) -> Result<Step, StoreError> {
        let mut progress = queued.progress.as_deref().map(Progress::read).unwrap_or_default();
        if !progress.done {
            let Self { config, store, replayer, .. } = self;
            let page = matching::page(config, &**store, replayer, replay, &mut progress, false);
            match page.await {
                Ok(()) => {}
                Err(ReplayError::Store(error)) => return Err(error),
                Err(error) => return Ok(Step::Done(Answer::Refused(with_causes(&error)))),
            }
            let text = serde_json::to_string(&progress).unwrap_or_default();
            self.store.report_progress(queued.id, &text).await?;
        }
        Ok(match progress.done {
            true => Step::Done(Answer::Replayed { deliveries: progress.deliveries }),
            false => Step::More,
        })
    }

    /// How much such a replay would send, counted up to so many events, and for [`COUNT_TIME_MAX`].
    pub(crate) async fn count_matching(
        &self,
        replay: &MatchingReplay,
        events_max: u64,
    ) -> Result<Progress, ReplayError> {
        let Self { config, store, replayer, .. } = self;
        let (mut progress, started) = (Progress::default(), Instant::now());
        while !progress.done && progress.events < events_max && started.elapsed() < COUNT_TIME_MAX {
            matching::page(config, &**store, replayer, replay, &mut progress, true).await?;
        }
        Ok(progress)
    }

    /// Deletes some of what is stored about the destination, once this process no longer delivers to it.
    async fn remove(&self, destination: &str) -> Result<Step, StoreError> {
        if self.config.destinations.iter().any(|one| one.name == destination) {
            return Ok(Step::Later);
        }
        Ok(match self.store.remove_destination(destination, REMOVED_ROWS_MAX).await? {
            true => Step::More,
            false => Step::Done(Answer::Removed),
        })
    }

    async fn retry(&self, retry: &Retry) -> Result<Answer, StoreError> {
        let mut deliveries = 0;
        for destination in &retry.destinations {
            let mut after = None;
            loop {
                let page = retry.page(&*self.store, destination, after.take()).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                let wanted = page.into_iter().filter(|one| retry.matches(one));
                let keys: Vec<_> = wanted.map(|one| one.key).collect();
                if !keys.is_empty() {
                    deliveries += self.store.revive(&keys).await?;
                }
            }
        }
        Ok(Answer::Replayed { deliveries })
    }

    async fn backfill(&self, request: BackfillRequest) -> Result<Answer, StoreError> {
        Ok(match request_backfill(&*self.store, request).await? {
            Some(number) => Answer::BackfillRequested { number },
            None => Answer::Refused(
                "another backfill waits or runs; try again when it is done".to_owned(),
            ),
        })
    }

    async fn fetch_messages(&self, source: &str, ids: &[String]) -> Result<Answer, StoreError> {
        let Some(readable) = self.readable.iter().find(|one| one.name == source) else {
            return Ok(Answer::Refused(format!("source `{source}` has no `secret_key`")));
        };
        let BackfillSource { on_demand, instance_id, .. } = readable;
        let fetched = fetch_messages(on_demand, &*self.store, source, instance_id.as_deref(), ids);
        let Some(fetched) = self.stopping.run_until_cancelled(fetched).await else {
            return Ok(Answer::Refused("`deskbell serve` is stopping; run it again".to_owned()));
        };
        match fetched {
            Ok(messages) => Ok(Answer::MessagesFetched { messages }),
            Err(FetchError::Store(error)) => Err(error),
            Err(error) => Ok(Answer::Refused(with_causes(&error))),
        }
    }

    async fn enable(&self, destination: String) -> Result<Answer, StoreError> {
        let all = self.store.destinations().await?;
        if !all.iter().any(|state| *state.name == *destination) {
            return Ok(Answer::Refused(format!("destination `{destination}` not found")));
        }
        self.store.set_health(&destination, &DestinationHealth::default()).await?;
        self.store.due(&destination).notify_one();
        Ok(Answer::Enabled)
    }
}

#[async_trait]
impl Leader for CommandRunner {
    async fn lead(&mut self, shutdown: CancellationToken) {
        self.stopping = shutdown.clone();
        let mut poll = tokio::time::interval(POLL_INTERVAL);
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(poll.tick()).await.is_some() {
            if let Err(error) = self.execute_all().await {
                tracing::error!(error = &error as &dyn std::error::Error, "commands are delayed");
            }
        }
    }
}
