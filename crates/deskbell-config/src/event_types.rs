//! Types of events, and the patterns that select them.

/// Types whose events carry one-time codes and links. No pattern matches them: they must be named.
pub const ONE_TIME_CODES: &[&str] = &["email.created", "sms.created"];

/// The type of Deskbell's own alerts. No pattern matches it.
pub const NOTICE_TYPE: &str = "deskbell.alert";
/// The source of Deskbell's own alerts.
pub const NOTICE_SOURCE: &str = "deskbell";

/// Whether one of these types or patterns matches this type. No pattern matches [`ONE_TIME_CODES`].
#[must_use]
pub fn takes_type(events: &[String], event_type: &str) -> bool {
    events.iter().any(|event| match event.strip_suffix('*') {
        Some(prefix) => !ONE_TIME_CODES.contains(&event_type) && event_type.starts_with(prefix),
        None => event == event_type,
    })
}
