//! Sending one message after the other, and saying how each was answered.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::Duration;

use deskbell_devtools::{Client, Hint, HintCode, NoReply, NoReplyKind, Reply, excerpt, hint};
use deskbell_store::clock;
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::plan::Message;
use crate::cli::exit::{self, Failure};

/// One message and its answer: a line of `--json`.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct SentOutput<'a> {
    r#type: &'a str,
    /// The `svix-id` that it was sent with.
    message_id: &'a str,
    /// The status of the answer; null where there was none.
    status: Option<u16>,
    /// The start of the answer's body; null where there was no answer.
    reply: Option<&'a str>,
    /// From the request to the head of the answer.
    took_ms: Option<f64>,
    /// What the answer means, where it is no acknowledgement.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a Hint>,
}

/// Nothing listens where the event should go.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("nothing listens on {url}")]
#[diagnostic(help("start `deskbell serve` first, or name another server with --url"))]
struct NobodyListens {
    url: Url,
    #[source]
    source: NoReply,
}

pub(super) struct Sending<'a> {
    client: &'a Client,
    interval: Option<Duration>,
    next_at: Instant,
    json: bool,
    sent: u64,
    refused: u64,
    told: HashSet<HintCode>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(client: &'a Client, rate: Option<f64>, json: bool) -> Self {
        let interval = rate.map(|rate| {
            Duration::try_from_secs_f64(1.0 / rate)
                .unwrap_or(Duration::from_secs(u64::from(u32::MAX)))
        });
        let (next_at, told) = (Instant::now(), HashSet::new());
        Self { client, interval, next_at, json, sent: 0, refused: 0, told }
    }

    /// Sends it when it is time, and prints the answer.
    pub(super) async fn send(&mut self, message: &Message) -> Result<(), Failure> {
        if let Some(interval) = self.interval {
            sleep_until(self.next_at).await;
            // What a slow answer cost is not made up for by a burst.
            self.next_at = self.next_at.max(Instant::now()) + interval;
        }
        let seconds = u64::try_from(clock::now_ms() / 1_000).unwrap_or_default();
        let Message { message_id, body, .. } = message;
        let answer = match self.client.send(message_id, seconds, body.clone()).await {
            Err(no_reply) if !is_of_this_event(no_reply.kind) => {
                return Err(not_sent(no_reply, self.client.url()));
            }
            answer => answer,
        };
        let hint = hint(&answer, self.client.url());
        self.sent += 1;
        self.refused += u64::from(hint.is_some());
        self.print(message, &answer, hint.as_ref());
        Ok(())
    }

    fn print(&mut self, message: &Message, answer: &Result<Reply, NoReply>, hint: Option<&Hint>) {
        let Message { event_type, message_id, .. } = message;
        let reply = answer.as_ref().ok();
        let took_ms = reply.map(|reply| reply.took.as_secs_f64() * 1_000.0);
        if self.json {
            let output = SentOutput {
                r#type: event_type,
                message_id,
                status: reply.map(|reply| reply.status),
                reply: reply.map(|reply| reply.body.as_str()),
                took_ms,
                hint,
            };
            outln!("{}", serde_json::json!(output));
            return;
        }
        match answer {
            Ok(reply) => outln!(
                "{} {event_type} {message_id} {:.1} ms {}",
                reply.status,
                took_ms.unwrap_or_default(),
                excerpt(&reply.body).unwrap_or_default()
            ),
            Err(no_reply) => outln!("- {event_type} {message_id} {no_reply}"),
        }
        // The same mistake is explained once.
        if let Some(hint) = hint.filter(|hint| self.told.insert(hint.code)) {
            errln!("  {}", hint.found);
            errln!("  help: {}", hint.help);
        }
    }

    /// How it ended, said where there was more than one event.
    pub(super) fn finish(self) -> ExitCode {
        let Self { sent, refused, .. } = self;
        if refused > 0 && sent > 1 {
            errln!("{refused} of {sent} events were not acknowledged");
        }
        ExitCode::from(if refused == 0 { exit::DONE } else { exit::FAILED })
    }
}

/// Whether another event may be answered all the same.
fn is_of_this_event(kind: NoReplyKind) -> bool {
    matches!(kind, NoReplyKind::TimedOut | NoReplyKind::Lost)
}

fn not_sent(error: NoReply, url: &Url) -> Failure {
    if error.kind == NoReplyKind::Refused {
        let url = url.clone();
        return Failure::failed_with_help(NobodyListens { url, source: error });
    }
    Failure::failed(error)
}
