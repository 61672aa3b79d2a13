//! Where events go, and the secret that they are signed with.

use clerk_webhooks::{CannotSign, Secret, SecretError, Signer};
use deskbell_devtools::Client;
use url::Url;

use crate::cli::local_url::local_url;
use crate::cli::{Context, exit};
use crate::config::Config;

/// Something about the flags that keeps an event from being sent.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(in crate::cli) enum Unsendable {
    #[error("invalid signing secret")]
    #[diagnostic(help("use the endpoint's Signing Secret, which begins with whsec_"))]
    Secret(#[from] SecretError),
    #[error("this secret cannot sign")]
    #[diagnostic(help("use the endpoint's Signing Secret, which begins with whsec_"))]
    CannotSign(#[from] CannotSign),
    #[error("--url: expected a URL such as http://localhost:3000/api/webhooks, found {url}")]
    NotHttp { url: Url },
    #[error("the config has no source to send to")]
    #[diagnostic(help("set the URL with --url"))]
    NoSource,
    #[error("the address of the local server is not a valid URL")]
    #[diagnostic(help("set the URL with --url"))]
    Address(#[from] url::ParseError),
}

pub(super) fn client(
    url: Option<&Url>,
    secret: Option<&str>,
    context: &Context,
) -> Result<Client, exit::Failure> {
    // With both flags given, neither the config nor the environment has to be there.
    let (url, secret) = match (url, secret) {
        (Some(url), Some(secret)) => {
            let secret = Secret::parse(secret).map_err(Unsendable::from);
            (url.clone(), secret.map_err(exit::Failure::usage)?)
        }
        (None, Some(secret)) => {
            let config = context.load_to_read()?;
            let secret = Secret::parse(secret).map_err(Unsendable::from);
            (local(&config).map_err(exit::Failure::usage)?, secret.map_err(exit::Failure::usage)?)
        }
        (url, secret) => {
            // Whatever the secrets of its destinations are.
            let config = context.load_to_check()?.config;
            (
                url.cloned().map_or_else(|| local(&config), Ok).map_err(exit::Failure::usage)?,
                secret_or_configured(secret, &config).map_err(exit::Failure::usage)?,
            )
        }
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(exit::Failure::usage(Unsendable::NotHttp { url }));
    }
    let signer = Signer::new(&secret).map_err(Unsendable::from).map_err(exit::Failure::usage)?;
    Client::new(url, signer).map_err(exit::Failure::failed)
}

/// Where the local server takes events of its first source.
pub(in crate::cli) fn local(config: &Config) -> Result<Url, Unsendable> {
    let path = config.sources.first().and_then(|source| source.path.first());
    let path = path.ok_or(Unsendable::NoSource)?;
    Ok(local_url(config, config.server.listen(), &path.to_string())?)
}

/// The secret that was given, or that of the config's first source.
pub(in crate::cli) fn secret_or_configured(
    secret: Option<&str>,
    config: &Config,
) -> Result<Secret, Unsendable> {
    match secret {
        Some(secret) => Ok(Secret::parse(secret)?),
        None => {
            let source = config.sources.first().ok_or(Unsendable::NoSource)?;
            let secret = source.signing_secrets.first().ok_or(Unsendable::NoSource)?;
            Ok(secret.0.clone())
        }
    }
}
