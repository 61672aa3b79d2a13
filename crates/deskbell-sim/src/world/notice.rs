//! What Clerk sends to people: an email or a text message, with a one-time code that no mirror may hold.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::names;
use super::user::User;
use crate::truth::Row;

/// A message of one time, which never changes.
pub(crate) struct Notice {
    pub(crate) id: String,
    pub(crate) payload: Value,
    pub(crate) row: Row,
}

/// An email to a user.
pub(crate) fn email(user: &User, at_ms: i64, rng: &mut ChaCha8Rng) -> Notice {
    let id = entity_id("ema_", at_ms, rng);
    let code = format!("{:06}", rng.random_range(0..1_000_000));
    let email = user.primary_email();
    let address_id = email.map(|email| email.id.as_str());
    let address = email.map(|email| email.email_address.as_str());
    let payload = json!({
        "body": format!("<html><body><p>{code} is your verification code</p></body></html>"),
        "body_plain": format!("{code} is your verification code"),
        "data": {"app": {"name": "Example"}, "otp_code": code},
        "delivered_by_clerk": true,
        "email_address_id": address_id,
        "from_email_name": "notifications",
        "id": id,
        "object": "email",
        "slug": "verification_code",
        "status": "queued",
        "subject": format!("{code} is your verification code"),
        "to_email_address": address,
        "user_id": user.id,
    });
    let row = Row::from([
        ("id", id.as_str().into()),
        ("slug", "verification_code".into()),
        ("user_id", user.id.as_str().into()),
        ("email_address_id", address_id.into()),
        ("to_email_address", address.into()),
        ("from_email_name", "notifications".into()),
        ("status", "queued".into()),
        ("delivered_by_clerk", true.into()),
    ]);
    Notice { id, payload, row }
}

/// A text message to a user.
pub(crate) fn sms(user: &User, at_ms: i64, rng: &mut ChaCha8Rng) -> Notice {
    let id = entity_id("sms_", at_ms, rng);
    let number = names::phone_number(rng);
    let number_id = entity_id("idn_", at_ms, rng);
    let code = format!("{:06}", rng.random_range(0..1_000_000));
    let payload = json!({
        "data": {"app": {"name": "Example"}, "otp_code": code},
        "delivered_by_clerk": true,
        "from_phone_number": "+15550000000",
        "id": id,
        "message": format!("{code} is your verification code"),
        "object": "sms_message",
        "phone_number_id": number_id,
        "slug": "verification_code",
        "status": "queued",
        "to_phone_number": number,
        "user_id": user.id,
    });
    let row = Row::from([
        ("id", id.as_str().into()),
        ("slug", "verification_code".into()),
        ("user_id", user.id.as_str().into()),
        ("phone_number_id", number_id.into()),
        ("to_phone_number", number.into()),
        ("from_phone_number", "+15550000000".into()),
        ("status", "queued".into()),
        ("delivered_by_clerk", true.into()),
    ]);
    Notice { id, payload, row }
}
