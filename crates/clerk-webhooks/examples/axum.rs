//! Clerk's webhooks in axum.
//!
//! `CLERK_WEBHOOK_SIGNING_SECRET=whsec_… cargo run -p clerk-webhooks --example axum --features axum`

use axum::Router;
use axum::routing::post;
use clerk_webhooks::axum::{ClerkEvent, WebhookRejection};
use clerk_webhooks::{EventData, Verifier};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = Verifier::from_env().unwrap_or_else(|why| {
        eprintln!("{why}");
        std::process::exit(1)
    });
    let app = Router::new().route("/api/webhooks", post(webhook)).with_state(verifier);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}/api/webhooks", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// Whatever is returned with 2xx is not sent again, so do what must not be lost before returning.
async fn webhook(event: Result<ClerkEvent, WebhookRejection>) -> Result<(), WebhookRejection> {
    let ClerkEvent(event) = event.inspect_err(|why| eprintln!("turned away: {why}"))?;
    match event.data {
        EventData::UserCreated(user) | EventData::UserUpdated(user) => {
            println!("{}: {:?} {:?}", user.id, user.full_name(), user.primary_email_address());
        }
        EventData::UserDeleted(user) => println!("{} is gone", user.id),
        // New types come without notice: answer them with 2xx too.
        _ => println!("{} about {:?}", event.event_type, event.subject),
    }
    Ok(())
}
