//! The sender: takes messages to an endpoint as Svix does for Clerk, with retries, duplicates and disorder.

mod delivery;
mod dispatch;
mod options;
mod report;

use std::panic::resume_unwind;
use std::sync::Arc;

use clerk_webhooks::{CannotSign, Signer};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Duration, Instant, sleep_until};

use self::delivery::{Courier, Delivered, Delivery};
use self::dispatch::{Dispatch, Dispatches};
pub use self::options::{Reorder, SenderOptions, compressed_schedule, svix_schedule};
use self::report::Tally;
pub(crate) use self::report::per_second;
pub use self::report::{Progress, Report};
use crate::Message;

/// At most so many deliveries are under way or wait for a retry; at it, no new one begins until one ends.
const DELIVERIES_OPEN_MAX: usize = 10_000;

/// A sender that is ready to run.
#[derive(Debug)]
pub struct Sender {
    courier: Arc<Courier>,
    options: SenderOptions,
}

/// Why a sender cannot be made of its options.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    /// The URL is not one.
    #[error("`{url}` is not a URL")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        #[source]
        source: <Url as std::str::FromStr>::Err,
    },
    /// A secret cannot sign.
    #[error(transparent)]
    Secret(#[from] CannotSign),
    /// There is no secret.
    #[error("a sender needs at least one signing secret")]
    NoSecret,
    /// The HTTP client cannot be made.
    #[error("failed to set up the HTTP client")]
    Client(#[source] reqwest::Error),
}

impl Sender {
    /// Checks the options and sets the HTTP client up. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SenderError`], where the URL or a secret will not do.
    pub fn new(options: SenderOptions) -> Result<Self, SenderError> {
        let url = options
            .url
            .parse()
            .map_err(|source| SenderError::Url { url: options.url.clone(), source })?;
        if options.secrets.is_empty() {
            return Err(SenderError::NoSecret);
        }
        let courier = Courier {
            client: client(&options)?,
            url,
            signers: options.secrets.iter().map(Signer::new).collect::<Result<_, _>>()?,
            header_family: options.header_family,
            retry_schedule: options.retry_schedule.clone(),
            slots: Arc::new(Semaphore::new(options.concurrency.max(1))),
        };
        Ok(Self { courier: Arc::new(courier), options })
    }

    /// Sends the messages and returns once each is acked or given up. `progress` hears of every delivery's end.
    ///
    /// Pass a [`World`](crate::World) by mutable reference to ask it for its truth afterwards.
    ///
    /// # Panics
    /// When a delivery panics.
    pub async fn run(
        &self,
        messages: impl IntoIterator<Item = Message>,
        mut progress: impl FnMut(&Progress),
    ) -> Report {
        let SenderOptions { seed, duplicates, reorder, .. } = self.options;
        let dispatches = Dispatches::new(messages.into_iter(), seed, duplicates, reorder);
        let started = Instant::now();
        let mut tally = Tally::default();
        let mut open = JoinSet::new();
        let mut ended = |tally: &mut Tally, joined| {
            tally.ended(unless_panicked(joined));
            progress(tally.progress());
        };
        for (place, dispatch) in dispatches.enumerate() {
            self.pace(started, place).await;
            for endpoint in 0..self.courier.signers.len() {
                while open.len() >= DELIVERIES_OPEN_MAX {
                    if let Some(joined) = open.join_next().await {
                        ended(&mut tally, joined);
                    }
                }
                let Some(slot) = self.slot().await else { continue };
                tally.begun(dispatch.index, endpoint == 0 && !dispatch.duplicate);
                let delivery = delivery(&dispatch, endpoint);
                open.spawn(Arc::clone(&self.courier).deliver(delivery, slot));
                while let Some(joined) = open.try_join_next() {
                    ended(&mut tally, joined);
                }
            }
        }
        while let Some(joined) = open.join_next().await {
            ended(&mut tally, joined);
        }
        tally.into_report(started.elapsed())
    }

    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.courier.slots).acquire_owned().await.ok()
    }

    /// Waits until the message at this place may begin.
    async fn pace(&self, started: Instant, place: usize) {
        if let Some(rate) = self.options.rate_per_second.filter(|&rate| rate > 0.0) {
            #[expect(clippy::cast_precision_loss, reason = "places are far below 2^52")]
            let since = Duration::try_from_secs_f64(place as f64 / rate).unwrap_or(Duration::MAX);
            if let Some(due) = started.checked_add(since) {
                sleep_until(due).await;
            }
        }
    }
}

/// Clerk's sender follows no redirect, and knows no proxy of the machine it is simulated on.
fn client(options: &SenderOptions) -> Result<Client, SenderError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been quicker: then its provider is the one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    Client::builder()
        .user_agent(concat!("Deskbell-Sim/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .timeout(options.timeout)
        .pool_max_idle_per_host(options.concurrency)
        .build()
        .map_err(SenderError::Client)
}

fn delivery(dispatch: &Dispatch, endpoint: usize) -> Delivery {
    let Message { id, body, .. } = &dispatch.message;
    Delivery { index: dispatch.index, id: id.clone(), body: body.clone(), endpoint }
}

/// No delivery is ever cancelled while its set lives, so that a join that failed is a panic.
fn unless_panicked(joined: Result<Delivered, JoinError>) -> Delivered {
    joined.unwrap_or_else(|error| resume_unwind(error.into_panic()))
}
