//! `deskbell serve`: the engine until a signal says stop.

use std::io::{self, IsTerminal};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use deskbell_delivery::ChannelConfig;
use deskbell_store::AccessToken;
use tokio::signal::unix::{SignalKind, signal};

use super::{Context, exit, logging};
use crate::config::{
    Config, DEFAULT_FILE, DatabaseConfig, DestinationKind, DestinationType, Loaded,
};
use crate::engine::{Engine, Listening, Reloaded};
use crate::signals::Signals;

const EXAMPLE: &str = "\
Examples:
  deskbell serve                                   with deskbell.toml, or the variables alone
  deskbell serve --config /etc/deskbell.toml --log-events";

/// How long the link that is printed signs a browser in.
const SIGN_IN_CODE_LIFETIME: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Log each event that is received, delivered or mirrored [default: on a terminal].
    #[arg(long)]
    log_events: bool,
}

impl Arguments {
    pub(super) fn log_defaults(&self) -> logging::Defaults {
        let log_events = self.log_events || io::stderr().is_terminal();
        logging::Defaults::Steps { log_events }
    }
}

pub(super) async fn run(context: &Context) -> Result<ExitCode, exit::Failure> {
    let loaded = load(context)?;
    // Before anything is accepted: a signal in the meantime must not kill the process half-way.
    let mut stop = Signals::listen().map_err(exit::Failure::failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(exit::Failure::failed)?;
    let listening = Listening::bind(&loaded.config, Vec::new()).await;
    let mut listening = listening.map_err(exit::Failure::start)?;
    let opened = tokio::select! {
        opened = listening.open_store() => opened,
        () = stop.next() => {
            listening.stop().await;
            return Ok(stopped());
        }
    };
    let engine = match opened {
        Ok(opened) => listening.start(opened).await.map_err(exit::Failure::start)?,
        Err(error) => {
            listening.stop().await;
            return Err(exit::Failure::start(error));
        }
    };
    greet(&engine, &loaded);
    if io::stderr().is_terminal() {
        print_sign_in_link(&engine, &loaded.config).await;
    }
    loop {
        tokio::select! {
            () = stop.next() => {
                tracing::info!("stopping; draining requests and deliveries");
                break;
            }
            _ = hangup.recv() => reload(&engine, context).await,
            () = engine.ended_early() => {
                tracing::error!("a background task ended; shutting down");
                break;
            }
        }
    }
    engine.stop().await.map_err(exit::Failure::failed)?;
    Ok(stopped())
}

fn stopped() -> ExitCode {
    tracing::info!("stopped");
    ExitCode::from(exit::DONE)
}

/// Reads the config, and says what is strange about it.
fn load(context: &Context) -> Result<Loaded, exit::Failure> {
    let loaded = context.load_config()?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    for note in context.environment.notes() {
        tracing::info!("{note}");
    }
    Ok(loaded)
}

/// Goes on by the config as it is now. Where it makes no sense, the one before holds on.
async fn reload(engine: &Engine, context: &Context) {
    let context = context.read_again();
    let reloaded = match load(&context) {
        Ok(loaded) => engine.reload(&loaded.config).await.map_err(exit::Failure::start),
        Err(failure) => Err(failure),
    };
    let Reloaded { destinations, after_restart } = match reloaded {
        Ok(reloaded) => reloaded,
        Err(failure) => {
            tracing::error!("config not reloaded; the previous config stays in effect");
            failure.report(context.json);
            return;
        }
    };
    for key in after_restart {
        tracing::warn!(key, "this change needs a restart; the rest of the config was reloaded");
    }
    let restarted = destinations.join(", ");
    tracing::info!(restarted, "config reloaded");
}

/// A link that signs a browser in once. It goes to a terminal alone: whoever reads a log must not
/// become an admin by it.
async fn print_sign_in_link(engine: &Engine, config: &Config) {
    let code = AccessToken::random();
    let store = engine.whole_store();
    if let Err(error) = store.create_sign_in_code(&code.hash(), SIGN_IN_CODE_LIFETIME).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, "cannot create a sign-in link");
        return;
    }
    let (scheme, mut address) = (config.server.scheme(), engine.admin_address());
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let minutes = SIGN_IN_CODE_LIFETIME.as_secs() / 60;
    errln!("Dashboard (this link signs you in once, within {minutes} minutes):");
    errln!("  {scheme}://{address}/sign-in?code={}", code.expose());
    errln!();
}

/// What it is in a word, and where it is.
fn where_to(kind: &DestinationKind) -> (&'static str, String) {
    match (kind, kind.channel_config()) {
        (DestinationKind::Database(database), _) => ("mirror", database.url.to_string()),
        (_, channel) => {
            let receiver = channel.map(ChannelConfig::receiver).unwrap_or_default();
            (kind.destination_type().as_str(), receiver)
        }
    }
}

/// Where we listen, where we write, and what to do next.
fn greet(engine: &Engine, loaded: &Loaded) {
    let config = &loaded.config;
    let address = engine.address();
    let scheme = config.server.scheme();
    errln!("deskbell {} listens on {scheme}://{address}", env!("CARGO_PKG_VERSION"));
    for source in &config.sources {
        errln!("  source {:12} {}", source.name, source.path.join("  "));
    }
    errln!("  event log           {}", config.store.url);
    for destination in config.destinations.iter().filter(|destination| destination.enabled) {
        let (kind, receiver) = where_to(&destination.kind);
        errln!("  {kind:6} {:12} {receiver}", destination.name);
    }
    if loaded.lacks_mirror {
        say_that_there_is_no_mirror(loaded);
    }
    let path = config.sources.first().and_then(|source| source.path.first());
    let path = path.map_or("", String::as_str);
    errln!();
    errln!("Next: make it reachable (ngrok http {}),", address.port());
    errln!("add https://YOUR-HOST{path} as an endpoint in the Clerk dashboard under");
    let arriving = if has_mirror(config) { "rows" } else { "events" };
    errln!(
        "Configure > Webhooks, and watch the {arriving} arrive. Or send a sample from another \
         terminal:"
    );
    errln!("  deskbell trigger user.created");
    errln!();
}

fn has_mirror(config: &Config) -> bool {
    let mut enabled = config.destinations.iter().filter(|destination| destination.enabled);
    enabled.any(|one| one.kind.destination_type() == DestinationType::Database)
}

fn say_that_there_is_no_mirror(loaded: &Loaded) {
    let file = loaded.file.as_deref().unwrap_or(Path::new(DEFAULT_FILE)).display();
    let url = DatabaseConfig::default().url;
    errln!("  no mirror; add this to {file} for one in {url}:");
    errln!("    [mirror]");
    errln!("    enabled = true");
}
