//! What is printed, line by line.

use clerk_webhooks::UnixMillis;
use deskbell_devtools::Hint;
use deskbell_devtools::listen::{Answer, Message, Targets, Update, Withheld};
use deskbell_store::clock;
use jiff::tz::TimeZone;
use serde::Serialize;

/// Prints what happens.
pub(super) struct Lines {
    targets: Vec<String>,
    json: bool,
}

/// A line of `--json`: what one handler made of one event.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(in crate::cli) struct AnswerLine<'a> {
    /// When it was answered, RFC 3339 in UTC.
    at: String,
    message_id: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    subject: Option<&'a str>,
    /// The handler; null where the event was not sent.
    target: Option<&'a str>,
    /// null where there was no answer.
    status: Option<u16>,
    took_ms: Option<f64>,
    /// The start of the reply, or why there is none.
    reply: Option<&'a str>,
    /// What the answer means, where it is no acknowledgement.
    hint: Option<&'a Hint>,
    /// Why the event was not sent.
    withheld: Option<Withheld>,
}

impl Lines {
    pub(super) fn new(targets: &Targets, json: bool) -> Self {
        Self { targets: targets.urls().collect(), json }
    }

    pub(super) fn greet(&self, from: &str, secret: &str) {
        errln!("listening to {from}, forwarding to {}", self.targets.join(" and "));
        errln!("signing secret: {secret} (your handler needs it: CLERK_WEBHOOK_SIGNING_SECRET)");
    }

    pub(super) fn show(&mut self, update: Update) {
        match update {
            Update::Sending(message) if !self.json => {
                outln!("{} → {}", time_of_day(), title(&message));
            }
            Update::Sending(_) => {}
            Update::Answered(message, answer) => self.answered(&message, &answer),
            Update::Withheld(message, why) => self.withheld(&message, why),
            Update::Lost { reason } => errln!("connection lost: {reason}; connecting again"),
            Update::Unreadable { messages } => {
                errln!("{messages} messages cannot be read, and are left out");
            }
            Update::Restored => errln!("connected again; nothing was missed"),
            Update::Replaced => errln!(
                "connected again; the server has another event log, and it goes on with what comes now"
            ),
        }
    }

    fn answered(&self, message: &Message, answer: &Answer) {
        let target = self.targets.get(answer.target).map(String::as_str);
        if self.json {
            let took_ms = Some(answer.took.as_secs_f64() * 1_000.0);
            let reply = (!answer.is_success()).then_some(&*answer.text);
            let (status, hint) = (answer.status, answer.hint.as_ref());
            return print(&AnswerLine { target, status, took_ms, reply, hint, ..line(message) });
        }
        let of = if self.targets.len() > 1 { target.unwrap_or_default() } else { "" };
        outln!("{} ← {}", time_of_day(), [&*outcome(answer), of].join(" ").trim_end());
        if let Some(hint) = &answer.hint {
            let fix = hint.help.replace('\n', "\n         ");
            outln!("         {}\n         fix: {fix}", hint.found);
        }
    }

    fn withheld(&self, message: &Message, why: Withheld) {
        if self.json {
            return print(&AnswerLine { withheld: Some(why), ..line(message) });
        }
        outln!("{} → {} ({})", time_of_day(), title(message), why.text());
    }
}

/// The time of day here.
pub(super) fn time_of_day() -> String {
    let now = jiff::Timestamp::from_millisecond(clock::now_ms()).unwrap_or_default();
    now.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string()
}

/// An event in a line. What a payload has there cannot change the terminal.
fn title(message: &Message) -> String {
    let subject = message.subject.as_deref().unwrap_or(&message.id);
    format!("{} {subject}", message.event_type).replace(char::is_control, "\u{fffd}")
}

fn outcome(answer: &Answer) -> String {
    let status = answer.status.map_or_else(|| answer.text.clone(), |status| status.to_string());
    format!("{status} {} ms", answer.took.as_millis())
}

fn line(message: &Message) -> AnswerLine<'_> {
    let now = UnixMillis::from_millis(clock::now_ms());
    AnswerLine {
        at: now.map_or_else(String::new, |now| now.to_string()),
        message_id: &message.id,
        event_type: &message.event_type,
        subject: message.subject.as_deref(),
        target: None,
        status: None,
        took_ms: None,
        reply: None,
        hint: None,
        withheld: None,
    }
}

fn print(line: &AnswerLine<'_>) {
    // Nothing in it can fail to be JSON.
    if let Ok(line) = serde_json::to_string(line) {
        outln!("{line}");
    }
}
