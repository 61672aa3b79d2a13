//! A page after sign-up, with axum: the user is found before Clerk's webhook has arrived.
//!
//! `CLERK_WEBHOOK_SIGNING_SECRET=whsec_… cargo run -p deskbell --example sign_up`, and in another
//! terminal `curl http://127.0.0.1:4000/welcome/user_29w83sxmDNGwOuEthce5gg56FcC`. The answer comes
//! when the event arrives: `deskbell trigger user.created`, with the same variable. With
//! `CLERK_SECRET_KEY` Clerk is asked at once.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use deskbell::{Deskbell, Mirrored, install_crypto};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    install_crypto();
    let engine = Deskbell::builder().start().await?;
    println!("listening on http://{}/api/webhooks", engine.address());
    let pages = Router::new().route("/welcome/{id}", get(welcome)).with_state(engine.mirrored());
    let listener = TcpListener::bind("127.0.0.1:4000").await?;
    tokio::select! {
        served = axum::serve(listener, pages) => served?,
        pressed = tokio::signal::ctrl_c() => pressed?,
    }
    engine.stop().await?;
    Ok(())
}

/// In an application, the id is that of the session.
async fn welcome(
    State(mirrored): State<Mirrored>,
    Path(id): Path<String>,
) -> Result<String, (StatusCode, &'static str)> {
    match mirrored.user(&id).await {
        Ok(Some(user)) => Ok(format!("Welcome, {}\n", user["primary_email_address"])),
        Ok(None) => Err((StatusCode::NOT_FOUND, "there is no such user\n")),
        Err(error) => {
            println!("cannot find {id}: {error}");
            Err((StatusCode::SERVICE_UNAVAILABLE, "try again\n"))
        }
    }
}
