//! `deskbell doctor`: what is wrong with a webhook handler, and how to mend it.

mod own;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clerk_webhooks::{Secret, SecretError};
use deskbell_config::DatabaseUrl;
use deskbell_devtools::diagnosis::NamedSecret;
use deskbell_devtools::doctor::{self, CountRows, Report, Subject};
use deskbell_store::clock;
use deskbell_sync::inspect::RowCounter;
use miette::Diagnostic;
use url::Url;

use super::{Context, exit};

const EXAMPLE: &str = "\
Examples:
  deskbell doctor                                     the server of this config
  deskbell doctor http://localhost:3000/api/webhooks  the handler of this directory
  deskbell doctor https://app.example.com/api/webhooks --secret whsec_… --project ../app
  deskbell doctor --database postgres://… --table users --column clerk_id

The handler sees some twenty events: of users whose ids begin with user_deskbell_doctor_, signed as
Clerk's sender signs them, and deleted again at the end, and forged ones. --no-probes sends none.

Exit code: 0 nothing failed, 1 a check failed, 2 wrong usage.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// URL of the webhook handler [default: the first source of the server of this config].
    #[arg(value_name = "URL")]
    url: Option<Url>,
    /// Signing secret of the handler; repeat it for several that may be [default: those of the
    /// environment, of .env.local and .env, and of the config].
    #[arg(long = "secret", value_name = "SECRET")]
    secrets: Vec<String>,
    /// Directory of the application: .env.local, .env, package.json, versions and source files are read.
    #[arg(long, value_name = "DIR", default_value = ".")]
    project: PathBuf,
    /// Database of the handler, PostgreSQL or SQLite: looks whether an event that comes twice is one row.
    #[arg(long, value_name = "URL", requires_all = ["table", "column"])]
    database: Option<String>,
    /// Table of the users in that database.
    #[arg(long, value_name = "NAME", requires = "database")]
    table: Option<String>,
    /// Column with the id that Clerk gives them.
    #[arg(long, value_name = "NAME", requires = "database")]
    column: Option<String>,
    /// Send no events: check the connection, the variables and the packages only.
    #[arg(long)]
    no_probes: bool,
    /// How long an answer may take before it is a failure.
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// How long an answer may take before it is a warning.
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = humantime::parse_duration)]
    slow_after: Duration,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("invalid signing secret")]
    #[diagnostic(help("use the endpoint's Signing Secret, which begins with whsec_"))]
    Secret(#[from] SecretError),
    #[error("--project: {project} is not a directory")]
    NoProject { project: String },
    #[error("{url} is not the URL of a handler")]
    #[diagnostic(help("give it with http:// or https://"))]
    NotHttp { url: Url },
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let report = report(&arguments, context).await?;
    if context.json {
        outln!("{:#}", serde_json::json!(report));
    } else {
        show::text(&report, show::Marks::of_stdout(&context.environment));
    }
    Ok(ExitCode::from(if report.summary.fail == 0 { exit::DONE } else { exit::FAILED }))
}

/// What is found of the handler.
pub(super) async fn report(
    arguments: &Arguments,
    context: &Context,
) -> Result<Report, exit::Failure> {
    let rows = arguments.rows().await?;
    let count = rows.as_ref().map(|rows| {
        move |user_id: String| -> futures_util::future::BoxFuture<'_, Result<u64, String>> {
            Box::pin(async move { rows.count(&user_id).await.map_err(|error| chain(&error)) })
        }
    });
    let count = count.as_ref().map(|count| count as &CountRows<'_>);
    let subject = arguments.subject(context, count).await?;
    doctor::examine(subject).await.map_err(exit::Failure::failed)
}

impl Arguments {
    /// Of a handler alone, with or without events that are sent to it.
    pub(super) fn of_handler(
        url: Option<Url>,
        secrets: Vec<String>,
        project: PathBuf,
        no_probes: bool,
    ) -> Self {
        let (database, table, column) = (None, None, None);
        let (timeout, slow_after) = (Duration::from_secs(15), Duration::from_secs(3));
        Self { url, secrets, project, database, table, column, no_probes, timeout, slow_after }
    }

    async fn rows(&self) -> Result<Option<RowCounter>, exit::Failure> {
        let (Some(url), Some(table), Some(column)) = (&self.database, &self.table, &self.column)
        else {
            return Ok(None);
        };
        let url: DatabaseUrl = exit::parse_flag("--database", url)?;
        let counter = RowCounter::open(&url, table, column).await;
        counter.map(Some).map_err(exit::Failure::failed)
    }

    async fn subject<'a>(
        &self,
        context: &Context,
        rows: Option<&'a CountRows<'a>>,
    ) -> Result<Subject<'a>, exit::Failure> {
        if !self.project.is_dir() {
            let project = self.project.display().to_string();
            return Err(exit::Failure::usage(Error::NoProject { project }));
        }
        let local = own::look(context, self.url.is_none()).await;
        let url = self.url.clone().or(local.url);
        if let Some(url) = url.as_ref().filter(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(exit::Failure::usage(Error::NotHttp { url: url.clone() }));
        }
        Ok(Subject {
            url,
            secrets: self.given_secrets()?,
            of_config: local.secrets,
            project: self.project.clone(),
            variables: deskbell_config::listed_variables(&self.project),
            probes: !self.no_probes,
            timeout: self.timeout,
            slow_after: self.slow_after,
            rows,
            now_seconds: || clock::now_ms().unsigned_abs() / 1_000,
            own: local.own,
        })
    }

    fn given_secrets(&self) -> Result<Vec<NamedSecret>, exit::Failure> {
        let secrets = self.secrets.iter().enumerate().map(|(index, text)| {
            let name = if self.secrets.len() == 1 {
                "--secret".to_owned()
            } else {
                format!("--secret {}", index + 1)
            };
            let secret = Secret::parse(text).map_err(Error::from)?;
            Ok(NamedSecret { name, text: text.clone(), secret })
        });
        secrets.collect::<Result<_, Error>>().map_err(exit::Failure::usage)
    }
}

/// The error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
