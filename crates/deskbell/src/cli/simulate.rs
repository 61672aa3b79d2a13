//! `deskbell simulate`: a simulated Clerk that sends to any webhook handler, and judges it.

mod backend_api;
mod junit;
pub(super) mod output;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clerk_webhooks::{CannotSign, Secret, SecretListError, Signer};
use deskbell_devtools::Hint;
use deskbell_sim::{Failures, Progress, Reorder, Scenario, SenderOptions, svix_schedule_at};
use indicatif::ProgressBar;

use self::backend_api::Serving;
use self::junit::JunitFile;
use super::{Context, exit, flag_values, progress, trigger};
use crate::config::{DatabaseConfig, HttpUrl};
use crate::signals::Signals;
use crate::simulate::{Mirror, Simulation, Verdict, Watch, most_often, properties};

const SENDING: &str = "sending events {bar:40} {pos}/{len} ({per_sec}, {eta} left) {msg}";

const EXAMPLE: &str = "\
Example, against the local server and its mirror:
  deskbell simulate --url http://127.0.0.1:3000/api/webhooks --secret whsec_… \\
    --events 50000 --shuffle --mirror sqlite://clerk.db

The seed determines the events and their message ids: sending the same seed again sends only
duplicates, and another seed has other users and organizations. Only entities of this seed are
compared with the mirror; send at least as many events of a seed as before. The exit code is 1 if an
event was never acknowledged, a request was accepted that must be refused, or the mirror drifts.

As a contract test in CI:
  deskbell simulate --url http://127.0.0.1:3000/api/webhooks --events 500 --junit report.xml";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// URL of the webhook handler. Redirects are not followed.
    #[arg(long, value_name = "URL")]
    url: String,
    /// Signing secret of the handler. With several (repeated, or separated by commas), each event is
    /// sent once with each, as in a rotation [default: as for trigger].
    #[arg(long = "secret", value_name = "SECRET")]
    secrets: Vec<String>,
    /// Number of events.
    #[arg(long, default_value_t = 20_000, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    events: usize,
    /// Maximum number of users at once [default: unlimited].
    #[arg(long, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    users: Option<usize>,
    /// Events per second, sent at their time whether earlier ones were answered or not
    /// [default: as fast as the handler answers].
    #[arg(long, value_name = "R", value_parser = flag_values::number)]
    rate: Option<f64>,
    /// Maximum number of requests in flight, each on its own connection. Connections are closed now
    /// and then, and after any failure, so that a load balancer can spread them.
    #[arg(long, default_value_t = 32, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    connections: usize,
    /// Share of events that are sent twice, with the same id: 0.05 or 5%.
    #[arg(long, default_value = "5%", value_name = "P", value_parser = flag_values::share)]
    duplicates: f64,
    /// Share of events that are sent once more at the end.
    #[arg(long, default_value = "0", value_name = "P", value_parser = flag_values::share)]
    replays: f64,
    /// Send out of order: most events a little, some very late.
    #[arg(long)]
    shuffle: bool,
    /// Seed of the random events; the same seed makes the same events with the same ids.
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Divisor of the waits between attempts. Clerk's sender waits 5 s, 5 min, 30 min, 2 h, 5 h, 10 h
    /// and 10 h; with 1000 these are 100 seconds in all, with 1 they are unchanged.
    #[arg(long, default_value = "1000", value_name = "X", value_parser = flag_values::number)]
    speedup: f64,
    /// Time limit of an attempt.
    #[arg(long, default_value = "15s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Stop if nothing was acknowledged for this long.
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    first_ack_timeout: Duration,
    /// Do not send requests first that the handler must refuse: forged, tampered, stale, unsigned.
    #[arg(long)]
    no_probes: bool,
    /// Write the result as JUnit XML, a test case for each property.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Serve the simulated Clerk's Backend API on this port of this machine, until Ctrl-C; 0 chooses
    /// a free one.
    #[arg(long, value_name = "PORT")]
    backend_api: Option<u16>,
    /// Clerk instance in the events [default: the same for every seed].
    #[arg(long, value_name = "ID")]
    instance_id: Option<String>,
    /// Database of the mirror behind the handler, PostgreSQL or SQLite, to compare with what was
    /// sent.
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Schema of the mirror; on SQLite the prefix of its tables.
    #[arg(long, value_name = "NAME", default_value_t = DatabaseConfig::default().schema)]
    schema: String,
    /// Stop comparing when the drift has not changed for this long.
    #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    settle: Duration,
}

/// A secret that cannot be used. Its text is not repeated.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum BadSecret {
    #[error("--secret: {0}")]
    #[diagnostic(help("use the endpoint's Signing Secret, which begins with whsec_"))]
    Invalid(SecretListError),
    #[error("--secret: a public key cannot sign")]
    #[diagnostic(help("use the endpoint's Signing Secret, which begins with whsec_"))]
    CannotSign(#[from] CannotSign),
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let junit = arguments.junit.as_deref().map(JunitFile::create).transpose()?;
    let port = arguments.backend_api;
    let simulation = simulation(arguments, context)?;
    let mut signals = Signals::listen().map_err(exit::Failure::failed)?;
    let serving = match port {
        Some(port) => Some(Serving::start(port, &simulation.scenario).await?),
        None => None,
    };
    let bar = Bar(progress::bar(simulation.scenario.events, SENDING, context));
    let api = serving.as_ref().map(Serving::api);
    let outcome = simulation.run(&mut signals, api, &bar).await.map_err(exit::Failure::failed)?;
    bar.0.finish_and_clear();
    let verdict = Verdict::of(&simulation, &outcome);
    if let Some(junit) = junit {
        junit.write(&properties(&simulation, &outcome), &simulation, &outcome)?;
    }
    if context.json {
        output::print(&simulation, &outcome, verdict.as_ref());
    } else {
        show::text(&simulation, &outcome);
    }
    let code = match verdict {
        Some(verdict) => exit::Failure::failed_with_help(verdict).report(context.json),
        None => ExitCode::from(exit::DONE),
    };
    if let Some(serving) = serving.filter(|_| !outcome.interrupted) {
        serving.until(&mut signals).await;
    }
    Ok(code)
}

fn simulation(arguments: Arguments, context: &Context) -> Result<Simulation, exit::Failure> {
    let url: HttpUrl = exit::parse_flag("--url", &arguments.url)?;
    let mirror = match arguments.mirror {
        Some(text) => Some(Mirror {
            url: exit::parse_flag("--mirror", &text)?,
            schema: arguments.schema,
            settle: arguments.settle,
        }),
        None => None,
    };
    let secrets = secrets(&arguments.secrets, context)?;
    let sender = SenderOptions {
        url: url.expose_secrets().to_string(),
        secrets,
        header_family: clerk_webhooks::HeaderFamily::Svix,
        seed: arguments.seed,
        duplicates: arguments.duplicates,
        reorder: if arguments.shuffle { Reorder::default() } else { Reorder::NONE },
        concurrency: arguments.connections,
        rate_per_second: arguments.rate,
        retry_schedule: svix_schedule_at(arguments.speedup),
        honours_retry_after: true,
        timeout: arguments.timeout,
    };
    let scenario = Scenario {
        users_max: arguments.users,
        instance_id: arguments.instance_id,
        has_all_entities: true,
        ..Scenario::new(arguments.seed, arguments.events)
    };
    Ok(Simulation {
        url,
        scenario,
        sender,
        replays: arguments.replays,
        has_probes: !arguments.no_probes,
        first_ack_timeout: arguments.first_ack_timeout,
        mirror,
    })
}

fn secrets(given: &[String], context: &Context) -> Result<Vec<Secret>, exit::Failure> {
    let secrets = if given.is_empty() {
        let config = context.load_config()?.config;
        vec![trigger::secret_or_configured(None, &config).map_err(exit::Failure::usage)?]
    } else {
        let secrets = Secret::parse_list(&given.join(",")).map_err(BadSecret::Invalid);
        secrets.map_err(exit::Failure::usage)?
    };
    for secret in &secrets {
        Signer::new(secret).map_err(BadSecret::from).map_err(exit::Failure::usage)?;
    }
    Ok(secrets)
}

/// The progress, on stderr and only on a terminal; warnings there in any case.
struct Bar(ProgressBar);

impl Watch for Bar {
    fn progress(&self, progress: &Progress) {
        self.0.set_position(progress.sent);
        if progress.retries > 0 {
            self.0.set_message(format!("{} retries", progress.retries));
        }
    }

    fn no_ack_yet(&self, failures: &Failures, hint: Option<&Hint>) {
        self.0.suspend(|| {
            errln!("nothing acknowledged so far: {}; retrying", most_often(failures));
            if let Some(hint) = hint {
                errln!("  {}", hint.found);
                errln!("  help: {}", hint.help);
            }
        });
    }

    fn drift(&self, entities: usize) {
        self.0.set_message(format!("mirror drift: {entities} entities"));
    }
}
