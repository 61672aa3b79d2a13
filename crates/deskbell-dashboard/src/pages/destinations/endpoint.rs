//! The endpoint that a destination of type `http` is, and the source whose events it takes.

use deskbell_admin::{AdminError, Endpoint};

use crate::dashboard::Dashboard;
use crate::reply::Failure;

pub(super) struct Found {
    pub(super) source: String,
    pub(super) endpoint: Endpoint,
}

/// `None` for a destination that is no endpoint.
pub(super) async fn find(dashboard: &Dashboard, name: &str) -> Result<Option<Found>, Failure> {
    for source in dashboard.admin.sources() {
        match dashboard.admin.endpoint(&source, name).await {
            // Where the text is another endpoint's `uid`, it is not this destination.
            Ok(endpoint) if endpoint.id == name => return Ok(Some(Found { source, endpoint })),
            Ok(_) | Err(AdminError::NotFound(_) | AdminError::Invalid { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

pub(super) async fn required(dashboard: &Dashboard, name: &str) -> Result<Found, Failure> {
    let found = find(dashboard, name).await?;
    Ok(found.ok_or_else(|| AdminError::not_found("HTTP destination", name))?)
}
