//! `GET /metrics`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use deskbell_admin::Route;
use deskbell_store::TokenRole;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

use crate::problem::Problem;

pub(crate) const ROUTES: &[Route] = &[Route::get("/metrics", TokenRole::Viewer)];

/// Renders the metrics in Prometheus' text format.
pub(crate) type Render = Arc<dyn Fn() -> String + Send + Sync>;

pub(crate) fn router(render: Render) -> Router {
    Router::new().route("/metrics", get(get_metrics)).with_state(render)
}

/// The metrics, in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "Overview",
    responses((status = 200, description = "The metrics", content_type = "text/plain", body = String), Problem))]
pub(crate) async fn get_metrics(State(render): State<Render>) -> Response {
    let mut reply = Response::new(render().into());
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, text);
    reply
}
