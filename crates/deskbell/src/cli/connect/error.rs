//! What can go wrong, and what to do then: mostly, what to click in Clerk's dashboard.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clerk_api::ClientError;
use clerk_api::sender::{EndpointError, ReadError, SessionError};
use clerk_webhooks::SecretError;
use deskbell_store::{OpenError, StoreError};
use deskbell_trust::EndpointPlanError;
use miette::Diagnostic;
use url::Url;

use super::super::exit;
use crate::config::nearest;

/// The page of the dashboard with the instance's endpoints.
const DASHBOARD: &str = "https://dashboard.clerk.com/last-active?path=webhooks";

#[derive(Debug, thiserror::Error, Diagnostic)]
pub(in crate::cli) enum Error {
    #[error("the config has several sources")]
    #[diagnostic(help("name one with --source: {known}"))]
    WhichSource { known: String },
    #[error("source `{name}` not found")]
    UnknownSource {
        name: String,
        #[help]
        help: String,
    },
    #[error("--url: expected an https URL")]
    #[diagnostic(help("Clerk sends personal data to it"))]
    NotHttps,
    #[error("--url: Clerk cannot reach this address from outside")]
    #[diagnostic(help(
        "use the public URL of the server, or of a tunnel to this machine, such as one by cloudflared or ngrok"
    ))]
    Local,
    #[error("source `{source_name}` fetches its messages, and needs no endpoint")]
    #[diagnostic(help("remove `mode = \"pull\"` from its [[source]] to receive them instead"))]
    Pulls { source_name: String },
    #[error("--url: expected a URL without a user name and a password")]
    Password,
    #[error("source `{source_name}` has no secret key")]
    #[diagnostic(help(
        "set CLERK_SECRET_KEY, or `secret_key` of the source, to the Secret Key of the instance: \
         https://dashboard.clerk.com/last-active?path=api-keys"
    ))]
    NoSecretKey { source_name: String },
    #[error("cannot set up the client of Clerk's API")]
    Client(#[source] ClientError),
    #[error("cannot log in to Clerk's sender")]
    Session {
        source: Box<SessionError>,
        #[help]
        help: String,
    },
    #[error("cannot read from Clerk's sender")]
    Read {
        source: Box<ReadError>,
        #[help]
        help: String,
    },
    #[error("cannot save the endpoint")]
    Save {
        source: Box<EndpointError>,
        #[help]
        help: String,
    },
    #[error("the endpoint {id} has no signing secret")]
    #[diagnostic(help(
        "copy its Signing Secret from {DASHBOARD} into CLERK_WEBHOOK_SIGNING_SECRET"
    ))]
    NoSecret { id: String },
    #[error("the endpoint's signing secret is of an unknown form")]
    #[diagnostic(help(
        "copy the Signing Secret from {DASHBOARD} into CLERK_WEBHOOK_SIGNING_SECRET"
    ))]
    Secret(#[source] SecretError),
    #[error("cannot use this endpoint")]
    Plan {
        source: EndpointPlanError,
        #[help]
        help: String,
    },
    #[error("cannot write the signing secret to {}", .file.display())]
    #[diagnostic(help(
        "the endpoint is set up; run again with another --write-env, or with --print"
    ))]
    WriteEnv { file: PathBuf, source: io::Error },
    #[error("cannot open the event log")]
    Open(#[from] OpenError),
    #[error("cannot read the event log")]
    Store(#[from] StoreError),
    #[error("no event arrived in the event log within {}", humantime::format_duration(*.wait))]
    NoEvent {
        wait: Duration,
        #[help]
        help: String,
    },
}

impl Error {
    pub(super) fn unknown_source(name: &str, known: &[&str]) -> Self {
        let help = nearest::suggest(name, known, "the sources are");
        Self::UnknownSource { name: name.to_owned(), help }
    }

    pub(super) fn session(source: SessionError, url: &Url) -> Self {
        let is_key_wrong = matches!(&source, SessionError::Login(_))
            && source.api_error().is_some_and(|error| error.status == 401);
        let help = if is_key_wrong {
            "check the secret key: https://dashboard.clerk.com/last-active?path=api-keys".to_owned()
        } else {
            by_hand(url)
        };
        Self::Session { source: Box::new(source), help }
    }

    pub(super) fn read(source: ReadError, url: &Url) -> Self {
        Self::Read { source: Box::new(source), help: by_hand(url) }
    }

    pub(super) fn save(source: EndpointError, url: &Url) -> Self {
        Self::Save { source: Box::new(source), help: by_hand(url) }
    }

    pub(super) fn plan(source: EndpointPlanError) -> Self {
        let help = match &source {
            EndpointPlanError::OtherOwner { .. } => {
                "run again with --adopt to take it over: its event types become those that the config \
                 uses, its signing secret stays"
                    .to_owned()
            }
            EndpointPlanError::SeveralOthers { .. } => {
                format!("delete all but one at {DASHBOARD}, and run again with --adopt")
            }
            EndpointPlanError::NoEventTypes => {
                format!("choose the event types of the endpoint at {DASHBOARD}")
            }
        };
        Self::Plan { source, help }
    }

    /// The status is that of the last attempt, 0 for one without an answer.
    pub(super) fn no_event(wait: Duration, last_status: Option<i32>) -> Self {
        let help = match last_status {
            None => "the sender has made no attempt yet: create or change a user in the Clerk \
                     dashboard, and look at `deskbell events list`"
                .to_owned(),
            Some(200..=299) => "the sender's last attempt was acknowledged: does the running \
                                `deskbell serve` use this config and this event log?"
                .to_owned(),
            Some(status) if status <= 0 => "the sender's last attempt got no answer: is `deskbell \
                                            serve` running, and does the URL lead to it?"
                .to_owned(),
            Some(400) => {
                "the sender's last attempt was answered with 400: restart `deskbell serve`, \
                          or send it SIGHUP, so that it uses the signing secret"
                    .to_owned()
            }
            Some(404) => "the sender's last attempt was answered with 404: does the URL lead to a \
                          path of the source?"
                .to_owned(),
            Some(status) => format!(
                "the sender's last attempt was answered with {status}: look at the log of `deskbell \
                 serve`, and at the proxy in front of it"
            ),
        };
        Self::NoEvent { wait, help }
    }
}

/// What to do without the sender's API.
fn by_hand(url: &Url) -> String {
    format!(
        "open {DASHBOARD}, choose Add Endpoint, enter {url} as the Endpoint URL, subscribe to the events, \
         create it, and copy its Signing Secret into CLERK_WEBHOOK_SIGNING_SECRET"
    )
}

impl From<Error> for exit::Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::WhichSource { .. }
            | Error::Pulls { .. }
            | Error::UnknownSource { .. }
            | Error::NotHttps
            | Error::Local
            | Error::Password => Self::usage(error),
            Error::NoSecretKey { .. } | Error::Client(_) => Self::config(error),
            _ => Self::failed_with_help(error),
        }
    }
}
