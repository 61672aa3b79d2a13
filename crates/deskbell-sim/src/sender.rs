//! The sender: takes messages to an endpoint as Svix does for Clerk, with retries, duplicates and disorder.

mod delivery;
mod dispatch;
mod failure;
mod options;
mod report;
mod run;

use std::sync::Arc;
use std::time::Duration;

use clerk_webhooks::{CannotSign, Signer};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::sync::Semaphore;

use self::delivery::{Connections, Courier};
use self::failure::SharedFailures;
pub use self::failure::{Failure, Failures, FirstAnswer};
pub use self::options::{
    Reorder, SenderOptions, compressed_schedule, svix_schedule, svix_schedule_at,
};
pub(crate) use self::report::per_second;
pub use self::report::{Progress, Report};
use self::run::Run;
use crate::Message;

/// A sender that is ready to run.
#[derive(Debug)]
pub struct Sender {
    courier: Arc<Courier>,
    options: SenderOptions,
}

/// Why a sender cannot be made of its options.
#[derive(Debug, thiserror::Error)]
pub enum SenderError {
    #[error("`{url}` is not a URL")]
    Url {
        url: String,
        #[source]
        source: <Url as std::str::FromStr>::Err,
    },
    #[error(transparent)]
    Secret(#[from] CannotSign),
    #[error("a sender needs at least one signing secret")]
    NoSecret,
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
            client: http_client(options.timeout, options.concurrency)?,
            url,
            signers: options.secrets.iter().map(Signer::new).collect::<Result<_, _>>()?,
            header_family: options.header_family,
            retry_schedule: options.retry_schedule.clone(),
            honours_retry_after: options.honours_retry_after,
            slots: Arc::new(Semaphore::new(options.concurrency.max(1))),
            failures: SharedFailures::default(),
            connections: Connections::new(options.concurrency.max(1)),
        };
        Ok(Self { courier: Arc::new(courier), options })
    }

    /// Every attempt so far that was not acked, of all runs, also while one is under way.
    #[must_use]
    pub fn failures(&self) -> Failures {
        self.courier.failures.so_far()
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
        progress: impl FnMut(&Progress),
    ) -> Report {
        self.run_until(messages, progress, std::future::pending()).await
    }

    /// As [`run`](Self::run), but it ends as soon as `stop` does: what is under way then is left, and nobody knows whether it arrived.
    ///
    /// # Panics
    /// When a delivery panics.
    pub async fn run_until(
        &self,
        messages: impl IntoIterator<Item = Message>,
        mut progress: impl FnMut(&Progress),
        stop: impl Future<Output = ()>,
    ) -> Report {
        let mut run = Run::new(&self.courier, &self.options, &mut progress);
        let stopped = tokio::select! {
            () = run.send_all(messages) => false,
            () = stop => true,
        };
        run.into_report(stopped)
    }
}

/// Clerk's sender follows no redirect, and knows no proxy of the machine it is simulated on.
pub(crate) fn http_client(timeout: Duration, idle_max: usize) -> Result<Client, SenderError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been quicker: then its provider is the one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    Client::builder()
        .user_agent(concat!("Deskbell-Sim/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .no_proxy()
        .timeout(timeout)
        .pool_max_idle_per_host(idle_max)
        .build()
        .map_err(SenderError::Client)
}
