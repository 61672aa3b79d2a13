//! Publishing how the mirror is, for as long as this process leads its consumer: to this process, to
//! the metrics, and to the store, where other processes read it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use deskbell_store::clock;
use deskbell_store::{ConsumerLog, Seq};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::error::SyncError;
use crate::batch::shortened_reason;
use crate::mirror_target::Waiting;
use crate::status::{BlockedPart, Failure, MirrorState, MirrorStatus, StatusReport, consumer_name};

/// The status is published at most this often, however fast the mirror moves.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(500);
/// While the mirror is behind the lag grows by itself: it is computed this often.
const BEHIND_INTERVAL: Duration = Duration::from_secs(1);
/// While it has everything, in case a hint of the log was lost.
const FOLLOWING_INTERVAL: Duration = Duration::from_secs(5);
/// A failure and its end are reported to the store at once, new numbers at most this often once the
/// mirror has caught up: readers should not see a lag that is gone.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
/// While it is behind the numbers change all the time.
const REPORT_BEHIND_INTERVAL: Duration = Duration::from_secs(5);
/// Without changes a report is repeated this often: a much older one means that nobody leads.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(30);
/// How long the last report may take while the program stops.
const LAST_REPORT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long the store may take; the status is published later then.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// The consumer's own report, and the status that is published from it.
#[derive(Debug)]
pub(super) struct Status {
    destination: String,
    facts: watch::Sender<StatusReport>,
    reached: watch::Sender<Seq>,
    /// `None` where this process does not lead the consumer.
    published: watch::Sender<Option<MirrorStatus>>,
}

impl Status {
    pub(super) fn new(destination: &str) -> Self {
        Self {
            destination: destination.to_owned(),
            facts: watch::Sender::new(StatusReport::default()),
            reached: watch::Sender::new(Seq::ZERO),
            published: watch::Sender::new(None),
        }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Option<MirrorStatus>> {
        self.published.subscribe()
    }

    pub(super) fn subscribe_to_progress(&self) -> watch::Receiver<Seq> {
        self.reached.subscribe()
    }

    /// The mirror has all events up to this one.
    pub(super) fn reached(&self, seq: Seq) {
        self.reached.send_replace(seq);
        self.note(|facts| facts.seq = seq.get());
    }

    pub(super) fn succeeded(&self) {
        self.note(|facts| facts.failure = None);
    }

    pub(super) fn failed(&self, error: &SyncError) {
        let is_of_clerk = matches!(error, SyncError::Clerk(_));
        let Some((error, cause)) = words(error) else { return };
        self.note(|facts| {
            let since_ms = facts.failure.as_ref().map_or_else(clock::now_ms, |had| had.since_ms);
            facts.failure = Some(Failure { since_ms, error, cause, is_of_clerk });
        });
    }

    pub(super) fn waits(&self, waiting: &Waiting, blocked: Vec<BlockedPart>) {
        self.note(|facts| {
            facts.dead_letters = waiting.dead_letters;
            facts.waiting_rows = waiting.rows + waiting.deletes;
            facts.blocked = blocked;
        });
    }

    fn note(&self, change: impl FnOnce(&mut StatusReport)) {
        self.facts.send_if_modified(|facts| {
            let before = facts.clone();
            change(facts);
            *facts != before
        });
    }

    /// Begins to publish. A failure that the process before this one met is still one until the
    /// mirror has moved: since when stays known.
    pub(super) async fn lead(&self, store: Arc<dyn ConsumerLog>) -> Publisher {
        let consumer = consumer_name(&self.destination);
        let reported = timeout(STORE_TIMEOUT, store.latest_report(&consumer)).await;
        let facts = match reported {
            Ok(Ok(Some(report))) => StatusReport::read(&report.body).unwrap_or_default(),
            _ => StatusReport::default(),
        };
        self.facts.send_replace(facts);
        Publisher {
            store,
            consumer,
            destination: self.destination.clone(),
            facts: self.facts.subscribe(),
            published: self.published.clone(),
            reported: None,
        }
    }
}

/// What failed in our words, and what the database said; `None` where nothing is wrong with the
/// mirror.
fn words(error: &SyncError) -> Option<(String, Option<String>)> {
    let (error, mut cause): (String, Option<&(dyn Error + 'static)>) = match error {
        SyncError::Target(error) => (error.to_string(), error.source()),
        SyncError::Store(error) => ("cannot read the event log".to_owned(), Some(error)),
        SyncError::Clerk(error) => (error.to_string(), error.source()),
        SyncError::Connect(error) => ("cannot open the mirror".to_owned(), Some(error)),
        SyncError::Superseded { .. } | SyncError::Stopping => return None,
    };
    let mut causes: Vec<String> = Vec::new();
    while let Some(next) = cause {
        let text = next.to_string();
        // Drivers repeat their cause's words in their own.
        if !causes.last().is_some_and(|last| last.ends_with(&text)) {
            causes.push(text);
        }
        cause = next.source();
    }
    Some((error, (!causes.is_empty()).then(|| shortened_reason(&causes.join(": ")))))
}

/// Publishes the status for as long as it lives.
#[derive(Debug)]
pub(super) struct Publisher {
    store: Arc<dyn ConsumerLog>,
    consumer: String,
    destination: String,
    facts: watch::Receiver<StatusReport>,
    published: watch::Sender<Option<MirrorStatus>>,
    /// The last report to the store, and when it was made.
    reported: Option<(StatusReport, Instant)>,
}

impl Publisher {
    /// Publishes again and again; does not return.
    pub(super) async fn run(&mut self) {
        let mut head = self.store.subscribe();
        loop {
            head.mark_unchanged();
            let facts = self.facts.borrow_and_update().clone();
            let is_behind = self.publish(&facts).await;
            let is_reported = self.report(facts, is_behind).await;
            sleep(PUBLISH_INTERVAL).await;
            let is_settled = is_reported && !is_behind;
            let interval = if is_settled { FOLLOWING_INTERVAL } else { BEHIND_INTERVAL };
            tokio::select! {
                Ok(()) = self.facts.changed() => {}
                Ok(()) = head.changed() => {}
                () = sleep(interval) => {}
            }
        }
    }

    /// Whether the lag grows by itself.
    async fn publish(&self, facts: &StatusReport) -> bool {
        match timeout(STORE_TIMEOUT, facts.clone().status(&*self.store)).await {
            Ok(Ok(status)) => {
                let is_behind = status.lag_events > 0;
                set_gauges(&self.destination, Some(&status));
                self.published.send_replace(Some(status));
                is_behind
            }
            // The last status stays published until the store is back.
            Ok(Err(_)) | Err(_) => true,
        }
    }

    /// Whether the store knows these facts.
    async fn report(&mut self, facts: StatusReport, is_behind: bool) -> bool {
        if self.is_due(&facts, is_behind) { self.send(facts).await } else { self.knows(&facts) }
    }

    /// The last that this process says of the mirror.
    pub(super) async fn report_last(mut self) {
        let facts = self.facts.borrow().clone();
        if !self.knows(&facts) {
            // Nobody waits long for it: the next process reports too.
            let _ = timeout(LAST_REPORT_TIMEOUT, self.send(facts)).await;
        }
    }

    fn knows(&self, facts: &StatusReport) -> bool {
        self.reported.as_ref().is_some_and(|(reported, _)| reported == facts)
    }

    async fn send(&mut self, facts: StatusReport) -> bool {
        // Strings and numbers: it cannot fail.
        let body = serde_json::to_string(&facts).unwrap_or_default();
        let reported = self.store.publish_report(&self.consumer, &body);
        match timeout(STORE_TIMEOUT, reported).await {
            Ok(Ok(_)) => {
                self.reported = Some((facts, Instant::now()));
                return true;
            }
            Ok(Err(error)) => {
                let error = &error as &dyn Error;
                tracing::debug!(self.destination, error, "cannot report the mirror's status");
            }
            Err(_) => {
                tracing::debug!(self.destination, "the store did not accept the status in time");
            }
        }
        false
    }

    fn is_due(&self, facts: &StatusReport, is_behind: bool) -> bool {
        let Some((reported, at)) = &self.reported else { return true };
        let is_new = reported.failure.is_some() != facts.failure.is_some()
            || reported.blocked.len() != facts.blocked.len();
        let interval = match is_behind {
            _ if reported == facts => HEARTBEAT_INTERVAL,
            true => REPORT_BEHIND_INTERVAL,
            false => REPORT_INTERVAL,
        };
        is_new || at.elapsed() >= interval
    }
}

impl Drop for Publisher {
    /// Another process leads from here on, and says how the mirror is: of this process's numbers
    /// nothing is true any more.
    fn drop(&mut self) {
        set_gauges(&self.destination, None);
        self.published.send_replace(None);
    }
}

/// All of them are 0 where this process does not lead: the sum over all processes is the mirror's.
fn set_gauges(destination: &str, status: Option<&MirrorStatus>) {
    let set = |name: &'static str, value: f64| {
        metrics::gauge!(name, "destination" => destination.to_owned()).set(value);
    };
    let number = |of: fn(&MirrorStatus) -> u64| status.map_or(0.0, |status| as_float(of(status)));
    set("deskbell_sync_lag_events", number(|status| status.lag_events));
    set("deskbell_sync_lag_seconds", number(|status| status.lag_seconds));
    set("deskbell_sync_dead_letters", number(|status| status.dead_letters));
    set("deskbell_sync_waiting_rows", number(|status| status.waiting_rows));
    for name in MirrorState::NAMES {
        let is_it = status.is_some_and(|status| status.state.name() == name);
        metrics::gauge!(
            "deskbell_sync_state", "destination" => destination.to_owned(), "state" => name
        )
        .set(if is_it { 1.0 } else { 0.0 });
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
pub(super) fn as_float(count: u64) -> f64 {
    count as f64
}
