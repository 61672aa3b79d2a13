//! What was done, as lines while it happens, or as one object at the end.

use std::path::Path;
use std::time::Duration;

use clerk_api::sender::{Endpoint, EndpointChange, EndpointSecret, EventFilter};
use deskbell_trust::{EndpointAction, EndpointPlan};
use serde_json::{Map, Value, json};
use url::Url;

use super::env_file::Written;
use super::first_event::Arrived;

/// What was done so far.
pub(super) struct Report {
    json: Option<Map<String, Value>>,
    /// Whether stdout is for the secret alone.
    to_stderr: bool,
}

impl Report {
    pub(super) fn new(json: bool, print: bool, dry_run: bool) -> Self {
        let mut object = Map::new();
        object.insert("dry_run".to_owned(), dry_run.into());
        Self { json: json.then_some(object), to_stderr: print }
    }

    /// Prints the object, if that is what is asked for.
    pub(super) fn print(&mut self) {
        if let Some(json) = &self.json {
            outln!("{}", Value::Object(json.clone()));
        }
    }

    pub(super) fn plan(&mut self, plan: &EndpointPlan) {
        self.set("left_out", json!(plan.left_out));
        let others: Vec<_> = plan.others.iter().map(|endpoint| &endpoint.id).collect();
        self.set("other_endpoints", json!(others));
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
        self.set("action", "create".into());
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
        self.set("action", name.into());
        self.say(&line);
    }

    pub(super) fn applied(&mut self, action: &EndpointAction, endpoint: &Endpoint) {
        let Endpoint { id, url, uid, events, .. } = endpoint;
        self.set("endpoint", json!({"id": id, "uid": uid, "url": url}));
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
        self.set("action", name.into());
        self.say(&line);
    }

    pub(super) fn secret(&mut self, secret: &EndpointSecret) {
        match &self.json {
            Some(_) => self.set("secret", secret.expose().into()),
            None => outln!("{}", secret.expose()),
        }
    }

    pub(super) fn secret_file(&mut self, file: &Path, variable: &str, written: Written) {
        let file = file.display().to_string();
        self.set("secret_file", file.as_str().into());
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
        self.set("resent", message.into());
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
        self.set("received", json!({"message_id": message_id, "type": event_type, "seq": seq}));
        self.say(&format!("received {event_type} {message_id} (seq {seq})"));
    }

    fn set_types(&mut self, events: &EventFilter) {
        let types = match events {
            EventFilter::All => Value::Null,
            EventFilter::Only(types) => json!(types),
        };
        self.set("event_types", types);
    }

    fn set(&mut self, name: &str, value: Value) {
        if let Some(json) = &mut self.json {
            json.insert(name.to_owned(), value);
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
