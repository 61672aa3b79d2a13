//! A Clerk that was there before: its API, its sender, and messages that are lost on purpose.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clerk_api::sender::{Endpoint, SenderSession};
use clerk_api::{Client, SecretKey};
use clerk_webhooks::{Secret, catalog};
use deskbell_sim::backend_api::{BackendApi, BackendApiOptions, Fault, LiveWorld, SharedDirectory};
use deskbell_sim::sender_api::{SenderApi, SenderApiOptions, SentMessage};
use deskbell_sim::{INSTANCE_ID, Message, Scenario, Truth, World};
use deskbell_store::{Store, clock};
use deskbell_sync::{FetchedFrom, connect};
use deskbell_trust::{
    MessageComparison, MessageScope, RECHECK_AFTER, Reconcile, ReconciledMirror, Repair,
    WalkStatus, WantedEndpoint, endpoint_uid, plan_endpoint, read_backfill_state,
};

use crate::backend_api;
use crate::config::{BackendKey, Config, HttpUrl};

/// The key of a production instance: it may ask more often.
const KEY: &str = "sk_live_SimulatedByDeskbell";
const SOURCE: &str = "clerk";
/// Events that make the history, at most: a user has about four.
const EVENTS_OF_A_USER_MAX: usize = 20;
/// How many messages are lost, about.
const LOST: usize = 50;
/// How long lost messages that are sent again are waited for.
const RECOVER_MAX: Duration = Duration::from_secs(60);
/// A message of the demo is no longer on its way after so long.
const LATER_MS: i64 = 120_000;
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What came of the history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HistoryOutcome {
    /// The users that there were before the engine.
    pub(crate) history: usize,
    /// The objects that were read from the API.
    pub(crate) backfilled: u64,
    /// The messages that were lost on purpose.
    pub(crate) lost: usize,
    /// The differences between the mirror and Clerk that were repaired.
    pub(crate) repaired: u64,
    /// The messages that are missing in the event log at the end.
    pub(crate) messages_missing: u64,
}

/// A Clerk with a history that could not be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HistoryError {
    #[error("cannot start the simulated Clerk")]
    Start(#[source] std::io::Error),
    #[error("the backfill failed: {0}")]
    Backfill(String),
    #[error(transparent)]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// What a step of the demo failed with.
fn failed(error: impl std::error::Error + Send + Sync + 'static) -> HistoryError {
    HistoryError::Failed(Box::new(error))
}

pub(super) struct HistoricClerk {
    api: BackendApi,
    sender: Arc<SenderApi>,
    live: Arc<Mutex<LiveWorld>>,
    lost: Arc<Mutex<usize>>,
    users_before: usize,
    connected: Option<(SenderSession, Endpoint)>,
}

impl HistoricClerk {
    /// A Clerk with so many users, of whom nobody was told; so many events happen from now on.
    pub(super) async fn start(
        seed: u64,
        users: usize,
        events: usize,
    ) -> Result<Self, HistoryError> {
        let directory = SharedDirectory::default();
        let events_max = users.saturating_mul(EVENTS_OF_A_USER_MAX).saturating_add(events);
        let world = World::new(&Scenario::new(seed, events_max));
        let mut live = LiveWorld::new(world, directory.clone());
        while live.truth().count("users") < users && live.next().is_some() {}
        let users_before = live.truth().count("users");
        let secret_key = KEY.to_owned();
        let options =
            BackendApiOptions { secret_key, requests_max: 1_000, ..BackendApiOptions::default() };
        let api = BackendApi::start(options, directory, |_| Fault::None).await;
        let options = SenderApiOptions {
            secret_key: KEY.to_owned(),
            event_types: None,
            ..SenderApiOptions::default()
        };
        let sender = SenderApi::start(options, |_| Fault::None).await;
        Ok(Self {
            api: api.map_err(HistoryError::Start)?,
            sender: Arc::new(sender.map_err(HistoryError::Start)?),
            live: Arc::new(Mutex::new(live)),
            lost: Arc::default(),
            users_before,
            connected: None,
        })
    }

    /// Gives the source the key, and the address of the API.
    pub(super) fn configure(&self, config: &mut Config) -> Result<(), HistoryError> {
        let key = SecretKey::parse(KEY).map_err(failed)?;
        let url = self.api.url().parse::<HttpUrl>();
        let url = url.map_err(|error| failed(std::io::Error::other(error)))?;
        for source in &mut config.sources {
            source.secret_key = Some(BackendKey(key.clone()));
            source.api_url = Some(url.clone());
            source.instance_id = Some(INSTANCE_ID.to_owned());
        }
        Ok(())
    }

    /// Makes the endpoint in the sender, as `deskbell connect` does; its signing secret.
    pub(super) async fn connect(
        &mut self,
        config: &Config,
        url: &str,
    ) -> Result<Secret, HistoryError> {
        let mut source = config.sources[0].clone();
        let clerk_url = self.sender.clerk_url();
        let clerk_url = format!("{}/v1", clerk_url.trim_end_matches("/v1")).parse::<HttpUrl>();
        source.api_url = clerk_url.ok();
        let key = BackendKey(SecretKey::parse(KEY).map_err(failed)?);
        source.sender_url = self.sender.sender_url().parse().ok();
        let client = backend_api::client(&source, &key).map_err(failed)?;
        let session = client.sender_session().await.map_err(failed)?;
        let types = catalog::all().iter().map(|entry| entry.event_type.as_str().to_owned());
        let wanted = WantedEndpoint {
            uid: endpoint_uid(SOURCE),
            url: url.parse().map_err(failed)?,
            event_types: types.collect(),
            keeps_event_types: false,
        };
        let plan = plan_endpoint(&wanted, &[], &[], false).map_err(failed)?;
        let endpoint =
            deskbell_trust::apply_endpoint(plan.action, &session).await.map_err(failed)?;
        let secret = session.endpoint_secret(&endpoint.id).await.map_err(failed)?;
        let missing = || failed(std::io::Error::other("the endpoint has no signing secret"));
        let secret = Secret::parse(secret.ok_or_else(missing)?.expose()).map_err(failed)?;
        self.connected = Some((session, endpoint));
        Ok(secret)
    }

    /// What happens from now on. The sender has all of it, but some messages get lost on their way.
    pub(super) fn messages(&self, events: usize) -> impl Iterator<Item = Message> + use<> {
        let (live, sender, lost) =
            (Arc::clone(&self.live), Arc::clone(&self.sender), Arc::clone(&self.lost));
        let each = (events / LOST).max(2);
        let next = move || live.lock().unwrap_or_else(PoisonError::into_inner).next();
        std::iter::from_fn(next).take(events).enumerate().filter_map(move |(number, message)| {
            sender.insert_message(SentMessage {
                id: message.id.clone(),
                event_type: message.event_type.to_owned(),
                at_ms: clock::now_ms(),
                body: Some(message.body.clone()),
            });
            if number % each != each - 1 {
                return Some(message);
            }
            *lost.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            None
        })
    }

    /// Waits until everything was filled that can be; how many objects that were.
    pub(super) async fn wait_for_the_backfill(
        &self,
        store: &dyn Store,
    ) -> Result<u64, HistoryError> {
        let mut look = tokio::time::interval(POLL_INTERVAL);
        loop {
            look.tick().await;
            let state = read_backfill_state(store).await.map_err(failed)?.unwrap_or_default();
            let mut walks = state.walks();
            if let Some(error) = walks.find_map(|(.., walk)| walk.error.clone()) {
                return Err(HistoryError::Backfill(error));
            }
            let has_all = deskbell_trust::readable_entities().len() == state.walks().count();
            if has_all && state.walks().all(|(.., walk)| walk.status == WalkStatus::Done) {
                return Ok(state.walks().map(|(.., walk)| walk.read).sum());
            }
        }
    }

    /// Compares the mirror with Clerk and mends it, as `deskbell reconcile --repair` does.
    pub(super) async fn reconcile(
        &self,
        config: &Config,
        store: &dyn Store,
    ) -> Result<u64, HistoryError> {
        let source = &config.sources[0];
        let key = BackendKey(SecretKey::parse(KEY).map_err(failed)?);
        let client: Client = backend_api::client(source, &key).map_err(failed)?;
        let mut options =
            config.destinations.iter().filter_map(|one| one.mirror_options(&config.sources));
        let Some(options) = options.next() else { return Ok(0) };
        let target = connect(&options).await.map_err(failed)?;
        let mirror = ReconciledMirror::open(&options, Some(target)).await.map_err(failed)?;
        let reconcile = Reconcile {
            client,
            from: FetchedFrom { source: SOURCE.into(), instance_id: INSTANCE_ID.to_owned() },
            log_id: store.log_id(),
            mirror: &mirror,
            repair: Some(Repair { delete_at_most: Some(u64::MAX) }),
            recheck_after: RECHECK_AFTER,
        };
        let outcomes = reconcile.run(&[], &|_| {}).await;
        Ok(outcomes.iter().map(|outcome| outcome.repaired).sum())
    }

    /// Has the sender send again what is not in the event log; how many are missing then.
    pub(super) async fn recover_messages(&self, store: &dyn Store) -> Result<u64, HistoryError> {
        let Some((session, endpoint)) = &self.connected else { return Ok(0) };
        let scope = MessageScope::Endpoint(endpoint);
        let comparison = MessageComparison { session, scope, log: store, source: SOURCE };
        let later_ms = clock::now_ms() + LATER_MS;
        let mut compared = comparison.compare(0, later_ms).await.map_err(failed)?;
        comparison.have_sent_again(endpoint, &mut compared, RECOVER_MAX).await.map_err(failed)?;
        Ok(compared.left())
    }

    pub(super) fn users_before(&self) -> usize {
        self.users_before
    }

    pub(super) fn lost(&self) -> usize {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What must hold now.
    pub(super) fn into_truth(self) -> Truth {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).truth().clone()
    }
}
