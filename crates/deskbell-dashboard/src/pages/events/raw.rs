//! An event's payload as text: as it was received, and as a command.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use deskbell_admin::{AdminError, Caller, EventDetails};
use http::HeaderValue;
use http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};

use crate::curl;
use crate::dashboard::Dashboard;
use crate::reply::Failure;

/// Where a command posts to, for whoever pastes it to fill in: Deskbell would refuse a request without a
/// signature.
const RECEIVER_URL: &str = "http://YOUR-RECEIVER";

pub(crate) async fn payload(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path((source, id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let details = dashboard.admin.event(Some(&source), &id).await?.for_caller(&caller);
    Ok(text(bytes(&details)?))
}

pub(crate) async fn as_curl(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Path((source, id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let details = dashboard.admin.event(Some(&source), &id).await?.for_caller(&caller);
    let payload = bytes(&details)?;
    let payload = String::from_utf8_lossy(&payload);
    let command = curl::command(RECEIVER_URL, &details.event.message_id, &payload);
    Ok(text(command.into_bytes()))
}

fn bytes(details: &EventDetails) -> Result<Vec<u8>, Failure> {
    let bytes = details.payload.as_ref().and_then(|payload| payload.bytes.as_ref());
    let missing = || AdminError::not_found("payload of", &details.event.message_id);
    Ok(bytes.ok_or_else(missing)?.to_vec())
}

/// A browser never takes it for a page, whatever it holds.
fn text(bytes: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, bytes).into_response()
}
