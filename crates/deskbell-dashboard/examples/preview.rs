//! Serves the pages with made-up data, to look at: for an administrator on port 4180, a viewer on
//! 4181, and a fresh install on 4182. An event is added every two seconds.

#![expect(clippy::unwrap_used, reason = "the made-up data is that of the tests")]

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use deskbell_store::{TokenRole, clock};
use fixture::World;
use http::HeaderValue;

/// What the pages are served with.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let world = World::full(clock::now_ms());
    let viewer = fixture::pages(&world, TokenRole::Viewer);
    let fresh = fixture::pages(&World::empty(clock::now_ms()), TokenRole::Admin);
    tokio::select! {
        ended = serve(4180, fixture::pages(&world, TokenRole::Admin)) => ended,
        ended = serve(4181, viewer) => ended,
        ended = serve(4182, fresh) => ended,
        () = grow(&world) => Ok(()),
    }
}

async fn grow(world: &World) {
    let mut every = tokio::time::interval(Duration::from_secs(2));
    loop {
        every.tick().await;
        world.append_another();
    }
}

async fn serve(port: u16, pages: Router) -> std::io::Result<()> {
    let sign_in = deskbell_dashboard::sign_in(deskbell_admin::SignIn::default());
    let sign_in = axum::routing::get(async || axum::response::Html(sign_in));
    let pages = pages.route("/sign-in", sign_in).layer(axum::middleware::from_fn(policy));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, pages).await
}

async fn policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert("content-security-policy", HeaderValue::from_static(POLICY));
    response
}
