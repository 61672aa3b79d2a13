//! `list_events` and `show_event`.

use deskbell_admin::{EventDetails, EventSummary};
use deskbell_config::ONE_TIME_CODES;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{tool, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Output, answer, halve};
use super::limit::Limit;
use super::schema::schema_of;
use super::server::Server;
use super::since::Since;
use crate::cli::events::{list, show};
use crate::cli::exit::Failure;

/// Which events to list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListEvents {
    /// Only these event types, or patterns such as user.*
    #[serde(default)]
    types: Vec<String>,
    /// Only events about this user, organization or other entity.
    subject: Option<String>,
    /// Only events received since this time (2026-11-21T08:00:00Z) or this long ago (2h).
    since: Option<Since>,
    /// Maximum number of events.
    #[serde(default)]
    limit: Limit,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Events {
    /// The newest first.
    events: Vec<EventSummary>,
    /// Whether there may be older ones: ask with `since`, `subject` or a higher `limit`.
    has_more: bool,
}

impl Output for Events {
    fn text(&self) -> String {
        let more = if self.has_more { "; there are older ones" } else { "" };
        match &self.events[..] {
            [] => format!("no events found{more}"),
            events => format!("{} events, the newest first{more}", events.len()),
        }
    }

    fn shorten(&mut self) -> bool {
        self.has_more = true;
        halve(&mut self.events)
    }
}

/// Which event to show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowEvent {
    /// Message id (svix-id) of the event.
    message_id: String,
    /// Source of the event, if several sources have this message id.
    source: Option<String>,
    /// Show the payload too.
    #[serde(default)]
    payload: bool,
    /// Show the first line of each reply too.
    #[serde(default)]
    replies: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Event {
    #[serde(flatten)]
    details: EventDetails,
    /// What is left out of this answer, and why.
    left_out: Option<&'static str>,
}

impl Output for Event {
    fn text(&self) -> String {
        let event = &self.details.event;
        let mut text = format!("{} of {}", event.event_type, event.received_at);
        for one in &self.details.destinations {
            text += &format!("; {}: {}", one.name, one.outcome);
        }
        if let Some(left_out) = self.left_out {
            text += &format!(". {left_out}");
        }
        text
    }

    fn shorten(&mut self) -> bool {
        if self.details.payload.take().is_some() {
            self.left_out = Some("The payload is left out, since it is too long");
            return true;
        }
        self.left_out = Some("Older attempts are left out, since there are too many");
        let destinations = self.details.destinations.iter_mut().map(|one| &mut one.attempts);
        let deliveries = self.details.deliveries.iter_mut().map(|one| &mut one.attempts);
        // Without stopping at the first that has some.
        destinations.chain(deliveries).fold(false, |is_shorter, attempts| {
            let kept = attempts.len() / 2;
            is_shorter | (attempts.drain(..attempts.len() - kept).count() > 0)
        })
    }
}

#[tool_router(router = event_tools, vis = "pub(super)")]
impl Server {
    #[tool(
        description = "List events of the log, the newest first, with how many of their deliveries are pending, delivered and dead-lettered.",
        annotations(read_only_hint = true, open_world_hint = false),
        output_schema = schema_of::<Events>()
    )]
    async fn list_events(&self, Parameters(asked): Parameters<ListEvents>) -> Answer {
        answer(self.found_events(asked).await)
    }

    #[tool(
        description = "Show one event by its message id: what became of it at each destination, each attempt, and why it failed.",
        annotations(read_only_hint = true, open_world_hint = false),
        output_schema = schema_of::<Event>()
    )]
    async fn show_event(&self, Parameters(asked): Parameters<ShowEvent>) -> Answer {
        answer(self.found_event(asked).await)
    }

    async fn found_events(&self, asked: ListEvents) -> Result<Events, Failure> {
        let limit = asked.limit.count();
        let arguments = list::Arguments {
            types: asked.types,
            subject: asked.subject,
            since: asked.since.map(|since| since.0),
            // One more says whether there are more.
            limit: limit + 1,
        };
        let found = list::found(&arguments, self.remote()?.as_ref(), self.context()).await?;
        let mut events = found.events;
        let has_more = found.left_out || events.len() > limit;
        events.truncate(limit);
        Ok(Events { events, has_more })
    }

    async fn found_event(&self, asked: ShowEvent) -> Result<Event, Failure> {
        let arguments = show::Arguments {
            message_id: asked.message_id,
            source: asked.source,
            payload: asked.payload,
            replies: asked.replies,
        };
        let details = show::found(&arguments, self.remote()?.as_ref(), self.context()).await?;
        let caller = self.caller_for(&details.event.event_type);
        let mut details = show::as_asked(details, &arguments).for_caller(&caller);
        let holds_code = ONE_TIME_CODES.contains(&&*details.event.event_type);
        let left_out = if details.payload.is_none() {
            None
        } else if holds_code {
            details.payload = None;
            Some("The payload is left out, since it has a one-time code")
        } else if self.sees_payloads() {
            None
        } else {
            Some("Personal data is masked; a person can start the server with --payloads")
        };
        Ok(Event { details, left_out })
    }
}
