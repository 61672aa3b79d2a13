//! A body of one's own, from the command line, a file or standard input.

use std::io::Read;

use deskbell_devtools::Assignment;
use serde_json::Value;

use crate::cli::exit::Failure;

/// How a body without a `type` is called.
const NO_TYPE: &str = "-";

/// A body that is sent as it is, until something is set in it.
#[derive(Debug, Clone)]
pub(super) struct OwnBody {
    pub(super) event_type: String,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum BadBody {
    #[error("failed to read the body from {origin}")]
    #[diagnostic(help("name a file that exists: --body @event.json"))]
    Unreadable {
        origin: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{origin} is not valid JSON")]
    #[diagnostic(help(
        "a body is an event as Clerk sends it: `deskbell types user.created --sample` prints one; \
         a file is named with @: --body @event.json"
    ))]
    NoJson {
        origin: String,
        #[source]
        source: serde_json::Error,
    },
}

impl OwnBody {
    /// The body that `--body` names, with values set.
    pub(super) fn read(text: &str, assignments: &[Assignment], add: bool) -> Result<Self, Failure> {
        let (origin, bytes) = match text.strip_prefix('@') {
            None => ("--body".to_owned(), Ok(text.as_bytes().to_vec())),
            Some("-") => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().read_to_end(&mut bytes);
                ("standard input".to_owned(), read.map(|_| bytes))
            }
            Some(path) => (path.to_owned(), std::fs::read(path)),
        };
        let bytes = bytes.map_err(|source| {
            Failure::usage(BadBody::Unreadable { origin: origin.clone(), source })
        })?;
        let mut body = Self::of_json(bytes, &origin)?;
        if !assignments.is_empty() {
            let mut value = body.value(&origin)?;
            for assignment in assignments {
                assignment.apply(&mut value, add).map_err(Failure::usage)?;
            }
            body = Self::of_json(value.to_string().into_bytes(), &origin)?;
        }
        Ok(body)
    }

    /// The bytes, if they are JSON.
    pub(super) fn of_json(bytes: Vec<u8>, origin: &str) -> Result<Self, Failure> {
        let mut body = Self { event_type: String::new(), bytes };
        let value = body.value(origin)?;
        body.event_type = value["type"].as_str().unwrap_or(NO_TYPE).to_owned();
        Ok(body)
    }

    pub(super) fn value(&self, origin: &str) -> Result<Value, Failure> {
        serde_json::from_slice(&self.bytes)
            .map_err(|source| Failure::usage(BadBody::NoJson { origin: origin.to_owned(), source }))
    }
}
