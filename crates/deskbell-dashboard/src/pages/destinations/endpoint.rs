//! The endpoint that a destination of type `http` is, and the source whose events it takes.

use deskbell_admin::{AdminError, Endpoint};

use crate::dashboard::Dashboard;
use crate::reply::Failure;

pub(super) struct Found {
    pub(super) source: String,
    pub(super) endpoint: Endpoint,
}

impl Found {
    /// Whether it was made through these pages or the API, and can be changed there.
    pub(super) fn is_ours(&self) -> bool {
        !self.endpoint.read_only
    }
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

/// The endpoint that is to be changed, or whose secret is to be shown.
pub(super) async fn changeable(dashboard: &Dashboard, name: &str) -> Result<Found, Failure> {
    let found = find(dashboard, name).await?;
    let found = found.ok_or_else(|| AdminError::not_found("HTTP destination", name))?;
    if !found.is_ours() {
        let message = format!("`{name}` is declared in the config file; change it there");
        return Err(AdminError::ReadOnly(message).into());
    }
    Ok(found)
}
