//! `deskbell verify`: whether a captured request is valid, and if not, which mistake explains it.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use std::{fs, io};

use clap::Args;
use clerk_webhooks::{NoSecret, Secret, SecretError};
use deskbell_devtools::diagnosis::{
    self, CaptureError, Captured, CauseCode, Diagnosis, NamedSecret, Receiver,
};
use deskbell_store::clock;
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Context, exit};
use crate::config::{Config, SourceConfig};

const EXAMPLE: &str = "\
Examples:
  deskbell verify --delivery request.har             a capture, with the secrets of the config
  pbpaste | deskbell verify --delivery - --secret whsec_…
  deskbell verify --id msg_… --timestamp 1780000000 --signature 'v1,…' --payload @body.json

Exit code: 0 valid, 1 not valid, 2 the request cannot be read.";

/// How much of a capture is read.
const CAPTURE_BYTES_MAX: u64 = 16 << 20;
const STDIN: &str = "-";
/// How far svix-timestamp may be from the time of arrival, where nobody says.
const TOLERANCE: Duration = Duration::from_secs(300);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// File with the request, or - for stdin: raw HTTP, HAR, JSON with headers and body, or a curl line.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "payload",
        conflicts_with_all = ["id", "timestamp", "signature", "payload"]
    )]
    delivery: Option<String>,
    /// Value of the header svix-id.
    #[arg(long, requires = "payload")]
    id: Option<String>,
    /// Value of the header svix-timestamp.
    #[arg(long, requires = "payload")]
    timestamp: Option<String>,
    /// Value of the header svix-signature.
    #[arg(long, requires = "payload")]
    signature: Option<String>,
    /// Body, or @FILE for the bytes of a file.
    #[arg(long, value_name = "@FILE", requires_all = ["id", "timestamp", "signature"])]
    payload: Option<String>,
    /// Signing secret; repeat it for several [default: those of the config's sources].
    #[arg(long = "secret", value_name = "SECRET")]
    secrets: Vec<String>,
    /// Time at which the request arrived, in seconds since 1970 [default: now].
    #[arg(long, value_name = "SECONDS")]
    now: Option<u64>,
    /// How far svix-timestamp may be from that time.
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    tolerance: Duration,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("cannot read {file}")]
    Read { file: String, source: io::Error },
    #[error("cannot read the request from {file}")]
    #[diagnostic(help(
        "pass the headers and the body one by one: --id, --timestamp, --signature, --payload @FILE"
    ))]
    Capture { file: String, source: CaptureError },
    #[error("invalid signing secret")]
    #[diagnostic(help("use the endpoint's Signing Secret, which begins with whsec_"))]
    Secret(#[from] SecretError),
    #[error("there is no signing secret to verify it with")]
    #[diagnostic(help("pass --secret whsec_…, or set CLERK_WEBHOOK_SIGNING_SECRET"))]
    NoSecret(#[from] NoSecret),
}

/// What `--json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VerifiedRequest")]
pub(super) struct Verified {
    pub(super) valid: bool,
    pub(super) message_id: Option<String>,
    /// The secret that it is signed with: `secret 1`, or the source's name.
    pub(super) signed_with: Option<String>,
    /// The rule that is broken.
    pub(super) rule: Option<&'static str>,
    pub(super) message: Option<String>,
    /// What explains it; several where only all of them together do.
    pub(super) causes: Vec<VerifiedCause>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct VerifiedCause {
    #[schemars(with = "String")]
    pub(super) code: CauseCode,
    pub(super) found: String,
    pub(super) help: &'static str,
}

pub(super) fn run(arguments: &Arguments, context: &Context) -> Result<ExitCode, exit::Failure> {
    let captured = arguments.captured()?;
    let (secrets, own) = secrets(&arguments.secrets, context)?;
    let now_seconds = arguments.now.unwrap_or_else(now);
    let tolerance = arguments.tolerance;
    let receiver = Receiver { secrets: &secrets, own, now_seconds, tolerance };
    let diagnosis = diagnosis::diagnose(&captured, &receiver).map_err(Error::from);
    let diagnosis = diagnosis.map_err(exit::Failure::usage)?;
    let code = if diagnosis.rule.is_none() { exit::DONE } else { exit::FAILED };
    if context.json {
        outln!("{:#}", serde_json::json!(output(diagnosis)));
    } else {
        print(&diagnosis);
    }
    Ok(ExitCode::from(code))
}

/// What there is to say of a captured request that arrived at this time, or now.
pub(super) fn text(
    request: &str,
    given: &[String],
    arrived_seconds: Option<u64>,
    context: &Context,
) -> Result<Verified, exit::Failure> {
    let failed = |source| Error::Capture { file: "the text".to_owned(), source };
    let captured = Captured::read(request.as_bytes()).map_err(failed);
    let captured = captured.map_err(exit::Failure::usage)?;
    let (secrets, own) = secrets(given, context)?;
    let now_seconds = arrived_seconds.unwrap_or_else(now);
    let receiver = Receiver { secrets: &secrets, own, now_seconds, tolerance: TOLERANCE };
    let diagnosis = diagnosis::diagnose(&captured, &receiver).map_err(Error::from);
    Ok(output(diagnosis.map_err(exit::Failure::usage)?))
}

fn now() -> u64 {
    clock::now_ms().unsigned_abs() / 1_000
}

impl Arguments {
    fn captured(&self) -> Result<Captured, exit::Failure> {
        if let Some(file) = &self.delivery {
            let bytes = read(file)?;
            let captured = Captured::read(&bytes);
            let failed = |source| Error::Capture { file: named(file), source };
            return captured.map_err(failed).map_err(exit::Failure::usage);
        }
        let payload = self.payload.as_deref().unwrap_or_default();
        let body = match payload.strip_prefix('@') {
            Some(file) => read(file)?,
            None => payload.as_bytes().to_vec(),
        };
        let header = |name: &str, value: &Option<String>| {
            (name.to_owned(), value.clone().unwrap_or_default())
        };
        let headers = vec![
            header("svix-id", &self.id),
            header("svix-timestamp", &self.timestamp),
            header("svix-signature", &self.signature),
        ];
        Ok(Captured { headers, body, is_parsed: false })
    }
}

fn named(file: &str) -> String {
    if file == STDIN { "stdin".to_owned() } else { file.to_owned() }
}

fn read(file: &str) -> Result<Vec<u8>, exit::Failure> {
    let mut bytes = Vec::new();
    let read = match file {
        STDIN => io::stdin().lock().take(CAPTURE_BYTES_MAX).read_to_end(&mut bytes),
        file => fs::File::open(PathBuf::from(file))
            .and_then(|file| file.take(CAPTURE_BYTES_MAX).read_to_end(&mut bytes)),
    };
    let failed = |source| exit::Failure::usage(Error::Read { file: named(file), source });
    read.map_err(failed).map(|_| bytes)
}

/// Those that were given, and those of the config, where there is one; and how many are meant.
fn secrets(
    given: &[String],
    context: &Context,
) -> Result<(Vec<NamedSecret>, usize), exit::Failure> {
    let mut secrets = Vec::new();
    for (number, text) in given.iter().enumerate() {
        let secret = Secret::parse(text).map_err(Error::from).map_err(exit::Failure::usage)?;
        let name = format!("--secret {}", number + 1);
        secrets.push(NamedSecret { name, text: text.clone(), secret });
    }
    let given = secrets.len();
    match context.load_config() {
        Ok(loaded) => secrets.extend(of_config(&loaded.config)),
        Err(error) if given == 0 => return Err(error.into()),
        // The request can be verified without it.
        Err(_) => {}
    }
    let own = if given > 0 { given } else { secrets.len() };
    Ok((secrets, own))
}

/// The signing secrets of the config's sources.
pub(super) fn of_config(config: &Config) -> impl Iterator<Item = NamedSecret> {
    config.sources.iter().flat_map(|source: &SourceConfig| {
        source.signing_secrets.iter().map(|signing| NamedSecret {
            name: format!("source {}", source.name),
            text: String::new(),
            secret: signing.0.clone(),
        })
    })
}

fn output(diagnosis: Diagnosis) -> Verified {
    let causes = diagnosis.causes.into_iter().map(|cause| VerifiedCause {
        code: cause.code,
        help: cause.code.help(),
        found: cause.found,
    });
    Verified {
        valid: diagnosis.rule.is_none(),
        message_id: diagnosis.message_id,
        signed_with: diagnosis.secret,
        rule: diagnosis.rule.as_ref().map(clerk_webhooks::VerifyError::code),
        message: diagnosis.rule.as_ref().map(ToString::to_string),
        causes: causes.collect(),
    }
}

fn print(diagnosis: &Diagnosis) {
    let id = diagnosis.message_id.as_deref().unwrap_or("the request");
    let secret = diagnosis.secret.as_deref();
    let Some(rule) = &diagnosis.rule else {
        outln!("{id} is valid, signed with {}", secret.unwrap_or("a secret"));
        return;
    };
    outln!("{id} is not valid: {rule}");
    for cause in &diagnosis.causes {
        outln!("  cause: {}", cause.found);
        outln!("    fix: {}", cause.code.help());
    }
    // Where a secret fits, the rule says it all.
    if diagnosis.causes.is_empty() && diagnosis.secret.is_none() {
        outln!(
            "  no known mistake explains it: the secret is probably not that of the endpoint that sent it"
        );
        outln!(
            "    fix: copy the Signing Secret of this endpoint from Clerk's dashboard, under Configure > Webhooks"
        );
    }
}
