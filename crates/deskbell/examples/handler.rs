//! A function that is called for every new user, durably.
//!
//! `CLERK_WEBHOOK_SIGNING_SECRET=whsec_… cargo run -p deskbell --example handler`, and in another
//! terminal, with the same variable, `deskbell trigger user.created`.

use std::io;
use std::time::Duration;

use clerk_webhooks::payload::User;
use clerk_webhooks::{Event, EventData};
use deskbell::{Deskbell, HandlerContext, HandlerError, install_crypto};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    install_crypto();
    // With the config of `deskbell serve`: `deskbell.toml`, where there is one, and the variables.
    let engine =
        Deskbell::builder().handle("provision", ["user.created"], provision).start().await?;
    println!("listening on http://{}/api/webhooks", engine.address());
    tokio::signal::ctrl_c().await?;
    engine.stop().await?;
    Ok(())
}

/// It is called at least once for each event, so what it does should be the same when done twice:
/// `event.id` and `event.subject` are what they were.
async fn provision(event: Event, cx: HandlerContext) -> Result<(), HandlerError> {
    let EventData::UserCreated(user) = event.data else {
        return Err(HandlerError::reject("this is no new user"));
    };
    if user.primary_email_address().is_none() {
        // Nobody will ever be able to do it: to the dead letters.
        return Err(HandlerError::reject("the user has no email address"));
    }
    println!("attempt {} for {}", cx.attempt, user.id);
    tokio::select! {
        made = make_workspace(&user) => made.map_err(HandlerError::retry),
        // The call is made again when the program runs again.
        () = cx.stopping() => Err(HandlerError::retry("the program stops")),
    }
}

/// What takes its time, and may fail.
async fn make_workspace(user: &User) -> io::Result<()> {
    tokio::time::sleep(Duration::from_millis(100)).await;
    println!("{} has a workspace", user.id);
    Ok(())
}
