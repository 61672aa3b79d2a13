//! What an application does with events: match on the payload, and let pass what it does not know.
//!
//! `cargo run -p clerk-webhooks --features catalog --example match_event [FILE]`
//!
//! FILE is the body of a delivery; without one, the catalog's samples are read. In a server the event comes
//! out of verification: `verifier.verify(&headers, &body, now)?.event()?`.

use std::error::Error;
use std::process::ExitCode;

use clerk_webhooks::payload::Payer;
use clerk_webhooks::{Envelope, Event, EventData, catalog};

fn main() -> ExitCode {
    let result = match std::env::args_os().nth(1) {
        Some(file) => std::fs::read(file).map_err(Into::into).and_then(|body| print(&body)),
        None => catalog::all().iter().try_for_each(|entry| print(entry.sample.as_bytes())),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn print(body: &[u8]) -> Result<(), Box<dyn Error>> {
    let envelope = Envelope::parse(body)?;
    let event = Event::from_envelope("msg_example", 0, &envelope);
    println!("{} {:32} {}", event.occurred_at, event.event_type.as_str(), describe(&event));
    Ok(())
}

fn describe(event: &Event) -> String {
    match &event.data {
        EventData::UserCreated(user) | EventData::UserUpdated(user) => {
            // Names and addresses may all be missing: only the id is sure to be there.
            let name = user.full_name().unwrap_or_else(|| user.id.clone());
            format!("keep {name} <{}>", user.primary_email_address().unwrap_or("no address"))
        }
        EventData::UserDeleted(user) => format!("forget {}", user.id),
        EventData::OrganizationMembershipCreated(membership)
        | EventData::OrganizationMembershipUpdated(membership) => {
            let role = membership.role.as_deref().unwrap_or("no role");
            match (membership.user_id(), membership.organization_id()) {
                (Some(user), Some(organization)) => format!("{user} is {role} of {organization}"),
                _ => format!("a membership of nobody: {}", membership.id),
            }
        }
        EventData::OrganizationMembershipDeleted(membership) => {
            format!("{} left", membership.user_id().unwrap_or("somebody"))
        }
        EventData::SubscriptionItemFreeTrialEnding(item) => {
            let payer = item.payer.as_ref().and_then(Payer::name);
            let end = item.period_end.map(|end| end.to_string());
            format!(
                "tell {} that the trial ends {}",
                payer.unwrap_or_else(|| "the payer".to_owned()),
                end.unwrap_or_else(|| "soon".to_owned())
            )
        }
        EventData::EmailCreated(email) if email.delivered_by_clerk == Some(false) => {
            // `subject` and `body` hold a code: hand them to the mailer, never to a log.
            format!("send {:?} to {:?}", email.subject, email.to_email_address)
        }
        EventData::Other { reason } => format!("let pass: {reason}"),
        _ => "nothing to do".to_owned(),
    }
}
