//! `deskbell serve`: the engine until a signal says stop.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use url::Url;

use super::{Context, exit};
use crate::config::{DestinationKind, EmailProvider, HttpUrl, Loaded};
use crate::engine::Engine;

pub(super) async fn run(context: &Context) -> Result<ExitCode, exit::Failure> {
    let loaded = context.load_config()?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // Before anything is accepted: a signal in the meantime must not kill the process half-way.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(exit::Failure::failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(exit::Failure::failed)?;
    let mut engine = Engine::start(&loaded.config).await.map_err(exit::Failure::start)?;
    greet(&engine, &loaded);
    tokio::select! {
        _ = interrupt.recv() => tracing::info!("interrupted; finishing what is in hand"),
        _ = terminate.recv() => tracing::info!("terminated; finishing what is in hand"),
        () = engine.ended_early() => tracing::error!("a part of the engine ended"),
    }
    engine.stop().await.map_err(exit::Failure::failed)?;
    tracing::info!("stopped");
    Ok(ExitCode::from(exit::DONE))
}

/// What it is in a word, and where it is: of an address that events are sent to the host alone, as
/// the rest of it may be a secret.
fn where_to(kind: &DestinationKind) -> (&'static str, String) {
    let host = |url: &Url| match url.host_str() {
        Some(host) => {
            let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
            format!("{}://{host}{port}", url.scheme())
        }
        None => url.scheme().to_owned(),
    };
    let api = |url: &Option<HttpUrl>, usual: &str| match url {
        Some(url) => host(url.with_secrets()),
        None => usual.to_owned(),
    };
    match kind {
        DestinationKind::Database(database) => ("mirror", database.url.to_string()),
        DestinationKind::Http(http) => ("http", host(http.url.with_secrets())),
        DestinationKind::Slack(slack) => ("slack", host(slack.webhook_url.with_secrets())),
        DestinationKind::Loops(loops) => ("loops", api(&loops.base_url, "Loops")),
        DestinationKind::Email(email) => match &email.provider {
            EmailProvider::Resend { base_url, .. } => ("email", api(base_url, "Resend")),
            EmailProvider::Smtp { url } => ("email", host(url.with_secrets())),
        },
    }
}

/// Where we listen, where we write, and what to do next.
fn greet(engine: &Engine, loaded: &Loaded) {
    let config = &loaded.config;
    let address = engine.address();
    eprintln!("deskbell {} listens on http://{address}", env!("CARGO_PKG_VERSION"));
    for source in &config.sources {
        eprintln!("  source {:12} {}", source.name, source.path.join("  "));
    }
    eprintln!("  event log           {}", config.store.url);
    for destination in config.destinations.iter().filter(|destination| destination.enabled) {
        let (kind, place) = where_to(&destination.kind);
        eprintln!("  {kind:6} {:12} {place}", destination.name);
    }
    let path = config.sources.first().and_then(|source| source.path.first());
    let path = path.map_or("", String::as_str);
    eprintln!();
    eprintln!("Next: make it reachable (ngrok http {}),", address.port());
    eprintln!("add https://YOUR-HOST{path} as an endpoint in the Clerk dashboard under");
    eprintln!(
        "Configure > Webhooks, and watch the rows come. Or try it now, from another terminal:"
    );
    eprintln!("  deskbell trigger user.created");
    eprintln!();
}
