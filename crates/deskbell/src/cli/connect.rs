//! `deskbell connect`: an endpoint in Clerk's sender, its signing secret, and the first event.

mod address;
mod clerk;
mod env_file;
mod error;
mod first_event;
pub(super) mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clerk_api::Client;
use clerk_api::sender::{Endpoint, EndpointSecret, SenderSession};
use clerk_webhooks::Secret;
use deskbell_server::{SigningSecret, SourceConfig};
use deskbell_trust::{EndpointPlan, WantedEndpoint, endpoint_uid};
use url::Url;

use self::error::Error;
use self::first_event::{FirstEvent, Received};
use self::report::Report;
use super::{Context, exit};
use crate::config::{Config, Environment, Loaded, SourceMode};
use crate::used_types::used_types;

/// The variable that holds the signing secret.
const SECRET_VARIABLE: &str = "CLERK_WEBHOOK_SIGNING_SECRET";

const EXAMPLE: &str = "\
Example:
  deskbell connect --url https://hooks.example.com/api/webhooks --write-env .env

The secret key of the Clerk instance is CLERK_SECRET_KEY, or `secret_key` of the source. Running it
again changes only what differs, such as the event types after you added a destination. The way into
Clerk's sender is not documented by Clerk; if a step fails, the error says what to do in the
dashboard instead.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Public URL that Clerk sends events to. Without a path, that of the source is added.
    #[arg(long, value_name = "URL")]
    url: Url,
    /// Source to connect [default: the only one].
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Take over an endpoint that has this URL and that Deskbell did not create.
    #[arg(long)]
    adopt: bool,
    /// Write the signing secret into this file of variables, such as .env. Its other lines stay.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["print", "dry_run"])]
    write_env: Option<PathBuf>,
    /// Print the signing secret on stdout, and everything else on stderr.
    #[arg(long, conflicts_with = "dry_run")]
    print: bool,
    /// Only show what would change.
    #[arg(long)]
    dry_run: bool,
    /// Time limit for the first event to arrive in the event log; 0s to not wait.
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    wait: Duration,
}

/// A client with the source's secret key, or with that of the environment.
pub(super) fn client(
    source: &mut SourceConfig,
    environment: &Environment,
) -> Result<Client, exit::Failure> {
    Ok(clerk::client(source, environment)?)
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let loaded = Config::load_to_read(context.config_file.as_deref(), &context.environment)?;
    for left_out in &loaded.left_out {
        errln!("warning: {left_out}; the event types of the endpoint are not reduced");
    }
    let mut source = named_source(&loaded.config, arguments.source.as_deref())?.clone();
    if source.mode == SourceMode::Pull {
        return Err(Error::Pulls { source_name: source.name }.into());
    }
    let url = address::endpoint_url(&arguments.url, &source, source.sender_url.is_some())?;
    let client = clerk::client(&mut source, &context.environment)?;
    let mut report = Report::new(context.json, arguments.print, arguments.dry_run);
    let session = if arguments.dry_run {
        client.find_sender_session().await
    } else {
        client.sender_session().await.map(Some)
    };
    let session = session.map_err(|source| Error::session(source, &url))?;
    let Some(session) = session else {
        report.would_turn_on(&url);
        report.print();
        return Ok(ExitCode::from(exit::DONE));
    };
    let (plan, wanted) = plan(&session, &loaded, &source.name, &url, arguments.adopt).await?;
    report.plan(&plan);
    if arguments.dry_run {
        report.would(&plan.action, &wanted.url);
        report.print();
        return Ok(ExitCode::from(exit::DONE));
    }
    let first_event = FirstEvent::begin(&loaded.config, &source.name).await?;
    let (endpoint, secret) = clerk::apply(&session, plan.action.clone(), &url).await?;
    report.applied(&plan.action, &endpoint);
    hand_over(&arguments, &secret, &mut source, context, &mut report)?;
    let received = wait(&arguments, &loaded.config, &session, &endpoint, first_event, &mut report);
    let received = received.await;
    report.print();
    received?;
    Ok(ExitCode::from(exit::DONE))
}

/// The source of this name, or the only one.
fn named_source<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a SourceConfig, Error> {
    let known = || config.sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>();
    match (name, &config.sources[..]) {
        (None, [source]) => Ok(source),
        (None, _) => Err(Error::WhichSource { known: known().join(", ") }),
        (Some(name), sources) => sources
            .iter()
            .find(|source| source.name == name)
            .ok_or_else(|| Error::unknown_source(name, &known())),
    }
}

async fn plan(
    session: &SenderSession,
    loaded: &Loaded,
    source: &str,
    url: &Url,
    adopt: bool,
) -> Result<(EndpointPlan, WantedEndpoint), Error> {
    let known = session.event_types().await.map_err(|source| Error::read(source, url))?;
    let wanted = WantedEndpoint {
        uid: endpoint_uid(source),
        url: url.clone(),
        event_types: used_types(&loaded.config, source, &known),
        keeps_event_types: !loaded.left_out.is_empty(),
    };
    let endpoints = session.endpoints().await.map_err(|source| Error::read(source, url))?;
    let plan = deskbell_trust::plan_endpoint(&wanted, &endpoints, &known, adopt);
    Ok((plan.map_err(Error::plan)?, wanted))
}

/// Gives the secret to whoever asked for it, and says what has to happen for it to be used.
fn hand_over(
    arguments: &Arguments,
    secret: &EndpointSecret,
    source: &mut SourceConfig,
    context: &Context,
    report: &mut Report,
) -> Result<(), exit::Failure> {
    let parsed = Secret::parse(secret.expose()).map_err(Error::Secret)?;
    // Without any secret, as before the first `connect`, it is simply not configured yet.
    let _ = source.take_secrets(&context.environment);
    let is_configured = source.signing_secrets.contains(&SigningSecret(parsed.clone()));
    if arguments.print {
        report.secret(secret);
    } else if let Some(file) = &arguments.write_env {
        let written = env_file::write(file, SECRET_VARIABLE, secret.expose());
        let written = written.map_err(|source| Error::WriteEnv { file: file.clone(), source })?;
        report.secret_file(file, SECRET_VARIABLE, written);
        let of_process = context.environment.of_process(SECRET_VARIABLE);
        let overrides = of_process.is_some_and(|value| {
            Secret::parse_list(&value).is_ok_and(|secrets| !secrets.contains(&parsed))
        });
        if overrides {
            errln!(
                "warning: {SECRET_VARIABLE} is set in the environment to another value, which is used \
                 instead of {}",
                file.display()
            );
        }
    }
    if !is_configured {
        report.not_configured(arguments.write_env.is_some() || arguments.print);
    }
    Ok(())
}

/// Waits for the first event, having one sent again if that does no harm.
async fn wait(
    arguments: &Arguments,
    config: &Config,
    session: &SenderSession,
    endpoint: &Endpoint,
    mut first_event: FirstEvent,
    report: &mut Report,
) -> Result<(), exit::Failure> {
    if arguments.wait.is_zero() {
        return Ok(());
    }
    let message = first_event.choose_message(config, session, endpoint).await?;
    report.waiting(message.as_deref(), arguments.wait);
    let received = first_event.wait(arguments.wait, message, session, endpoint).await?;
    first_event.close().await;
    match received {
        Received::Event(event) => report.received(&event),
        Received::Nothing { last_status } => {
            return Err(Error::no_event(arguments.wait, last_status).into());
        }
    }
    Ok(())
}
