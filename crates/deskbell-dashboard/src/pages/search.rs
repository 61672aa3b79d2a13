//! The search field of every page: it takes an id of any kind, or a type.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use clerk_webhooks::catalog;
use deskbell_admin::{AdminError, Caller, EventQuery, EventSummary};

use crate::dashboard::Dashboard;
use crate::filter::PATH;
use crate::link;
use crate::params::Query;
use crate::reply::{Failure, see};

/// A longer text is no id: it is looked for in payloads.
const ID_BYTES_MAX: usize = 300;

pub(crate) async fn go(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Query(params): Query,
) -> Result<Response, Failure> {
    let Some(text) = params.one("q") else {
        return Ok(see(PATH));
    };
    if text.len() <= ID_BYTES_MAX {
        if let Some(event) = event(&dashboard, text).await? {
            return Ok(see(&event));
        }
        if is_subject(&dashboard, text).await? || looks_like_id(text) {
            return Ok(see(&link::subject(text)));
        }
    }
    Ok(see(&search(text, &caller)))
}

/// The address of the event with this message id; of the first where several sources have one.
pub(super) async fn event(dashboard: &Dashboard, id: &str) -> Result<Option<String>, Failure> {
    let query = EventQuery { message_id: Some(id.to_owned()), ..EventQuery::default() };
    let found = first(dashboard, query).await?;
    Ok(found.map(|event| link::event(&event.source, &event.message_id)))
}

async fn is_subject(dashboard: &Dashboard, id: &str) -> Result<bool, Failure> {
    let query = EventQuery { subject: Some(id.to_owned()), ..EventQuery::default() };
    Ok(first(dashboard, query).await?.is_some())
}

async fn first(dashboard: &Dashboard, query: EventQuery) -> Result<Option<EventSummary>, Failure> {
    match dashboard.admin.search(&EventQuery { limit: 1, ..query }).await {
        Ok(page) => Ok(page.events.into_iter().next()),
        Err(AdminError::NotFound(_) | AdminError::Invalid { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a text has the form of Clerk's ids: an entity can have a row, and no event of its own.
fn looks_like_id(text: &str) -> bool {
    let random = |rest: &str| rest.len() >= 20 && rest.chars().all(|c| c.is_ascii_alphanumeric());
    text.split_once('_').is_some_and(|(kind, rest)| kind != "msg" && random(rest))
}

/// A list of events of this type, or that contain this text.
fn search(text: &str, caller: &Caller) -> String {
    let is_type = catalog::find(text).is_some() || text.ends_with(".*");
    let key = match (is_type, caller.sees_payloads()) {
        (true, _) => "type",
        (false, true) => "text",
        (false, false) => "subject",
    };
    link::with_query(PATH, [(key, text)])
}
