//! The rows of entities in a mirror, also before their events have arrived.

use axum::extract::State;
use http::Uri;

use super::extract::{Answer, Answered, Api};
use crate::entities::Row;

/// A user's row.
pub(super) async fn get_user(State(api): State<Api>, uri: Uri) -> Answered<Row> {
    api.entities.user(&uri).await.map(Answer::ok)
}

/// An organization's row.
pub(super) async fn get_organization(State(api): State<Api>, uri: Uri) -> Answered<Row> {
    api.entities.organization(&uri).await.map(Answer::ok)
}

/// The row of a user's membership in an organization.
pub(super) async fn get_membership(State(api): State<Api>, uri: Uri) -> Answered<Row> {
    api.entities.membership(&uri).await.map(Answer::ok)
}
