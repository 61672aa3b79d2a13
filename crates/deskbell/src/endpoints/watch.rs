//! Notices that something was declared through the admin API, by this process or another one.

use std::time::Duration;

use deskbell_store::StoredEndpoints;
use tokio::time::sleep;

use super::applied::Applied;

/// How often the store is asked.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Waits until there is another revision than the applied one. While the store cannot be read, there is
/// none.
pub(crate) async fn changed(store: &(impl StoredEndpoints + ?Sized), applied: &Applied) {
    loop {
        tokio::select! {
            () = sleep(POLL_INTERVAL) => {}
            () = applied.wanted() => {}
        }
        match store.endpoints_revision().await {
            Ok(found) if found != applied.revision() => return,
            Ok(_) => {}
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "cannot look for changes of endpoints");
            }
        }
    }
}
