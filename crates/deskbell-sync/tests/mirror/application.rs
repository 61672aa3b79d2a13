//! An application with tables of its own, and a destination that fills them.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use deskbell_store::{FencingToken, LogId, Seq, StoredEvent};
use deskbell_sync::{
    Checkpoint, Commit, DatabaseConfig, ErrorMode, Fold, MirrorOptions, Target, check_live, connect,
};

use super::backend::{Place, VERSIONS};
use super::support::Rows;

pub(crate) struct Application {
    pub(crate) place: Place,
    pub(crate) options: MirrorOptions,
    target: Arc<dyn Target>,
    fold: Fold,
    position: Checkpoint,
}

impl Application {
    /// An application whose tables these statements make.
    pub(crate) async fn new(tables: &[&str], options: MirrorOptions) -> Self {
        let place = Self::tables(tables).await;
        Self::open(place, options, None).await
    }

    /// Why a destination does not fit these tables.
    pub(crate) async fn refused(tables: &[&str], options: MirrorOptions) -> String {
        let place = Self::tables(tables).await;
        let checked = check_live(&MirrorOptions {
            database: DatabaseConfig { url: place.url().parse().unwrap(), ..options.database },
            ..options
        })
        .await;
        let error = match checked {
            Ok(unfit) => return unfit[0].to_string(),
            Err(error) => error,
        };
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(text, ": {error}").unwrap();
            cause = error.source();
        }
        text
    }

    async fn tables(tables: &[&str]) -> Place {
        let place = Place::new().await;
        place.make().await;
        for table in tables {
            place.run(table).await;
        }
        place
    }

    async fn open(place: Place, options: MirrorOptions, position: Option<Checkpoint>) -> Self {
        let options = MirrorOptions {
            database: DatabaseConfig { url: place.url().parse().unwrap(), ..options.database },
            ..options
        };
        let target = connect(&options).await.unwrap();
        let mappings = target.mappings();
        let current = position.clone();
        let next = Checkpoint {
            log_id: current.as_ref().map_or_else(LogId::random, |current| current.log_id),
            destination: options.destination.clone(),
            seq: Seq::ZERO,
            message_id: String::new(),
            token: FencingToken::new(1),
            mapping_revision: mappings.revision(),
            statements: current.map_or(Some(Seq::ZERO), |current| current.statements),
        };
        assert_ne!(target.take_over(position.as_ref(), &next).await.unwrap(), Commit::Lost);
        let fold = Fold::new(mappings, options.sources.clone());
        Self { place, options, target, fold, position: next }
    }

    /// The destination with other options, which reads its log again.
    pub(crate) async fn reopen(&mut self, options: MirrorOptions) {
        self.target.close().await;
        let place = std::mem::replace(&mut self.place, Place::new().await);
        *self = Self::open(place, options, Some(self.position.clone())).await;
    }

    /// The tables with another destination.
    pub(crate) async fn reopen_as(&mut self, options: MirrorOptions) {
        self.target.close().await;
        let place = std::mem::replace(&mut self.place, Place::new().await);
        *self = Self::open(place, options, None).await;
    }

    /// The destination once more, as after a restart.
    pub(crate) async fn restart(&mut self) {
        self.target.close().await;
        self.target = connect(&self.options).await.unwrap();
    }

    /// Lets the time pass until what waits is tried again.
    pub(crate) async fn make_due(&self) {
        let past = "2020-01-01T00:00:00.000Z";
        let sql = format!("UPDATE {VERSIONS} SET retry_at = '{past}' WHERE retry_at IS NOT NULL");
        self.run(&sql).await;
    }

    /// Has the destination read its log again from the beginning.
    pub(crate) async fn rewind(&mut self) {
        self.reopen(self.options.clone()).await;
    }

    pub(crate) async fn apply(&mut self, events: &[StoredEvent]) {
        self.apply_with(events, ErrorMode::Fail).await;
    }

    pub(crate) async fn apply_isolated(&mut self, events: &[StoredEvent]) {
        self.apply_with(events, ErrorMode::Isolate).await;
    }

    /// Applies the events one after another, or as one batch.
    pub(crate) async fn apply_in_order(&mut self, events: &[StoredEvent], at_once: bool) {
        for batch in events.chunks(if at_once { events.len() } else { 1 }) {
            self.apply(batch).await;
        }
    }

    async fn apply_with(&mut self, events: &[StoredEvent], error_mode: ErrorMode) {
        let mut seq = self.position.seq;
        let numbered = events.iter().map(|event| {
            seq = seq.next();
            StoredEvent { seq, ..event.clone() }
        });
        let batch = self.fold.fold(&numbered.collect::<Vec<_>>());
        let next = self.position.advanced(seq, "msg");
        let commit = self.target.apply(&batch, &self.position, &next, error_mode).await.unwrap();
        assert_ne!(commit, Commit::Lost);
        self.position = next;
    }

    /// The rows that the query finds, each value as text.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        self.place.rows(sql).await
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.place.run(sql).await;
    }

    pub(crate) async fn dead_letters(&self) -> Rows {
        let reader =
            deskbell_sync::inspect::MirrorReader::open(&self.options.database.url).await.unwrap();
        reader.rows("_dead_letters").await.unwrap()
    }
}
