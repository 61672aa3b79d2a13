//! Messages: the events of a source.

pub(super) mod backwards;
pub(super) mod content;
pub(super) mod create;
pub(super) mod input;
pub(super) mod output;
pub(super) mod precheck;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{Caller, EventQuery, LoggedEvent, Timestamp};

use self::backwards::before_position;
use self::content::{content_of, no_content, with_payloads};
use self::output::MessageOut;
use super::api::Api;
use super::errors::ApiError;
use super::pages::{ListOut, Position, malformed};
use super::query::Query;
use super::replies::ok;

/// Why payloads are not deleted here.
pub(super) const KEPT: &str = "payloads leave the log by `retention` and `erase_on_delete`";

/// List the messages of a source, the newest first.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg", tag = "Message",
    params(
        ("app_id" = String, Path),
        ("limit" = Option<u32>, Query, description = "1 to 250; 50 where nothing is said"),
        ("iterator" = Option<String>, Query),
        ("event_types" = Option<Vec<String>>, Query, description = "Types, or patterns such as `user.*`"),
        ("before" = Option<Timestamp>, Query, description = "Received before this time"),
        ("after" = Option<Timestamp>, Query, description = "Received after this time"),
        ("with_content" = Option<bool>, Query, description = "With payloads: `true` where nothing is said"),
    ),
    responses((status = 200, body = ListOut<MessageOut>)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(app_id): Path<String>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let (limit, position) = (query.limit()?, Position::of(&mut query)?);
    let with_content = query.flag("with_content", true)?;
    let types = query.types()?;
    let (until, after) = (query.time("before")?, query.time("after")?);
    query.refuse(&["channel", "tag"])?;
    query.end()?;
    let mut wanted = EventQuery {
        source: Some(api.source(&app_id)?),
        types,
        since: after.map(|after| Timestamp(after.0.saturating_add(1))),
        until,
        limit,
        ..EventQuery::default()
    };
    let page = match position {
        Some(Position::Before(seq)) => before_position(&api, &wanted, number(&seq)?).await?,
        other => {
            if let Some(Position::After(seq)) = other {
                wanted.before = Some(number(&seq)?);
            }
            after_position(&api, &wanted, with_content).await?
        }
    };
    Ok(ok(&page.map(|event| MessageOut::of_logged(event, &caller, with_content))))
}

/// Get a message.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}", tag = "Message",
    params(
        ("app_id" = String, Path), ("msg_id" = String, Path),
        ("with_content" = Option<bool>, Query, description = "With its payload: `true` where nothing is said"),
    ),
    responses((status = 200, body = MessageOut)),
)]
pub(super) async fn get(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, message_id)): Path<(String, String)>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let with_content = query.flag("with_content", true)?;
    query.end()?;
    let event = api.message(&app_id, &message_id).await?;
    let content = match with_content {
        true => content_of(&api, &caller, &event).await?,
        false => no_content(),
    };
    Ok(ok(&MessageOut::of(event, content)))
}

/// The page of the newest events, or of those older than `wanted.before`.
async fn after_position(
    api: &Api,
    wanted: &EventQuery,
    with_content: bool,
) -> Result<ListOut<LoggedEvent>, ApiError> {
    let page = api.admin().search(wanted).await?;
    let newest = page.events.first().map(|event| event.seq);
    // Where a page is empty, the page before begins where this one does.
    let newest = newest.or(wanted.before.map(|before| before - 1));
    Ok(ListOut {
        iterator: page.next.map(|seq| Position::after(seq.to_string())),
        prev_iterator: newest
            .filter(|_| wanted.before.is_some())
            .map(|seq| Position::before(seq.to_string())),
        done: page.next.is_none(),
        data: with_payloads(api, page.events, with_content).await?,
    })
}

fn number(position: &str) -> Result<i64, ApiError> {
    position.parse().ok().filter(|seq| *seq > 0).ok_or_else(malformed)
}
