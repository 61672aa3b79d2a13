//! A mirror of a test's own, and events for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use deskbell_store::{FencingToken, LogId, Seq, StoredEvent};
use deskbell_sync::entity;
use deskbell_sync::inspect::MirrorReader;
use deskbell_sync::{
    Batch, Checkpoint, Commit, Counts, DatabaseConfig, ErrorMode, Fold, MirrorOptions, Rest,
    Target, connect,
};
use serde_json::{Map, Value, json};

use super::backend::Place;

/// A row as the reader shows it.
pub(crate) type Rows = Vec<Map<String, Value>>;

/// An event of type `event_type`, at time `at` and with `data`.
pub(crate) fn event(message_id: &str, event_type: &str, at: i64, data: &Value) -> StoredEvent {
    testkit::event(message_id, event_type).at(at).data(data).stored(1)
}

/// An event with this body, well-formed or not.
pub(crate) fn stored(message_id: &str, event_type: &str, at: i64, body: &str) -> StoredEvent {
    testkit::event(message_id, event_type).at(at).body(body).stored(1)
}

/// A user's `data` with this version.
pub(crate) fn user(id: &str, updated_at: i64) -> Value {
    json!({ "id": id, "object": "user", "first_name": format!("at {updated_at}"), "updated_at": updated_at })
}

/// A membership's `data` with this version.
pub(crate) fn membership(id: &str, organization: &str, user: &str, updated_at: i64) -> Value {
    json!({
        "id": id,
        "object": "organization_membership",
        "role": format!("org:{updated_at}"),
        "organization": { "id": organization, "object": "organization" },
        "public_user_data": { "user_id": user },
        "updated_at": updated_at,
    })
}

/// What Clerk sends for something that is gone.
pub(crate) fn deleted(object: &str, id: &str) -> Value {
    json!({ "id": id, "object": object, "deleted": true })
}

/// A mirror in a place of its own.
pub(crate) struct Mirror {
    place: Option<Place>,
    pub(crate) options: MirrorOptions,
    target: Arc<dyn Target>,
    fold: Fold,
    position: Checkpoint,
}

impl Mirror {
    pub(crate) async fn new() -> Self {
        Self::with(MirrorOptions::default()).await
    }

    pub(crate) async fn with(options: MirrorOptions) -> Self {
        let place = Place::new().await;
        let url = place.url();
        let mirror = Self::at(MirrorOptions {
            database: DatabaseConfig { url: url.parse().unwrap(), ..options.database },
            ..options
        })
        .await;
        Self { place: Some(place), ..mirror }
    }

    /// A mirror in a place that somebody else keeps.
    pub(crate) async fn at(options: MirrorOptions) -> Self {
        let target = connect(&options).await.unwrap();
        let mappings = target.mappings();
        let position = Checkpoint {
            log_id: LogId::random(),
            destination: options.destination.clone(),
            seq: Seq::ZERO,
            message_id: String::new(),
            token: FencingToken::new(1),
            mapping_revision: mappings.revision(),
            statements: Some(Seq::ZERO),
        };
        assert_ne!(target.take_over(None, &position).await.unwrap(), Commit::Lost);
        let fold = Fold::new(mappings, options.sources.clone());
        Self { place: None, options, target, fold, position }
    }

    /// Applies the events as one batch; what became of them.
    pub(crate) async fn apply_counted(&mut self, events: &[StoredEvent]) -> Counts {
        self.apply(events).await;
        self.fold.fold(events).counts
    }

    /// Applies the events as one batch; the number of rows that were written.
    pub(crate) async fn apply(&mut self, events: &[StoredEvent]) -> u64 {
        self.apply_batch(&self.fold.fold(events)).await
    }

    pub(crate) async fn apply_batch(&mut self, batch: &Batch) -> u64 {
        let next = self.position.advanced(self.position.seq.next(), "msg");
        let commit =
            self.target.apply(batch, &self.position, &next, ErrorMode::Fail).await.unwrap();
        self.position = next;
        match commit {
            Commit::Done { rows_written, .. } => rows_written,
            Commit::Lost => panic!("nobody else moves this checkpoint"),
        }
    }

    pub(crate) async fn reader(&self) -> MirrorReader {
        MirrorReader::open_schema(&self.options.database.url, &self.options.database.schema)
            .await
            .unwrap()
    }

    pub(crate) async fn rows(&self, table: &str) -> Rows {
        self.reader().await.rows(table).await.unwrap()
    }

    /// The ids in this table, in order.
    pub(crate) async fn ids(&self, table: &str) -> Vec<String> {
        let rows = self.rows(table).await;
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    /// A mirror of every entity, those among them that must be asked for.
    pub(crate) async fn of_everything() -> Self {
        Self::with(everything()).await
    }

    /// All that an order of events could leave a trace in.
    pub(crate) async fn everything(&self) -> BTreeMap<&'static str, Rows> {
        let reader = self.reader().await;
        let mut tables = BTreeMap::new();
        for name in super::shapes::tables() {
            if let Ok(rows) = reader.whole_rows(name).await {
                tables.insert(name, rows);
            }
        }
        tables
    }

    /// Takes every row away, as if nothing had come yet.
    pub(crate) async fn empty(&self) {
        let place = self.place.as_ref().unwrap();
        place.empty(super::shapes::tables()).await;
    }

    /// Makes every row again that was made by other options.
    pub(crate) async fn remake(&self) {
        while self.target.remake(&self.position).await.unwrap().unwrap().rest == Rest::Now {}
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.place.as_ref().unwrap().run(sql).await;
    }

    pub(crate) async fn close(self) {
        self.target.close().await;
    }
}

/// Options that mirror every entity.
pub(crate) fn everything() -> MirrorOptions {
    let entities = entity::ALL.iter().map(|entity| entity.name.to_owned()).collect();
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { entities: Some(entities), ..DatabaseConfig::default() },
    )
}
