//! `Email` and `Sms`: messages that bear one-time codes and magic links.

use serde_json::{Map, Value};

use crate::payload::fields::{Extra, entity};
use crate::payload::sensitive::Sensitive;
use crate::time::UnixMillis;

/// An email that Clerk sends, or with `delivered_by_clerk: false` leaves to you.
///
/// Subject, bodies and `data` hold codes and links that sign somebody in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Email {
    /// Such as `ema_29w83sxmDNGwOuEthce5gg56FcC`.
    pub id: String,
    /// Always `email`.
    pub object: Option<String>,
    /// The template, such as `verification_code` or `magic_link_sign_in`.
    pub slug: Option<String>,
    /// The sender's part before the `@`.
    pub from_email_name: Option<String>,
    /// The part before the `@` for answers.
    pub reply_to_email_name: Option<String>,
    /// Who gets it.
    pub to_email_address: Option<String>,
    /// The id of that address.
    pub email_address_id: Option<String>,
    /// Whose address it is, where that is known.
    pub user_id: Option<String>,
    /// The subject line.
    pub subject: Option<Sensitive<String>>,
    /// The text as HTML.
    pub body: Option<Sensitive<String>>,
    /// The text.
    pub body_plain: Option<Sensitive<String>>,
    /// Such as `queued`.
    pub status: Option<String>,
    /// Why it is not sent, where its address is one that nothing is sent to.
    pub suppression_reason: Option<String>,
    /// What the template was filled with.
    pub data: Option<Sensitive<Map<String, Value>>>,
    /// Whether Clerk sends it; if not, it is yours to send.
    pub delivered_by_clerk: Option<bool>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Email: id {
    object, slug, from_email_name, reply_to_email_name, to_email_address, email_address_id,
    user_id, subject, body, body_plain, status, suppression_reason, data, delivered_by_clerk, created_at, updated_at,
});

/// A text message that Clerk sends, or with `delivered_by_clerk: false` leaves to you.
///
/// `message` and `data` hold a code that signs somebody in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sms {
    /// Such as `sms_29w83sxmDNGwOuEthce5gg56FcC`.
    pub id: String,
    /// Always `sms_message`.
    pub object: Option<String>,
    /// The template, such as `verification_code`.
    pub slug: Option<String>,
    /// The sender's number.
    pub from_phone_number: Option<String>,
    /// Who gets it.
    pub to_phone_number: Option<String>,
    /// The id of that number.
    pub phone_number_id: Option<String>,
    /// Whose number it is, where that is known.
    pub user_id: Option<String>,
    /// The text.
    pub message: Option<Sensitive<String>>,
    /// Such as `queued`.
    pub status: Option<String>,
    /// What the template was filled with.
    pub data: Option<Sensitive<Map<String, Value>>>,
    /// Whether Clerk sends it; if not, it is yours to send.
    pub delivered_by_clerk: Option<bool>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Sms: id {
    object, slug, from_phone_number, to_phone_number, phone_number_id, user_id, message, status,
    data, delivered_by_clerk, created_at = "created_at" | "created_at_ms", updated_at,
});
