//! Events that no mirrored table comes of: sessions, an email with a one-time code, a type that nobody knows yet.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::user::User;

const DAY_MS: i64 = 86_400_000;

/// An event's type and its data, about a user.
pub(crate) fn about(user: &User, at_ms: i64, rng: &mut ChaCha8Rng) -> (&'static str, Value) {
    match rng.random_range(0..10) {
        0..=4 => ("session.created", session("active", user, at_ms, rng)),
        5 | 6 => ("session.ended", session("ended", user, at_ms, rng)),
        7 => ("session.removed", session("removed", user, at_ms, rng)),
        8 => ("email.created", verification_email(user, at_ms, rng)),
        _ => ("emailDelivery.bounced", bounce(user, at_ms, rng)),
    }
}

fn session(status: &str, user: &User, at_ms: i64, rng: &mut ChaCha8Rng) -> Value {
    json!({
        "abandon_at": at_ms + 30 * DAY_MS,
        "actor": null,
        "client_id": entity_id("client_", at_ms, rng),
        "created_at": at_ms,
        "expire_at": at_ms + 7 * DAY_MS,
        "id": entity_id("sess_", at_ms, rng),
        "last_active_at": at_ms,
        "object": "session",
        "status": status,
        "updated_at": at_ms,
        "user": null,
        "user_id": user.id,
    })
}

fn verification_email(user: &User, at_ms: i64, rng: &mut ChaCha8Rng) -> Value {
    let code = format!("{:06}", rng.random_range(0..1_000_000));
    let email = user.primary_email();
    json!({
        "body": format!("<html><body><p>{code} is your verification code</p></body></html>"),
        "body_plain": format!("{code} is your verification code"),
        "data": {"app": {"name": "Example"}, "otp_code": code},
        "delivered_by_clerk": true,
        "email_address_id": email.map(|email| &email.id),
        "from_email_name": "notifications",
        "id": entity_id("ema_", at_ms, rng),
        "object": "email",
        "slug": "verification_code",
        "status": "queued",
        "subject": format!("{code} is your verification code"),
        "to_email_address": email.map(|email| &email.email_address),
        "user_id": user.id,
    })
}

/// A type that Clerk has only announced: no catalog has it, and it must be stored all the same.
pub(crate) fn bounce(user: &User, at_ms: i64, rng: &mut ChaCha8Rng) -> Value {
    json!({
        "id": entity_id("edl_", at_ms, rng),
        "object": "email_delivery",
        "reason": "mailbox full",
        "updated_at": at_ms,
        "user_id": user.id,
    })
}
