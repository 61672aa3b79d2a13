//! One simulation: what it sends, to whom, and what came of it.

use std::cell::Cell;
use std::time::Duration;

use deskbell_sim::{
    Failures, Progress, Reorder, Report, Scenario, Sender, SenderError, SenderOptions, Truth,
    World, replays,
};
use deskbell_sync::inspect::{InspectError, MirrorReader};
use tokio::sync::Notify;

use super::Watch;
use super::comparison::{self, Comparison};
use crate::config::{DatabaseUrl, HttpUrl};
use crate::signals::Signals;

/// How often it is looked whether anything was acked, until something was.
const FIRST_ACK_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What to send, to whom, and which mirror to compare with it.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(crate) url: HttpUrl,
    pub(crate) scenario: Scenario,
    pub(crate) sender: SenderOptions,
    /// The share of the messages that are sent once more at the end.
    pub(crate) replays: f64,
    pub(crate) mirror: Option<Mirror>,
}

/// A mirror behind the handler.
#[derive(Debug)]
pub(crate) struct Mirror {
    pub(crate) url: DatabaseUrl,
    pub(crate) schema: String,
    /// The drift is final when it has not changed for so long.
    pub(crate) settle: Duration,
}

#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    /// What came of the replays, where any were sent.
    pub(crate) replays: Option<Report>,
    /// Every attempt that was not acked, of both.
    pub(crate) failures: Failures,
    pub(crate) comparison: Option<Comparison>,
    pub(crate) interrupted: bool,
}

/// A simulation that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SimulateError {
    #[error("the simulated Clerk failed to send")]
    Sender(#[from] SenderError),
    #[error("cannot read the mirror {url}")]
    Mirror { url: DatabaseUrl, source: InspectError },
}

impl Simulation {
    /// Runs it. The first signal ends the sending, another one the waiting for the mirror.
    pub(crate) async fn run(
        &self,
        signals: &mut Signals,
        watch: &impl Watch,
    ) -> Result<Outcome, SimulateError> {
        // A mirror that cannot be read is said before anything is sent.
        let mirror = match &self.mirror {
            Some(mirror) => Some((mirror, mirror.open().await?)),
            None => None,
        };
        let sender = Sender::new(self.sender.clone())?;
        let (report, mut interrupted) = self.send(&sender, signals, watch).await;
        let mut replayed = None;
        if self.replays > 0.0 && !report.stopped {
            let (replays, stopped) = self.send_again(&report, signals).await?;
            interrupted |= stopped;
            replayed = Some(replays);
        }
        let mut failures = sender.failures();
        if let Some((_, again)) = &replayed {
            failures.merge(again);
        }
        let comparison = match mirror {
            Some((mirror, reader)) => {
                let truth = Truth::of_fates(&self.scenario, |id| report.fate(id));
                let compared = comparison::settled(&reader, &truth, mirror.settle, signals, watch);
                Some(compared.await.map_err(|source| mirror.error(source))?)
            }
            None => None,
        };
        let replays = replayed.map(|(report, _)| report);
        Ok(Outcome { report, replays, failures, comparison, interrupted })
    }

    /// Sends the scenario, until the end, a signal, or a message that is given up before any was acked.
    async fn send(
        &self,
        sender: &Sender,
        signals: &mut Signals,
        watch: &impl Watch,
    ) -> (Report, bool) {
        let (acked, interrupted) = (Cell::new(0), Cell::new(false));
        let hopeless = Notify::new();
        let progress = |progress: &Progress| {
            watch.progress(progress);
            acked.set(progress.acked);
            if progress.acked == 0 && progress.given_up > 0 {
                hopeless.notify_one();
            }
        };
        let stop = async {
            tokio::select! {
                () = signals.next() => interrupted.set(true),
                () = hopeless.notified() => {}
                () = tell_of_no_ack(sender, &acked, watch) => {}
            }
        };
        let report = sender.run_until(World::new(&self.scenario), progress, stop).await;
        (report, interrupted.get())
    }

    /// Sends a share of what was acked once more, in order, as replays from Clerk's dashboard come.
    async fn send_again(
        &self,
        report: &Report,
        signals: &mut Signals,
    ) -> Result<((Report, Failures), bool), SenderError> {
        let options =
            SenderOptions { duplicates: 0.0, reorder: Reorder::NONE, ..self.sender.clone() };
        let sender = Sender::new(options)?;
        let again = replays(&self.scenario, self.replays)
            .filter(|message| report.acked_at.contains_key(&message.id));
        let report = sender.run_until(again, |_| (), signals.next()).await;
        let stopped = report.stopped;
        Ok(((report, sender.failures()), stopped))
    }
}

impl Mirror {
    async fn open(&self) -> Result<MirrorReader, SimulateError> {
        let opened = MirrorReader::open_schema(&self.url, &self.schema).await;
        opened.map_err(|source| self.error(source))
    }

    fn error(&self, source: InspectError) -> SimulateError {
        SimulateError::Mirror { url: self.url.clone(), source }
    }
}

/// Says once that attempts fail, should nothing be acked meanwhile. It never returns.
async fn tell_of_no_ack(sender: &Sender, acked: &Cell<u64>, watch: &impl Watch) {
    let mut look = tokio::time::interval(FIRST_ACK_POLL_INTERVAL);
    while acked.get() == 0 {
        look.tick().await;
        let failures = sender.failures();
        if acked.get() == 0 && !failures.is_empty() {
            watch.no_ack_yet(&failures);
            break;
        }
    }
    std::future::pending::<()>().await;
}
