//! `deskbell simulate`: a simulated Clerk that sends to any webhook handler, and judges it.

mod show;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clerk_webhooks::{CannotSign, Secret, SecretListError, Signer};
use deskbell_sim::{Failures, Progress, Reorder, Scenario, SenderOptions, svix_schedule_at};
use indicatif::ProgressBar;

use super::{Context, exit, progress, trigger};
use crate::config::{DatabaseConfig, HttpUrl};
use crate::signals::Signals;
use crate::simulate::{Mirror, Simulation, Verdict, Watch, most_often};

const SENDING: &str = "sending events {bar:40} {pos}/{len} ({per_sec}, {eta} left) {msg}";

const EXAMPLE: &str = "\
Example, against the local server and its mirror:
  deskbell simulate --url http://127.0.0.1:3000/api/webhooks --secret whsec_… \\
    --events 50000 --shuffle --mirror sqlite://clerk.db

The seed determines the events and their message ids: sending the same seed again sends only
duplicates, and another seed has other users and organizations. Only entities of this seed are
compared with the mirror; send at least as many events of a seed as before. The exit code is 1 if an
event was never acknowledged, or the mirror drifts.";

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
    #[arg(long, value_name = "R", value_parser = number)]
    rate: Option<f64>,
    /// Maximum number of requests in flight, each on its own connection. Connections are closed now
    /// and then, and after any failure, so that a load balancer can spread them.
    #[arg(long, default_value_t = 32, value_name = "N",
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    connections: usize,
    /// Share of events that are sent twice, with the same id: 0.05 or 5%.
    #[arg(long, default_value = "5%", value_name = "P", value_parser = share)]
    duplicates: f64,
    /// Share of events that are sent once more at the end.
    #[arg(long, default_value = "0", value_name = "P", value_parser = share)]
    replays: f64,
    /// Send out of order: most events a little, some very late.
    #[arg(long)]
    shuffle: bool,
    /// Seed of the random events; the same seed makes the same events with the same ids.
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Divisor of the waits between attempts. Clerk's sender waits 5 s, 5 min, 30 min, 2 h, 5 h, 10 h
    /// and 10 h; with 1000 these are 100 seconds in all, with 1 they are unchanged.
    #[arg(long, default_value = "1000", value_name = "X", value_parser = number)]
    speedup: f64,
    /// Time limit of an attempt.
    #[arg(long, default_value = "15s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Duration,
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

/// A number above 0.
fn number(text: &str) -> Result<f64, &'static str> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or("expected a number above 0")
}

/// A share from 0 to 1, or in percent.
fn share(text: &str) -> Result<f64, &'static str> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse().map(|percent: f64| percent / 100.0),
        None => text.parse(),
    };
    let share = share.ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or("expected a share from 0 to 1, or from 0% to 100%")
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let simulation = simulation(arguments, context)?;
    let mut signals = Signals::listen().map_err(exit::Failure::failed)?;
    let bar = Bar(progress::bar(simulation.scenario.events, SENDING, context));
    let outcome = simulation.run(&mut signals, &bar).await.map_err(exit::Failure::failed)?;
    bar.0.finish_and_clear();
    let verdict = Verdict::of(&simulation, &outcome);
    if context.json {
        show::json(&simulation, &outcome, verdict.as_ref());
    } else {
        show::text(&simulation, &outcome);
    }
    match verdict {
        Some(verdict) => Err(exit::Failure::failed_with_help(verdict)),
        None => Ok(ExitCode::from(exit::DONE)),
    }
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
        ..Scenario::new(arguments.seed, arguments.events)
    };
    Ok(Simulation { url, scenario, sender, replays: arguments.replays, mirror })
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

    fn no_ack_yet(&self, failures: &Failures) {
        self.0.suspend(|| {
            errln!("nothing acknowledged so far: {}; retrying", most_often(failures));
        });
    }

    fn drift(&self, entities: usize) {
        self.0.set_message(format!("mirror drift: {entities} entities"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_fractions_or_percents() {
        for (text, wanted) in [
            ("0", Some(0.0)),
            ("0.25", Some(0.25)),
            ("25%", Some(0.25)),
            ("100 %", Some(1.0)),
            ("1", Some(1.0)),
            ("5", None),
            ("101%", None),
            ("-1%", None),
            ("NaN", None),
            ("some", None),
        ] {
            assert_eq!(share(text).ok(), wanted, "{text}");
        }
    }

    #[test]
    fn numbers_are_above_zero() {
        for text in ["0", "-1", "inf", "NaN", "", "1/2"] {
            number(text).expect_err(text);
        }
        assert_eq!(number("0.5"), Ok(0.5));
    }
}
