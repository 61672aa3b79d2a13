//! A destination's mirror for as long as the program runs: its database is opened once it can be, then
//! a consumer follows the log.

use std::sync::Arc;

use async_trait::async_trait;
use deskbell_store::{Backoff, ConsumerLog, Leader, Seq, run_as_leader};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::error::SyncError;
use super::report;
use super::state::{BACKOFF_MAX, MirrorConsumer};
use super::status::Status;
use crate::connect::connect;
use crate::mirror_target::{ConnectError, Target};
use crate::options::MirrorOptions;
use crate::refetch::ObjectReader;
use crate::status::{MirrorStatus, consumer_name};

/// Keeps one mirror of one log up. A database that is away holds nobody up: it is tried again.
#[derive(Debug)]
pub struct MirrorService {
    store: Arc<dyn ConsumerLog>,
    destination: String,
    status: Arc<Status>,
    target: watch::Sender<Option<Arc<dyn Target>>>,
    reader: Option<Arc<dyn ObjectReader>>,
    mirror: Slot,
}

#[derive(Debug)]
enum Slot {
    /// The database was not opened yet.
    Closed(Box<MirrorOptions>),
    Open(Box<MirrorConsumer>),
}

impl MirrorService {
    /// The mirror of these options. Nothing is touched before it is opened or run.
    #[must_use]
    pub fn new(store: Arc<dyn ConsumerLog>, options: MirrorOptions) -> Self {
        let destination = options.destination.clone();
        let status = Arc::new(Status::new(&destination));
        let mirror = Slot::Closed(Box::new(options));
        let target = watch::Sender::new(None);
        Self { store, destination, status, target, reader: None, mirror }
    }

    /// Events only say what this reader is to read, if the config says so (`refetch = true`).
    #[must_use]
    pub fn reading_from(mut self, reader: Arc<dyn ObjectReader>) -> Self {
        if let Slot::Closed(options) = &self.mirror
            && options.database.refetch
        {
            self.reader = Some(reader);
        }
        self
    }

    /// The mirror that this consumer fills.
    pub(super) fn of(consumer: MirrorConsumer) -> Self {
        let (store, status) = (Arc::clone(&consumer.store), Arc::clone(&consumer.status));
        let target = watch::Sender::new(Some(Arc::clone(&consumer.target)));
        let destination = consumer.destination.clone();
        let (reader, mirror) = (None, Slot::Open(Box::new(consumer)));
        Self { store, destination, status, target, reader, mirror }
    }

    /// Opens the database now, so that what is wrong with the options is known before anything runs.
    ///
    /// # Errors
    /// [`ConnectError`]. Running tries again.
    pub async fn open(&mut self) -> Result<(), ConnectError> {
        let Slot::Closed(options) = &self.mirror else { return Ok(()) };
        let target = connect(options).await?;
        self.target.send_replace(Some(Arc::clone(&target)));
        let (store, status) = (Arc::clone(&self.store), Arc::clone(&self.status));
        let consumer = MirrorConsumer::with_status(store, target, (**options).clone(), status);
        let consumer = match &self.reader {
            Some(reader) => consumer.refetching(Arc::clone(reader)),
            None => consumer,
        };
        self.mirror = Slot::Open(Box::new(consumer));
        Ok(())
    }

    /// The mirror's status, as it changes; `None` while this process does not lead the consumer.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Option<MirrorStatus>> {
        self.status.subscribe()
    }

    /// The last event that the mirror has, at once after each batch; it does not move while another
    /// process leads the consumer.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Seq> {
        self.status.subscribe_to_progress()
    }

    /// The database, once it could be opened.
    #[must_use]
    pub fn target(&self) -> watch::Receiver<Option<Arc<dyn Target>>> {
        self.target.subscribe()
    }

    /// Follows the log until `shutdown` while this process leads the consumer, then finishes the
    /// current batch, within ten seconds. While the log or the database is away it retries, with
    /// growing pauses.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let (store, name) = (Arc::clone(&self.store), consumer_name(&self.destination));
        run_as_leader(&*store, &name, &shutdown, &mut self).await;
        if let Slot::Open(consumer) = self.mirror {
            consumer.target.close().await;
        }
    }

    async fn follow(&mut self, shutdown: CancellationToken) {
        let mut backoff = Backoff::new(BACKOFF_MAX);
        loop {
            if let Slot::Open(consumer) = &mut self.mirror {
                return consumer.follow(shutdown).await;
            }
            let Some(opened) = shutdown.run_until_cancelled(self.open()).await else { return };
            let Err(error) = opened else { continue };
            let (error, pause) = (SyncError::Connect(error), backoff.failed());
            report::failure(&self.destination, &error, pause);
            self.status.failed(&error);
            shutdown.run_until_cancelled(sleep(pause)).await;
        }
    }
}

#[async_trait]
impl Leader for MirrorService {
    async fn lead(&mut self, shutdown: CancellationToken) {
        let leading = self.status.lead(Arc::clone(&self.store));
        let Some(mut publisher) = shutdown.run_until_cancelled(leading).await else { return };
        tokio::select! {
            () = self.follow(shutdown) => {}
            () = publisher.run() => {}
        }
        publisher.report_last().await;
    }
}
