//! What the tests of the sender share: a simulated sender, a log, and clients.

use std::sync::Arc;
use std::time::Duration;

use clerk_api::{Client, ClientOptions, RateShare, SecretKey};
use deskbell_sim::sender_api::{
    Fault, SenderApi, SenderApiOptions, SenderRequest, SentMessage, SimulatedEndpoint,
};
use deskbell_store::{ReadLimit, Seq, SqliteStore, Store, StoredEvent};
use testkit::SqliteFile;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const KEY: &str = "sk_test_SimulatedByDeskbell";
/// Longer than anything here takes.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) struct SenderWorld {
    pub(crate) api: SenderApi,
    pub(crate) store: Arc<dyn Store>,
    file: SqliteFile,
}

/// A service that runs until it is stopped.
pub(crate) struct Running {
    tasks: JoinSet<()>,
    shutdown: CancellationToken,
}

impl SenderWorld {
    pub(crate) async fn new() -> Self {
        Self::with(|_| Fault::None).await
    }

    /// A sender whose requests the plan decides on.
    pub(crate) async fn with(
        plan: impl Fn(&SenderRequest) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let api = SenderApi::start(SenderApiOptions::default(), plan).await.unwrap();
        let file = SqliteFile::new("deskbell.db");
        let store = Arc::new(SqliteStore::open(&file.path()).await.unwrap());
        Self { api, store, file }
    }

    /// From now on the log takes nothing, or takes events again.
    pub(crate) async fn refuse_events(&self, refuses: bool) {
        let sql = match refuses {
            true => {
                "CREATE TRIGGER refuse BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END"
            }
            false => "DROP TRIGGER refuse",
        };
        self.file.run(sql).await;
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(32 << 20)
    }

    /// A client that takes answers of so many bytes.
    pub(crate) fn client_with(&self, answer_bytes_max: usize) -> Client {
        let options = ClientOptions {
            answer_bytes_max,
            base_url: self.api.clerk_url().parse().unwrap(),
            sender_url: Some(self.api.sender_url().parse().unwrap()),
            retry_delay_min: Duration::from_millis(1),
            retry_delay_max: Duration::from_millis(4),
            ..ClientOptions::default()
        };
        let share = RateShare::new(100_000, Duration::from_secs(1));
        Client::new(SecretKey::parse(KEY).unwrap(), share, options).unwrap()
    }

    /// The log.
    pub(crate) async fn events(&self) -> Vec<StoredEvent> {
        let limit = ReadLimit { events_max: 100_000, bytes_max: usize::MAX };
        self.store.read(Seq::ZERO, limit).await.unwrap()
    }

    /// The ids of the messages in the log, in its order.
    pub(crate) async fn ids(&self) -> Vec<String> {
        self.events().await.into_iter().map(|event| event.event.message_id).collect()
    }
}

impl Running {
    pub(crate) fn of<F: Future<Output = ()> + Send + 'static>(
        run: impl FnOnce(CancellationToken) -> F,
    ) -> Self {
        let shutdown = CancellationToken::new();
        let tasks = JoinSet::from_iter([run(shutdown.clone())]);
        Self { tasks, shutdown }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.join_all().await;
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let mut look = tokio::time::interval(Duration::from_millis(10));
    let wait = async {
        while !holds().await {
            look.tick().await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.unwrap_or_else(|_| panic!("in time: {what}"));
}

pub(crate) fn now_ms() -> i64 {
    deskbell_store::clock::now_ms()
}

/// A message about the user of this number.
pub(crate) fn message(number: u32, event_type: &str, at_ms: i64) -> SentMessage {
    let body = format!(
        r#"{{"data":{{"id":"user_{number}","object":"user"}},"object":"event","instance_id":"{}","timestamp":{at_ms},"type":"{event_type}"}}"#,
        deskbell_sim::INSTANCE_ID
    );
    let id = format!("msg_{number:05}");
    SentMessage { id, event_type: event_type.to_owned(), at_ms, body: Some(body.into()) }
}

/// The endpoint of the source `clerk`, as `connect` makes it.
pub(crate) fn endpoint(types: &[&str]) -> SimulatedEndpoint {
    SimulatedEndpoint {
        uid: Some("deskbell-clerk".to_owned()),
        event_types: Some(types.iter().map(|&name| name.to_owned()).collect()),
        ..SimulatedEndpoint::new("https://hooks.example.com/api/webhooks")
    }
}
