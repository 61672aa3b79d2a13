//! What is done with a destination by one button.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{AdminError, Caller, SealedSecret};

use super::endpoint;
use crate::dashboard::Dashboard;
use crate::link;
use crate::notice::Notice;
use crate::pages::search;
use crate::params::Form;
use crate::reply::{Failure, see};

pub(crate) async fn pause(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    dashboard.admin.pause(&caller, &name).await?;
    Ok(changed(&name, Notice::Paused))
}

pub(crate) async fn resume(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    dashboard.admin.resume(&caller, &name).await?;
    Ok(changed(&name, Notice::Resumed))
}

/// The destination's page, which says what was done.
pub(super) fn changed(name: &str, notice: Notice) -> Response {
    see(&notice.at(&link::destination(name), None))
}

pub(crate) async fn send_test(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Form(params): Form,
) -> Result<Response, Failure> {
    send_sample(&dashboard, &caller, &name, params.required("type")?).await
}

/// Sends a sample of this type to this destination alone, and shows the event.
pub(crate) async fn send_sample(
    dashboard: &Dashboard,
    caller: &Caller,
    destination: &str,
    event_type: &str,
) -> Result<Response, Failure> {
    let id = dashboard.admin.send_example(caller, destination, event_type).await?;
    let event = search::event(dashboard, &id).await?;
    let event = event.ok_or_else(|| AdminError::not_found("event", &id))?;
    Ok(see(&Notice::Sent.at(&event, None)))
}

pub(crate) async fn delete(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let found = endpoint::changeable(&dashboard, &name).await?;
    dashboard.admin.delete_endpoint(&caller, &found.source, &name).await?;
    Ok(see(&Notice::Deleted.at(link::DESTINATIONS, None)))
}

pub(crate) async fn replace_headers(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Form(params): Form,
) -> Result<Response, Failure> {
    let found = endpoint::changeable(&dashboard, &name).await?;
    let headers = headers(params.one("headers").unwrap_or_default())?;
    dashboard.admin.set_endpoint_headers(&caller, &found.source, &name, headers).await?;
    Ok(changed(&name, Notice::HeadersReplaced))
}

/// Lines of `name: value`.
fn headers(text: &str) -> Result<BTreeMap<String, SealedSecret>, Failure> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let (name, value) = line.split_once(':').ok_or_else(|| {
                // The line itself may be a secret.
                Failure::BadRequest(format!(
                    "line {} has no colon: expected name: value",
                    index + 1
                ))
            })?;
            Ok((name.trim().to_ascii_lowercase(), SealedSecret(value.trim().to_owned())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines() {
        let read = headers("X-Team: billing\r\n\n authorization : Bearer a:b ").unwrap();
        let read: Vec<_> =
            read.iter().map(|(name, value)| (name.as_str(), value.0.as_str())).collect();
        assert_eq!(read, [("authorization", "Bearer a:b"), ("x-team", "billing")]);
        assert!(headers("x-team: a\nhunter2").is_err());
    }
}
