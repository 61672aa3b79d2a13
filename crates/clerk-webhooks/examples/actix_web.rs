//! Clerk's webhooks in actix-web.
//!
//! `CLERK_WEBHOOK_SIGNING_SECRET=whsec_… cargo run -p clerk-webhooks --example actix_web --features actix-web`

use actix_web::{App, HttpResponse, HttpServer, web};
use clerk_webhooks::actix::{ClerkEvent, WebhookRejection};
use clerk_webhooks::{EventData, Verifier};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let verifier = Verifier::from_env().unwrap_or_else(|why| {
        eprintln!("{why}");
        std::process::exit(1)
    });
    let server = HttpServer::new(move || {
        App::new().app_data(verifier.clone()).route("/api/webhooks", web::post().to(webhook))
    });
    println!("listening on http://127.0.0.1:3000/api/webhooks");
    server.bind("127.0.0.1:3000")?.run().await?;
    Ok(())
}

/// Whatever is returned with 2xx is not sent again, so do what must not be lost before returning.
async fn webhook(
    event: Result<ClerkEvent, WebhookRejection>,
) -> Result<HttpResponse, WebhookRejection> {
    let ClerkEvent(event) = event.inspect_err(|why| eprintln!("turned away: {why}"))?;
    match event.data {
        EventData::UserCreated(user) | EventData::UserUpdated(user) => {
            println!("{}: {:?} {:?}", user.id, user.full_name(), user.primary_email_address());
        }
        EventData::UserDeleted(user) => println!("{} is gone", user.id),
        // New types come without notice: answer them with 2xx too.
        _ => println!("{} about {:?}", event.event_type, event.subject),
    }
    Ok(HttpResponse::Ok().finish())
}
