//! What the tests share: a simulated instance, a log and mirrors.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use clerk_api::{Client, ClientOptions, RateShare, SecretKey};
use deskbell_sim::backend_api::{
    ApiRequest, BackendApi, BackendApiOptions, Fault, SharedDirectory, sample,
};
use deskbell_sim::{INSTANCE_ID, Tables};
use deskbell_store::{NewEvent, Seq, SqliteStore, Store};
use deskbell_sync::inspect::MirrorReader;
use deskbell_sync::{
    DatabaseConfig, FetchedFrom, MirrorConsumer, MirrorOptions, RowReader, SourceRule, Target,
    connect,
};
use deskbell_trust::{
    Backfill, BackfillMirror, BackfillProgress, BackfillSource, BackfillState, Ensure,
    EnsuredMirror, MirrorReconciled, Reconcile, ReconciledMirror, Refetch, Repair, Scope,
};
use tempfile::TempDir;
use tokio::sync::watch;

const KEY: &str = "sk_test_SimulatedByDeskbell";
/// 2026-01-01T00:00:00Z, in Unix milliseconds.
pub(crate) const START_MS: i64 = 1_767_225_600_000;

/// A simulated Clerk, a log, and the place of a mirror.
pub(crate) struct World {
    pub(crate) api: BackendApi,
    pub(crate) store: Arc<dyn Store>,
    share: RateShare,
    files: TempDir,
}

/// A mirror, and how it is opened.
pub(crate) struct Mirror {
    pub(crate) options: MirrorOptions,
    target: Arc<dyn Target>,
}

impl World {
    pub(crate) async fn new(directory: SharedDirectory) -> Self {
        Self::with(directory, |_| Fault::None).await
    }

    /// An instance without a rate limit, whose requests the plan decides on.
    pub(crate) async fn with(
        directory: SharedDirectory,
        plan: impl Fn(&ApiRequest) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let options = BackendApiOptions { requests_max: 100_000, ..BackendApiOptions::default() };
        let share = RateShare::new(100_000, Duration::from_secs(1));
        Self::limited(directory, options, share, plan).await
    }

    pub(crate) async fn limited(
        directory: SharedDirectory,
        options: BackendApiOptions,
        share: RateShare,
        plan: impl Fn(&ApiRequest) -> Fault + Send + Sync + 'static,
    ) -> Self {
        let api = BackendApi::start(options, directory, plan).await.unwrap();
        let files = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&files.path().join("deskbell.db")).await.unwrap());
        Self { api, store, share, files }
    }

    pub(crate) fn client(&self) -> Client {
        let options = ClientOptions {
            base_url: self.api.url().parse().unwrap(),
            retry_delay_min: Duration::from_millis(1),
            retry_delay_max: Duration::from_millis(4),
            ..ClientOptions::default()
        };
        Client::new(SecretKey::parse(KEY).unwrap(), self.share.clone(), options).unwrap()
    }

    pub(crate) async fn mirror(&self, name: &str) -> Mirror {
        self.mirror_with(name, DatabaseConfig::default()).await
    }

    pub(crate) async fn mirror_with(&self, name: &str, config: DatabaseConfig) -> Mirror {
        let url = format!("sqlite://{}", self.files.path().join(format!("{name}.db")).display());
        self.mirror_in(name, &url, config).await
    }

    /// A mirror in this database.
    pub(crate) async fn mirror_in(&self, name: &str, url: &str, config: DatabaseConfig) -> Mirror {
        let database = DatabaseConfig { url: url.parse().unwrap(), ..config };
        let sources = BTreeMap::from([("clerk".to_owned(), SourceRule::default())]);
        let options = MirrorOptions { sources, ..MirrorOptions::new(name, database) };
        let target = connect(&options).await.unwrap();
        Mirror { options, target }
    }

    pub(crate) fn backfill(&self, mirrors: &[&Mirror]) -> Backfill {
        let mirrors = mirrors.iter().map(|mirror| mirror.to_fill());
        Backfill {
            client: self.client(),
            from: FetchedFrom { source: "clerk".into(), instance_id: INSTANCE_ID.to_owned() },
            log_id: self.store.log_id(),
            mirrors: mirrors.collect(),
        }
    }

    /// Fills the mirrors with what they lack.
    pub(crate) async fn fill(&self, mirrors: &[&Mirror]) -> BackfillState {
        self.fill_entities(mirrors, &[], Scope::Missing).await
    }

    pub(crate) async fn fill_entities(
        &self,
        mirrors: &[&Mirror],
        entities: &[&str],
        scope: Scope,
    ) -> BackfillState {
        let entities: Vec<_> = entities.iter().map(|name| (*name).to_owned()).collect();
        let progress = BackfillProgress::load(&*self.store).await.unwrap();
        self.backfill(mirrors).run(&entities, scope, &progress).await.unwrap();
        progress.subscribe().borrow().clone()
    }

    /// Compares the mirror with Clerk.
    pub(crate) async fn reconcile(
        &self,
        mirror: &Mirror,
        entities: &[&str],
        repair: Option<Repair>,
    ) -> MirrorReconciled {
        let entities: Vec<_> = entities.iter().map(|name| (*name).to_owned()).collect();
        let target = Arc::clone(&mirror.target);
        let mirror = ReconciledMirror::open(&mirror.options, Some(target)).await.unwrap();
        let from = FetchedFrom { source: "clerk".into(), instance_id: INSTANCE_ID.to_owned() };
        let (client, log_id) = (self.client(), self.store.log_id());
        let reconcile = Reconcile {
            client,
            from,
            log_id,
            mirror: &mirror,
            repair,
            recheck_after: Duration::ZERO,
        };
        MirrorReconciled {
            entities: reconcile.run(&entities, &|_| {}).await,
            ..MirrorReconciled::default()
        }
    }

    /// What looks in these mirrors, and asks Clerk with the key of an instance of which the config says
    /// that it is this one.
    pub(crate) fn ensure(&self, mirrors: &[&Mirror], instance_id: Option<&str>) -> Ensure {
        let source = instance_id.map(|instance_id| self.source(Some(instance_id)));
        let mirrors = mirrors.iter().map(|mirror| mirror.to_ensure()).collect();
        Ensure::new(self.store.clone(), source.into_iter().collect(), mirrors)
    }

    /// The source with a key of this instance, of which the config names the instance or not.
    pub(crate) fn source(&self, instance_id: Option<&str>) -> BackfillSource {
        BackfillSource {
            name: "clerk".to_owned(),
            client: self.client(),
            on_demand: self.client(),
            refetching: self.client(),
            instance_id: instance_id.map(str::to_owned),
            is_auto: false,
        }
    }

    /// What reads the newest state of entities, of a source whose config names this instance.
    pub(crate) fn refetch(&self, instance_id: Option<&str>) -> Refetch {
        Refetch::new(self.store.clone(), vec![self.source(instance_id)])
    }

    pub(crate) async fn append(&self, event: NewEvent) {
        self.store.append(&[event]).await.unwrap();
    }
}

impl Mirror {
    /// Reads the log to its end.
    pub(crate) async fn drain(&self, store: &Arc<dyn Store>) {
        let mut consumer = self.consumer(store);
        while consumer.run_once().await.unwrap().more {}
    }

    /// From now on its database cannot be used.
    pub(crate) async fn break_down(&self) {
        self.target.close().await;
        let url = self.options.database.url.to_string();
        let file = url.strip_prefix("sqlite://").unwrap();
        std::fs::write(file, "no database at all, whoever looks at it").unwrap();
    }

    pub(crate) fn target(&self) -> Arc<dyn Target> {
        Arc::clone(&self.target)
    }

    pub(crate) fn to_fill(&self) -> BackfillMirror {
        BackfillMirror::new(Arc::clone(&self.target), &self.options)
    }

    /// A mirror that shows no progress of its own.
    pub(crate) fn to_ensure(&self) -> EnsuredMirror {
        EnsuredMirror {
            options: self.options.clone(),
            target: watch::channel(Some(Arc::clone(&self.target))).1,
            progress: watch::channel(Seq::ZERO).1,
            rows: Arc::new(RowReader::new(&self.options).unwrap()),
        }
    }

    pub(crate) fn consumer(&self, store: &Arc<dyn Store>) -> MirrorConsumer {
        MirrorConsumer::new(store.clone(), Arc::clone(&self.target), self.options.clone())
    }

    pub(crate) async fn reader(&self) -> MirrorReader {
        MirrorReader::open(&self.options.database.url).await.unwrap()
    }

    /// The rows of every table.
    pub(crate) async fn tables(&self) -> Tables {
        let reader = self.reader().await;
        let mut tables = Tables::new();
        for table in reader.tables().await.unwrap() {
            tables.insert(table.name.to_owned(), reader.rows(table.name).await.unwrap());
        }
        tables
    }

    pub(crate) async fn count(&self, table: &str) -> usize {
        self.reader().await.rows(table).await.unwrap().len()
    }
}

/// So many objects of each of these lists.
pub(crate) fn filled(lists: &[&'static str], objects: usize) -> SharedDirectory {
    let directory = SharedDirectory::default();
    let mut state = directory.lock();
    for list in lists {
        for number in 0..objects {
            state.insert(list, &sample(list, number, START_MS + i64::try_from(number).unwrap()));
        }
    }
    drop(state);
    directory
}
