//! Pages for tests, one of which is in no table.

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use axum::routing::{get, post};
use deskbell_admin::{Caller, Method, Route, SignIn};
use deskbell_server::Pages;
use deskbell_store::TokenRole;

const ROUTES: &[Route] = &[
    Route::get("/dashboard", TokenRole::Viewer),
    Route::get("/dashboard/events", TokenRole::Viewer),
    Route::get("/dashboard/waits", TokenRole::Viewer),
    Route::post("/dashboard/pause", TokenRole::Admin),
    Route::open(Method::Get, "/dashboard/assets/style.css"),
    Route::open(Method::Get, "/dashboard/assets/waits"),
];

pub(crate) fn pages() -> Pages {
    let page = |axum::Extension(caller): axum::Extension<Caller>| async move {
        format!("a page for {}", caller.name)
    };
    let style = || async {
        let kept = "public, max-age=31536000, immutable";
        Response::builder().header("cache-control", kept).body(Body::from("a{}")).unwrap()
    };
    let router = Router::new()
        .route("/dashboard", get(page))
        .route("/dashboard/events", get(page))
        .route("/dashboard/waits", get(std::future::pending::<String>))
        .route("/dashboard/pause", post(page))
        .route("/dashboard/assets/style.css", get(style))
        .route("/dashboard/assets/waits", get(std::future::pending::<String>))
        .route("/dashboard/unlisted", get(page))
        .route("/unlisted", get(page).post(page))
        .fallback(|| async { "a page that nobody guards" });
    Pages { router, routes: ROUTES, sign_in }
}

fn sign_in(page: SignIn<'_>) -> String {
    let SignIn { code, error, next } = page;
    format!("code={} error={} next={next}", code.unwrap_or("-"), error.unwrap_or("-"))
}
