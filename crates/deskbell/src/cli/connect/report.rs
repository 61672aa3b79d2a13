//! What was done, as lines while it happens, or as one object at the end.

use std::path::Path;
use std::time::Duration;

use clerk_api::sender::{Endpoint, EndpointChange, EndpointSecret, EventFilter};
use deskbell_trust::{EndpointAction, EndpointPlan};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use url::Url;

use super::env_file::Written;
use super::first_event::Arrived;

/// What `connect` has done. Steps that were not taken are absent.
#[derive(Clone, Default, Serialize, JsonSchema)]
pub(in crate::cli) struct ConnectOutput {
    dry_run: bool,
    /// `created`, `changed` or `kept`; with `--dry-run` `create`, `change` or `keep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint: Option<EndpointOutput>,
    /// The types that the endpoint gets; null for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_types: Option<Option<Vec<String>>>,
    /// Types of the config that Clerk's sender does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<Vec<String>>,
    /// Ids of other endpoints with the same URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_endpoints: Option<Vec<String>>,
    /// The signing secret, with `--print`.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// The file that has the secret now.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<String>,
    /// The message that the sender was asked to send again; null where the next event is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    resent: Option<Option<String>>,
    /// The first event that arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<ReceivedOutput>,
}

#[derive(Clone, Serialize, JsonSchema)]
struct EndpointOutput {
    id: String,
    uid: Option<String>,
    url: String,
}

#[derive(Clone, Serialize, JsonSchema)]
struct ReceivedOutput {
    message_id: String,
    #[serde(rename = "type")]
    event_type: String,
    seq: i64,
}

/// What was done so far.
pub(super) struct Report {
    json: Option<ConnectOutput>,
    /// Whether stdout is for the secret alone.
    to_stderr: bool,
}

impl Report {
    pub(super) fn new(json: bool, print: bool, dry_run: bool) -> Self {
        let output = ConnectOutput { dry_run, ..ConnectOutput::default() };
        Self { json: json.then_some(output), to_stderr: print }
    }

    /// Prints the object, if that is what is asked for.
    pub(super) fn print(&mut self) {
        if let Some(json) = &self.json {
            outln!("{}", json!(json));
        }
    }

    pub(super) fn plan(&mut self, plan: &EndpointPlan) {
        let others: Vec<_> = plan.others.iter().map(|endpoint| endpoint.id.clone()).collect();
        self.set(|output| {
            output.left_out = Some(plan.left_out.iter().map(ToString::to_string).collect());
            output.other_endpoints = Some(others);
        });
        if !plan.left_out.is_empty() {
            let left_out = plan.left_out.join(", ");
            errln!("warning: Clerk's sender does not know these event types: {left_out}");
        }
        for other in &plan.others {
            errln!(
                "warning: the endpoint {} has the same URL: every event arrives again from it until you \
                 delete it",
                other.id
            );
        }
    }

    pub(super) fn would_turn_on(&mut self, url: &Url) {
        self.set(|output| output.action = Some("create"));
        self.say(&format!(
            "would turn on webhooks for the instance and create an endpoint for {url}"
        ));
    }

    pub(super) fn would(&mut self, action: &EndpointAction, url: &Url) {
        let (name, line) = match action {
            EndpointAction::Create(new) => {
                self.set_types(&new.events);
                (
                    "create",
                    format!("would create an endpoint for {url} with {}", types(&new.events)),
                )
            }
            EndpointAction::Change { endpoint, change } => {
                self.set_types(change.events.as_ref().unwrap_or(&endpoint.events));
                let changes = changes(endpoint, change);
                ("change", format!("would change the endpoint {}: {changes}", endpoint.id))
            }
            EndpointAction::Keep(endpoint) => {
                self.set_types(&endpoint.events);
                ("keep", format!("the endpoint {} is already set up", endpoint.id))
            }
        };
        self.set(|output| output.action = Some(name));
        self.say(&line);
    }

    pub(super) fn applied(&mut self, action: &EndpointAction, endpoint: &Endpoint) {
        let Endpoint { id, url, uid, events, .. } = endpoint;
        let shown = EndpointOutput { id: id.clone(), uid: uid.clone(), url: url.to_string() };
        self.set(|output| output.endpoint = Some(shown));
        self.set_types(events);
        let (name, line) = match action {
            EndpointAction::Create(_) => {
                ("created", format!("created the endpoint {id} for {url} with {}", types(events)))
            }
            EndpointAction::Change { endpoint, change } => {
                ("changed", format!("changed the endpoint {id}: {}", changes(endpoint, change)))
            }
            EndpointAction::Keep(_) => {
                ("kept", format!("the endpoint {id} for {url} is already set up"))
            }
        };
        self.set(|output| output.action = Some(name));
        self.say(&line);
    }

    pub(super) fn secret(&mut self, secret: &EndpointSecret) {
        match &self.json {
            Some(_) => self.set(|output| output.secret = Some(secret.expose().to_owned())),
            None => outln!("{}", secret.expose()),
        }
    }

    pub(super) fn secret_file(&mut self, file: &Path, variable: &str, written: Written) {
        let file = file.display().to_string();
        self.set(|output| output.secret_file = Some(file.clone()));
        self.say(&match written {
            Written::Created | Written::Changed => format!("wrote {variable} to {file}"),
            Written::Unchanged => format!("{file} already has the signing secret"),
        });
    }

    /// The config does not have the secret, at least not from where it is read now.
    pub(super) fn not_configured(&mut self, has_secret: bool) {
        self.say(if has_secret {
            "start `deskbell serve`, or restart it if it runs, so that it uses the signing secret"
        } else {
            "the config does not have the signing secret: run again with --write-env .env, or with --print"
        });
    }

    pub(super) fn waiting(&mut self, message: Option<&str>, time: Duration) {
        self.set(|output| output.resent = Some(message.map(str::to_owned)));
        let time = humantime::format_duration(time);
        self.say(&match message {
            Some(id) => format!("asking Clerk's sender to send {id} again; waiting up to {time} for it"),
            None => format!(
                "waiting up to {time} for the next event: create or change a user in the Clerk dashboard"
            ),
        });
    }

    pub(super) fn received(&mut self, event: &Arrived) {
        let Arrived { message_id, event_type, seq } = event;
        let shown = ReceivedOutput {
            message_id: message_id.clone(),
            event_type: event_type.clone(),
            seq: *seq,
        };
        self.set(|output| output.received = Some(shown));
        self.say(&format!("received {event_type} {message_id} (seq {seq})"));
    }

    fn set_types(&mut self, events: &EventFilter) {
        let types = match events {
            EventFilter::All => None,
            EventFilter::Only(types) => Some(types.iter().map(ToString::to_string).collect()),
        };
        self.set(|output| output.event_types = Some(types));
    }

    fn set(&mut self, set: impl FnOnce(&mut ConnectOutput)) {
        if let Some(output) = &mut self.json {
            set(output);
        }
    }

    fn say(&self, line: &str) {
        match (&self.json, self.to_stderr) {
            (Some(_), _) => {}
            (None, true) => errln!("{line}"),
            (None, false) => outln!("{line}"),
        }
    }
}

fn types(events: &EventFilter) -> String {
    match events {
        EventFilter::All => "all event types".to_owned(),
        EventFilter::Only(types) if types.len() == 1 => "1 event type".to_owned(),
        EventFilter::Only(types) => format!("{} event types", types.len()),
    }
}

fn changes(endpoint: &Endpoint, change: &EndpointChange) -> String {
    let mut changes = Vec::new();
    if let Some(url) = &change.url {
        changes.push(format!("URL from {} to {url}", endpoint.url));
    }
    if change.uid.is_some() {
        changes.push("taken over".to_owned());
    }
    if change.is_disabled == Some(false) {
        changes.push("re-enabled".to_owned());
    }
    if let Some(events) = &change.events {
        changes.push(format!("from {} to {}", types(&endpoint.events), types(events)));
    }
    changes.join(", ")
}
