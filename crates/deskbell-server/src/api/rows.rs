//! The rows of entities in a mirror, also before their events have arrived.

use axum::extract::State;
use http::Uri;

use super::extract::{Answer, Answered, Api};
use crate::entities::Row;
use crate::problem::Problem;

/// A user's row.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "Rows",
    params(("id" = String, Path, description = "The user's id"),
        ("wait" = Option<String>, Query, description = "How long its event is waited for, such as `6s`"),
        ("destination" = Option<String>, Query, description = "The mirror. Default: the first one")),
    responses((status = 200, description = "The row", body = Object), Problem))]
pub(super) async fn get_user(State(api): State<Api>, uri: Uri) -> Answered<Row> {
    api.entities.user(&uri).await.map(Answer::ok)
}

/// An organization's row.
#[utoipa::path(get, path = "/api/v1/organizations/{id}", tag = "Rows",
    params(("id" = String, Path, description = "The organization's id"),
        ("wait" = Option<String>, Query, description = "How long its event is waited for, such as `6s`"),
        ("destination" = Option<String>, Query, description = "The mirror. Default: the first one")),
    responses((status = 200, description = "The row", body = Object), Problem))]
pub(super) async fn get_organization(State(api): State<Api>, uri: Uri) -> Answered<Row> {
    api.entities.organization(&uri).await.map(Answer::ok)
}

/// The row of a user's membership in an organization.
#[utoipa::path(get, path = "/api/v1/organization_memberships", tag = "Rows",
    params(("user_id" = String, Query), ("organization_id" = String, Query),
        ("wait" = Option<String>, Query, description = "How long its event is waited for, such as `6s`"),
        ("destination" = Option<String>, Query, description = "The mirror. Default: the first one")),
    responses((status = 200, description = "The row", body = Object), Problem))]
pub(super) async fn get_membership(State(api): State<Api>, uri: Uri) -> Answered<Row> {
    api.entities.membership(&uri).await.map(Answer::ok)
}
