//! Whether everything is well: the overview, the alerts, the config, and who changed what.

use axum::extract::State;
use deskbell_admin::{AlertView, AuditPage, CatalogType, Overview, SettingsView, catalog};

use super::extract::{Answer, Answered, Api, By};
use super::query::{FromQuery, NoParams, Params, Query};
use crate::problem::Problem;

/// Entries of the audit log where nothing else is said, and the most.
const AUDIT_DEFAULT: u32 = 50;
const AUDIT_MAX: u32 = 500;

/// Whether everything is well.
#[utoipa::path(get, path = "/api/v1/overview", tag = "Overview",
    responses((status = 200, description = "How everything is", body = Overview), Problem))]
pub(super) async fn get_overview(
    State(api): State<Api>,
    By(caller): By,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<Overview> {
    Ok(Answer::ok(api.admin.overview().await?.for_caller(&caller)))
}

/// Conditions that were alerted about and have not ended.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "Overview",
    responses((status = 200, description = "The open alerts", body = [AlertView]), Problem))]
pub(super) async fn list_alerts(
    State(api): State<Api>,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<Vec<AlertView>> {
    Ok(Answer::ok(api.admin.open_alerts().await?))
}

/// The effective config, without secrets.
#[utoipa::path(get, path = "/api/v1/settings", tag = "Settings",
    responses((status = 200, description = "The config", body = SettingsView), Problem))]
pub(super) async fn get_settings(
    State(api): State<Api>,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<SettingsView> {
    Ok(Answer::ok(api.admin.settings().await?))
}

/// Which changes to list.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditParams {
    /// Before this entry: the `next` of the page before.
    before: Option<i64>,
    /// At most this many, up to 500. Default: 50.
    limit: Option<u32>,
}

impl FromQuery for AuditParams {
    fn from_query(query: &Query) -> Result<Self, Problem> {
        let limit = Some(query.limit(AUDIT_DEFAULT, AUDIT_MAX)?);
        Ok(Self { before: query.number("before")?, limit })
    }
}

/// Who changed what, the newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "Settings", params(AuditParams),
    responses((status = 200, description = "A page of changes", body = AuditPage), Problem))]
pub(super) async fn list_audit(
    State(api): State<Api>,
    Params(params): Params<AuditParams>,
) -> Answered<AuditPage> {
    let limit = params.limit.unwrap_or(AUDIT_DEFAULT);
    Ok(Answer::ok(api.admin.audit(params.before, limit).await?))
}

/// The types of event that Clerk sends, each with a sample.
#[utoipa::path(get, path = "/api/v1/catalog", tag = "Events",
    responses((status = 200, description = "All types", body = [CatalogType]), Problem))]
pub(super) async fn list_catalog(
    Params(NoParams {}): Params<NoParams>,
) -> Answered<Vec<CatalogType>> {
    Ok(Answer::ok(catalog()))
}
