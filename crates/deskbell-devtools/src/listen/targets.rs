//! The handlers that events are sent on to.

use std::time::{Duration, Instant};

use clerk_webhooks::Signer;
use futures_util::stream::{FuturesUnordered, StreamExt};
use miette::Diagnostic;
use url::Url;

use super::answer::Answer;
use super::message::Message;
use crate::client::{Client, ClientOptions};
use crate::local::is_local_host;
use crate::shown_url::without_password;

/// The handlers that events are sent on to.
#[derive(Debug)]
pub struct Targets {
    clients: Vec<Client>,
}

#[derive(Debug)]
pub struct TargetOptions {
    pub signer: Signer,
    pub timeout: Duration,
    /// Addresses beyond this machine and its network are taken too.
    pub allow_external: bool,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum TargetError {
    #[error("--forward-to: expected a URL such as http://localhost:3000/api/webhooks, found {url}")]
    Url { url: String },
    #[error("{url} is not on this machine or its network")]
    #[diagnostic(help(
        "real events of real people would go there; add --allow-external if that is what you want"
    ))]
    External { url: String },
    #[error("cannot set up the connection")]
    Client(#[from] reqwest::Error),
}

impl Targets {
    /// # Errors
    /// An address is no HTTP address, or beyond this machine's network.
    pub fn new(urls: Vec<Url>, options: &TargetOptions) -> Result<Self, TargetError> {
        let clients = urls.into_iter().map(|url| client(url, options));
        Ok(Self { clients: clients.collect::<Result<_, _>>()? })
    }

    /// Their URLs, as they are shown.
    pub fn urls(&self) -> impl Iterator<Item = String> {
        self.clients.iter().map(|client| without_password(client.url()))
    }

    /// Sends it to every handler at once, and says of each what it made of it as soon as it answers.
    pub(super) async fn send(
        &self,
        message: &Message,
        seconds: u64,
        mut answered: impl FnMut(Answer),
    ) {
        let Some(body) = message.bytes() else { return };
        let sends = self.clients.iter().enumerate().map(|(target, client)| async move {
            let started = Instant::now();
            let answer = client.send(&message.id, seconds, body.to_vec()).await;
            Answer::new(target, client.url(), answer, started.elapsed())
        });
        let mut sends: FuturesUnordered<_> = sends.collect();
        while let Some(answer) = sends.next().await {
            answered(answer);
        }
    }
}

fn client(url: Url, options: &TargetOptions) -> Result<Client, TargetError> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(TargetError::Url { url: without_password(&url) });
    }
    // Where a name leads is looked at whenever it is resolved.
    let is_local = url.host().is_some_and(|host| is_local_host(&host));
    let is_allowed = options.allow_external || is_local;
    if !is_allowed {
        return Err(TargetError::External { url: without_password(&url) });
    }
    let client_options =
        ClientOptions { timeout: options.timeout, local_only: !options.allow_external };
    Ok(Client::with_options(url, options.signer.clone(), &client_options)?)
}

#[cfg(test)]
mod tests {
    use clerk_webhooks::Secret;

    use super::*;

    fn check(url: &str, allow_external: bool) -> Result<(), TargetError> {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signer = Signer::new(&secret).unwrap();
        let options = TargetOptions { signer, timeout: Duration::from_secs(1), allow_external };
        Targets::new(vec![url.parse().unwrap()], &options).map(drop)
    }

    #[test]
    fn only_this_machine_and_its_network_are_targets_unless_allowed() {
        // What sets the clients up needs a provider of cryptography.
        let _ = rustls::crypto::ring::default_provider().install_default();
        for url in [
            "http://localhost:3000/api/webhooks",
            "https://app.localhost/x",
            "http://192.168.1.7:3000",
            "http://[::1]:3000",
            "http://host.docker.internal:3000",
            "http://web:3000/api",
        ] {
            check(url, false).unwrap_or_else(|error| panic!("{url}: {error}"));
        }
        for url in
            ["https://example.com/x", "http://8.8.8.8", "http://[2606:4700::1]", "http://1.1"]
        {
            assert!(matches!(check(url, false), Err(TargetError::External { .. })), "{url}");
            check(url, true).unwrap_or_else(|error| panic!("{url}: {error}"));
        }
        assert!(matches!(check("ftp://localhost/x", false), Err(TargetError::Url { .. })));
    }
}
