//! One simulation: what it sends, to whom, and what came of it.

use std::cell::Cell;
use std::io;
use std::time::Duration;

use clerk_webhooks::{CannotSign, Signer};
use deskbell_devtools::{Client, ClientOptions, Probe, ProbeResult};
use deskbell_sim::backend_api::{BackendApi, LiveWorld};
use deskbell_sim::{
    Failures, Message, Progress, Reorder, Report, Scenario, Sender, SenderError, SenderOptions,
    Truth, World, replays,
};
use deskbell_store::clock;
use deskbell_sync::inspect::{InspectError, MirrorReader};

use super::Watch;
use super::comparison::{self, Comparison};
use super::first_ack::{self, FirstAck};
use crate::config::{DatabaseUrl, HttpUrl};
use crate::signals::Signals;

/// What to send, to whom, and which mirror to compare with it.
#[derive(Debug)]
pub(crate) struct Simulation {
    pub(crate) url: HttpUrl,
    pub(crate) scenario: Scenario,
    pub(crate) sender: SenderOptions,
    /// The share of the messages that are sent once more at the end.
    pub(crate) replays: f64,
    /// Whether requests are sent first that the handler must refuse.
    pub(crate) has_probes: bool,
    /// The run ends if nothing was acknowledged for so long.
    pub(crate) first_ack_timeout: Duration,
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
    /// How the handler took the requests that it must refuse; empty where none were sent.
    pub(crate) probes: Vec<(Probe, ProbeResult)>,
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
    #[error("the simulated Clerk failed to send")]
    Signer(#[from] CannotSign),
    #[error("the HTTP client cannot be set up")]
    Client(#[from] reqwest::Error),
    #[error("cannot read the mirror {url}")]
    Mirror { url: DatabaseUrl, source: InspectError },
    #[error("the simulated Clerk's API cannot listen on 127.0.0.1:{port}")]
    BackendApi { port: u16, source: io::Error },
}

impl Simulation {
    /// Runs it. The first signal ends the sending, another one the waiting for the mirror. What is sent
    /// is in the directory of the API, where there is one.
    pub(crate) async fn run(
        &self,
        signals: &mut Signals,
        api: Option<&BackendApi>,
        watch: &impl Watch,
    ) -> Result<Outcome, SimulateError> {
        // A mirror that cannot be read is said before anything is sent.
        let mirror = match &self.mirror {
            Some(mirror) => Some((mirror, mirror.open().await?)),
            None => None,
        };
        let probes = self.probe().await?;
        let sender = Sender::new(self.sender.clone())?;
        let (report, mut interrupted) = self.send(&sender, signals, api, watch).await;
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
                let compared = comparison::settled(&reader, truth, mirror.settle, signals, watch);
                Some(compared.await.map_err(|source| mirror.error(source))?)
            }
            None => None,
        };
        let replays = replayed.map(|(report, _)| report);
        Ok(Outcome { probes, report, replays, failures, comparison, interrupted })
    }

    /// Sends what the handler must refuse.
    async fn probe(&self) -> Result<Vec<(Probe, ProbeResult)>, SimulateError> {
        let mut probes = Vec::new();
        let secret = self.sender.secrets.first().filter(|_| self.has_probes);
        let Some(secret) = secret else { return Ok(probes) };
        let url = self.url.expose_secrets().clone();
        let options = ClientOptions { timeout: self.sender.timeout, ..ClientOptions::default() };
        let client = Client::with_options(url, Signer::new(secret)?, &options)?;
        for probe in Probe::ALL {
            probes.push((probe, probe.send(&client, clock::now_ms()).await));
        }
        Ok(probes)
    }

    /// Sends the scenario, until the end, a signal, or the time when it is clear that nothing will be acked.
    async fn send(
        &self,
        sender: &Sender,
        signals: &mut Signals,
        api: Option<&BackendApi>,
        watch: &impl Watch,
    ) -> (Report, bool) {
        let interrupted = Cell::new(false);
        let seen = Cell::new(Progress::default());
        let progress = |progress: &Progress| {
            watch.progress(progress);
            seen.set(*progress);
        };
        let wait =
            FirstAck { sender, url: &self.url, seen: &seen, timeout: self.first_ack_timeout };
        let stop = async {
            tokio::select! {
                () = signals.next() => interrupted.set(true),
                () = first_ack::is_hopeless(wait, watch) => {}
            }
        };
        let world = World::new(&self.scenario);
        let messages: Box<dyn Iterator<Item = Message>> = match api {
            Some(api) => Box::new(LiveWorld::new(world, api.directory().clone())),
            None => Box::new(world),
        };
        let report = sender.run_until(messages, progress, stop).await;
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
