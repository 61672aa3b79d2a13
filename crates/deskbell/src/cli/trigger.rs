//! `deskbell trigger`: a signed sample event, sent to a server.

use std::process::ExitCode;

use clap::Args;
use clerk_webhooks::{CannotSign, Secret, SecretError, Signer};
use deskbell_devtools::{Assignment, Client, NoReply, NoReplyKind, Reply, message_id, sample};
use deskbell_server::ListenAddress;
use deskbell_store::clock;
use miette::Diagnostic;
use serde_json::{Value, json};
use url::Url;

use super::{Context, exit};
use crate::config::Config;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Event type, for example user.created; run `deskbell types` to list them.
    #[arg(value_name = "TYPE")]
    event_type: String,
    /// Set a value in the sample: data.first_name=Ada. Valid JSON is set as JSON, anything else as text.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    assignments: Vec<Assignment>,
    /// Allow --set to add paths that the sample lacks.
    #[arg(long)]
    add: bool,
    /// Message id (svix-id) [default: a new one for each event].
    #[arg(long)]
    id: Option<String>,
    /// URL to send it to [default: the first source of the local server].
    #[arg(long)]
    url: Option<Url>,
    /// Signing secret [default: that of the first source, or CLERK_WEBHOOK_SIGNING_SECRET].
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// Number of times to send it.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
}

/// Something about the flags that keeps an event from being sent.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub(super) enum Unsendable {
    #[error("invalid signing secret")]
    #[diagnostic(help("use the endpoint's Signing Secret, which begins with whsec_"))]
    Secret(#[from] SecretError),
    #[error("this secret cannot sign")]
    #[diagnostic(help("use the endpoint's Signing Secret, which begins with whsec_"))]
    CannotSign(#[from] CannotSign),
    #[error("the config has no source to send to")]
    #[diagnostic(help("set the URL with --url"))]
    NoSource,
    #[error("the address of the local server is not a valid URL")]
    #[diagnostic(help("set the URL with --url"))]
    Address(#[from] url::ParseError),
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let mut event = sample(&arguments.event_type).map_err(exit::Failure::usage)?;
    event["timestamp"] = Value::from(clock::now_ms());
    for assignment in &arguments.assignments {
        assignment.apply(&mut event, arguments.add).map_err(exit::Failure::usage)?;
    }
    let client = client(&arguments, context)?;
    let mut refused = 0;
    for _ in 0..arguments.count {
        let message_id = arguments.id.clone().unwrap_or_else(message_id);
        let seconds = u64::try_from(clock::now_ms() / 1_000).unwrap_or_default();
        let body = event.to_string().into_bytes();
        let sent = client.send(&message_id, seconds, body).await;
        let outcome = sent.map_err(|error| not_sent(error, client.url()))?;
        print(&outcome, &arguments.event_type, &message_id, context);
        refused += u32::from(!outcome.is_success());
    }
    Ok(ExitCode::from(if refused == 0 { exit::DONE } else { exit::FAILED }))
}

/// Nothing listens where the event should go.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("nothing listens on {url}")]
#[diagnostic(help("start `deskbell serve` first, or name another server with --url"))]
struct NobodyListens {
    url: Url,
    #[source]
    source: NoReply,
}

fn not_sent(error: NoReply, url: &Url) -> exit::Failure {
    if error.kind == NoReplyKind::Refused {
        let url = url.clone();
        return exit::Failure::failed_with_help(NobodyListens { url, source: error });
    }
    exit::Failure::failed(error)
}

fn client(arguments: &Arguments, context: &Context) -> Result<Client, exit::Failure> {
    // With both flags given, neither the config nor the environment has to be there.
    let (url, secret) = match (&arguments.url, &arguments.secret) {
        (Some(url), Some(secret)) => {
            let secret = Secret::parse(secret).map_err(Unsendable::from);
            (url.clone(), secret.map_err(exit::Failure::usage)?)
        }
        (url, secret) => {
            let config = context.load_config()?.config;
            (
                url.clone().map_or_else(|| local(&config), Ok).map_err(exit::Failure::usage)?,
                secret_or_configured(secret.as_deref(), &config).map_err(exit::Failure::usage)?,
            )
        }
    };
    let signer = Signer::new(&secret).map_err(Unsendable::from).map_err(exit::Failure::usage)?;
    Client::new(url, signer).map_err(exit::Failure::failed)
}

/// Where the local server takes events of its first source.
fn local(config: &Config) -> Result<Url, Unsendable> {
    let path = config.sources.first().and_then(|source| source.path.first());
    let path = path.ok_or(Unsendable::NoSource)?;
    let mut address = config.server.listen();
    if let ListenAddress::Socket(address) = &mut address
        && address.ip().is_unspecified()
    {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let scheme = config.server.scheme();
    Ok(Url::parse(&format!("{scheme}://{address}{path}"))?)
}

/// The secret that was given, or that of the config's first source.
pub(super) fn secret_or_configured(
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

fn print(outcome: &Reply, event_type: &str, message_id: &str, context: &Context) {
    let took_ms = outcome.took.as_secs_f64() * 1_000.0;
    if context.json {
        outln!(
            "{}",
            json!({
                "type": event_type,
                "message_id": message_id,
                "status": outcome.status,
                "reply": outcome.body,
                "took_ms": took_ms,
            })
        );
    } else {
        outln!("{} {event_type} {message_id} {took_ms:.1} ms {}", outcome.status, outcome.body);
    }
}
