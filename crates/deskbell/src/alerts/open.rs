//! The open conditions, for whoever asks.

use deskbell_admin::{AlertView, Timestamp};
use deskbell_store::{Leases, StoreError};

use super::condition::AlertTarget;
use super::state::{AlertState, REPORT};

/// Every condition that was alerted about and has not ended, the oldest first.
pub(crate) async fn open_alerts(
    store: &(impl Leases + ?Sized),
) -> Result<Vec<AlertView>, StoreError> {
    let report = store.latest_report(REPORT).await?;
    let state = report.and_then(|report| serde_json::from_str::<AlertState>(&report.body).ok());
    let Some(state) = state else { return Ok(Vec::new()) };
    let view = |(kind, target, since_ms): (super::condition::ConditionKind, &AlertTarget, i64)| {
        let (about, cause) = match target {
            AlertTarget::Destination(name) => (name, None),
            AlertTarget::Source { name, cause } => (name, cause.as_ref()),
        };
        let message = match cause {
            Some(cause) => format!("{} ({cause})", kind.meaning()),
            None => kind.meaning().to_owned(),
        };
        let (kind, since) = (kind.as_str().to_owned(), Timestamp(since_ms));
        AlertView { kind, about: about.clone(), since, message }
    };
    let mut alerts: Vec<AlertView> = state.open().map(view).collect();
    alerts.sort_by_key(|alert| alert.since);
    Ok(alerts)
}
