//! Clerk's webhooks in an axum app, with a sign-in guard on everything but the public routes.

use axum::extract::{FromRef, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use clerk_webhooks::Verifier;
use clerk_webhooks::axum::{ClerkEvent, WebhookRejection};
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use webhook_apps::{Access, App, Session, Visit};

/// The state of the router: what the apps share.
#[derive(Clone)]
struct Shared(App);

/// For the extractor `ClerkEvent`.
impl FromRef<Shared> for Verifier {
    fn from_ref(state: &Shared) -> Self {
        state.0.verifier.clone()
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = App::from_env().unwrap_or_else(|why| {
        eprintln!("{why}");
        std::process::exit(1)
    });
    let listener = TcpListener::bind(App::address()).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, router(Shared(app))).await?;
    Ok(())
}

fn router(state: Shared) -> Router {
    Router::new()
        .route("/", get(|| async { "This page is public." }))
        .route("/sign-in", get(|| async { Html("<p>Clerk's sign-in component belongs here.") }))
        .route("/dashboard", get(dashboard))
        .route("/api/webhooks", post(webhook))
        // Around every route, and around the 404 of what is none.
        .layer(middleware::from_fn_with_state(state.clone(), guard))
        .with_state(state)
}

async fn guard(State(Shared(app)): State<Shared>, mut request: Request, next: Next) -> Response {
    match app.access(visit(request.uri().path(), request.headers())) {
        Access::Public => next.run(request).await,
        Access::SignedIn(session) => {
            request.extensions_mut().insert(session);
            next.run(request).await
        }
        Access::SignInFirst(location) => Redirect::to(&location).into_response(),
        Access::Unauthorized => StatusCode::UNAUTHORIZED.into_response(),
    }
}

fn visit<'a>(path: &'a str, headers: &'a HeaderMap) -> Visit<'a> {
    let header = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    Visit {
        path,
        authorization: header(header::AUTHORIZATION),
        cookies: header(header::COOKIE),
        accept: header(header::ACCEPT),
    }
}

/// `Session` is there because the guard has put it there.
async fn dashboard(
    State(Shared(app)): State<Shared>,
    Extension(session): Extension<Session>,
) -> Result<String, StatusCode> {
    let found = spawn_blocking(move || app.users.find(&session.user_id)).await;
    let user = found.map_err(internal)?.map_err(internal)?;
    Ok(match user {
        Some(user) => format!("Hello, {}!", user.name.or(user.email).unwrap_or_default()),
        // The browser is often back from the sign-up before the event is here.
        None => "Your account is being set up.".to_owned(),
    })
}

/// It answers 2xx only when the event is stored. Whatever is answered with 2xx is not sent again.
async fn webhook(
    State(Shared(app)): State<Shared>,
    event: Result<ClerkEvent, WebhookRejection>,
) -> Result<&'static str, Response> {
    let ClerkEvent(event) = event.map_err(|why| {
        eprintln!("rejected: {why}");
        why.into_response()
    })?;
    let applied = spawn_blocking(move || app.users.apply(&event)).await;
    let applied = applied.map_err(|error| internal(error).into_response())?;
    applied.map_err(|error| internal(error).into_response())?;
    Ok("stored")
}

fn internal(error: impl std::fmt::Display) -> StatusCode {
    eprintln!("{error}");
    StatusCode::INTERNAL_SERVER_ERROR
}
