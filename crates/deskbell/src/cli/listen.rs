//! `deskbell listen`: live events for a handler on this machine.

mod ended;
mod error;
mod from;
pub(super) mod lines;
mod local_secret;
mod terminal;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clerk_webhooks::{Secret, Signer, UnixMillis};
use deskbell_devtools::listen::{Filter, Listening, Start, TargetOptions, Targets, Totals, listen};
use deskbell_store::clock;
use tokio::sync::mpsc;
use url::Url;

use self::ended::ended;
use self::error::Error;
use self::from::{From, Opened};
use self::lines::Lines;
use super::{Context, exit, time};
use crate::signals::Signals;

const EXAMPLE: &str = "\
Examples:
  deskbell listen --forward-to http://localhost:3000/api/webhooks --from https://hooks.example.com
  deskbell listen --forward-to http://localhost:3000/api/webhooks --from clerk --events 'user.*'
  deskbell listen --forward-to http://localhost:3000/api/webhooks --replay msg_… --count 1
  deskbell listen --print-secret

Events are signed again with a secret of this machine, which the handler must have. After the
connection was lost it goes on where it was. On a terminal it is a screen: r sends an event again, e
edits it first, / filters. Exit code: 0, or 1 if it cannot go on, or with --count if an event was not
acknowledged.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// URL of a handler; repeat it for several.
    #[arg(long, value_name = "URL", required_unless_present = "print_secret")]
    forward_to: Vec<Url>,
    /// Where the events come from: the URL of a deployed Deskbell, or `clerk` for Clerk's sender itself
    /// (needs CLERK_SECRET_KEY) [default: the server of the config, on this machine].
    #[arg(long, value_name = "URL|clerk")]
    from: Option<From>,
    /// Token for that server, with the role reader (`deskbell tokens create`).
    #[arg(long, value_name = "T", env = "DESKBELL_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Types of events, or patterns such as user.*; commas separate several [default: all but
    /// email.created and sms.created].
    #[arg(long, value_name = "TYPES", value_delimiter = ',')]
    events: Vec<String>,
    /// Only events for which this expression holds, as in a destination's `when`.
    #[arg(long, value_name = "EXPRESSION")]
    when: Option<String>,
    /// Begin with events of this time, or of so long ago, such as 1h [default: from now on].
    #[arg(long, value_name = "TIME", value_parser = time::since)]
    since: Option<UnixMillis>,
    /// Send the event with this message id first; repeat it for several.
    #[arg(long, value_name = "ID")]
    replay: Vec<String>,
    /// End after so many events.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Signing secret [default: one of this machine, made at the first use].
    #[arg(long, value_name = "SECRET")]
    secret: Option<String>,
    /// Print the signing secret, and end.
    #[arg(long)]
    print_secret: bool,
    /// How long a handler may take. Clerk's sender waits 15 s.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Take handlers beyond this machine and its network, too.
    #[arg(long)]
    allow_external: bool,
    /// Print lines on a terminal too, instead of the screen.
    #[arg(long)]
    plain: bool,
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let secret = local_secret::text(arguments.secret.as_deref(), &context.environment)?;
    if arguments.print_secret {
        outln!("{secret}");
        return Ok(ExitCode::from(exit::DONE));
    }
    let targets = targets(&arguments, &secret)?;
    let filter = Filter::new(arguments.events.clone(), arguments.when.as_deref());
    let filter = Arc::new(filter.map_err(Error::from)?);
    let start = arguments.since.map_or(Start::Now, |since| Start::SinceMs(since.as_millis()));
    let source = from::Source {
        from: arguments.from.clone(),
        token: arguments.token.clone(),
        filter: Arc::clone(&filter),
        start,
        replays: &arguments.replay,
    };
    let Opened { mut feed, name, replays } = source.open(context).await?;
    let (requests, waiting) = mpsc::channel(terminal::REQUESTS_MAX);
    let listening = Listening {
        feed: &mut *feed,
        filter: &filter,
        targets: &targets,
        replays,
        requests: waiting,
        events_max: arguments.count,
        now_ms: clock::now_ms,
    };
    let on_terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if on_terminal && !context.json && !arguments.plain {
        return terminal::run(listening, requests, &name, &secret, context).await;
    }
    plain(listening, requests, &name, &secret, context).await
}

fn targets(arguments: &Arguments, secret: &str) -> Result<Targets, Error> {
    let signer = Signer::new(&Secret::parse(secret)?)?;
    let options = TargetOptions {
        signer,
        timeout: arguments.timeout,
        allow_external: arguments.allow_external,
    };
    Ok(Targets::new(arguments.forward_to.clone(), &options)?)
}

/// Line by line.
async fn plain(
    listening: Listening<'_>,
    // Nobody asks for anything here, and the other end must stay.
    _requests: mpsc::Sender<deskbell_devtools::listen::Message>,
    name: &str,
    secret: &str,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let mut signals = Signals::listen().map_err(exit::Failure::failed)?;
    let mut lines = Lines::new(listening.targets, context.json);
    lines.greet(name, secret);
    let mut totals = Totals::default();
    let mut update = |update| lines.show(update);
    let listening = listen(listening, &mut totals, &mut update);
    tokio::select! {
        ended = listening => ended.map_err(exit::Failure::failed_with_help)?,
        () = signals.next() => return Ok(ExitCode::from(exit::DONE)),
    }
    Ok(ended(totals))
}
