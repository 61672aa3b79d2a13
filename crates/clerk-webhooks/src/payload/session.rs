//! `Session`, the payload of all `session` events.

use serde_json::{Map, Value};

use crate::payload::fields::{Extra, entity};
use crate::payload::user::User;
use crate::text_enum::text_enum;
use crate::time::UnixMillis;

/// A session: somebody signed in on a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// Such as `sess_29w83sxmDNGwOuEthce5gg56FcC`.
    pub id: String,
    /// Always `session`.
    pub object: Option<String>,
    /// Who is signed in.
    pub user_id: Option<String>,
    /// The browser or device, across its sessions.
    pub client_id: Option<String>,
    /// Who is signed in; in newer payloads.
    pub user: Option<Box<User>>,
    /// Who really acts, where somebody impersonates the user.
    pub actor: Option<Map<String, Value>>,
    /// What became of it.
    pub status: Option<SessionStatus>,
    /// The organization that was last chosen.
    pub last_active_organization_id: Option<String>,
    /// The token that was last handed out.
    pub last_active_token: Option<Map<String, Value>>,
    /// The device and place that it was last used from.
    pub latest_activity: Option<SessionActivity>,
    /// When it was last used.
    pub last_active_at: Option<UnixMillis>,
    /// When it ends at the latest.
    pub expire_at: Option<UnixMillis>,
    /// When it ends for want of use.
    pub abandon_at: Option<UnixMillis>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Session: id {
    object, user_id, client_id, user, actor, status, last_active_organization_id,
    last_active_token, latest_activity, last_active_at, expire_at, abandon_at, created_at,
    updated_at,
});

/// What became of a session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionStatus {
    /// In use.
    Active,
    /// Signed in, with a task still to do, such as choosing an organization.
    Pending,
    /// Signed out.
    Ended,
    /// Over in time.
    Expired,
    /// Signed out, and gone from the device.
    Removed,
    /// Ended by an administrator or by the user from elsewhere.
    Revoked,
    /// Ended for want of use.
    Abandoned,
    /// Another session took its place.
    Replaced,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(SessionStatus { Active = "active", Pending = "pending", Ended = "ended", Expired = "expired", Removed = "removed", Revoked = "revoked", Abandoned = "abandoned", Replaced = "replaced" });

/// The device and place that a session was used from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionActivity {
    /// Such as `sess_activity_29w83sxmDNGwOuEthce5gg56FcC`.
    pub id: Option<String>,
    /// Always `session_activity`.
    pub object: Option<String>,
    /// Such as `Macintosh`.
    pub device_type: Option<String>,
    /// Whether it is a mobile device.
    pub is_mobile: Option<bool>,
    /// Such as `Firefox`.
    pub browser_name: Option<String>,
    /// Such as `128.0`.
    pub browser_version: Option<String>,
    /// The address that it came from.
    pub ip_address: Option<String>,
    /// Where that address is.
    pub city: Option<String>,
    /// Where that address is.
    pub country: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(SessionActivity {
    id,
    object,
    device_type,
    is_mobile,
    browser_name,
    browser_version,
    ip_address,
    city,
    country,
});
