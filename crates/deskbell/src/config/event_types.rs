//! Types of events as a config names them: literally, or as a pattern such as `user.*`.

use clerk_webhooks::catalog;
use deskbell_delivery::ONE_TIME_CODES;

use super::error::{Fault, Step};
use super::nearest;

/// A type that the catalog has, or a pattern.
pub(super) fn check(text: &str, at: Vec<Step>) -> Result<(), Fault> {
    let pattern = text.strip_suffix('*').is_some_and(|prefix| !prefix.contains('*'));
    if pattern || catalog::find(text).is_some() {
        return Ok(());
    }
    let known: Vec<_> = catalog::all().iter().map(|entry| entry.event_type.as_str()).collect();
    let pattern = format!("a type that this version does not know can be written `{text}*`");
    let help = match nearest::one(text, &known) {
        Some(near) => format!("did you mean `{near}`? {pattern}"),
        None => format!("`deskbell types` lists them; {pattern}"),
    };
    Err(Fault::at(at, format!("there is no event type `{text}`")).with_help(help))
}

/// As [`check`], for deliveries. No pattern matches the types that carry one-time codes, and so one
/// that is about nothing else is a mistake.
pub(super) fn check_delivered(text: &str, at: Vec<Step>) -> Result<(), Fault> {
    let Some(prefix) = text.strip_suffix('*').filter(|prefix| !prefix.is_empty()) else {
        return check(text, at);
    };
    let starts = |name: &&str| name.starts_with(prefix);
    let known = catalog::all().iter().map(|entry| entry.event_type.as_str());
    match ONE_TIME_CODES.iter().copied().find(starts) {
        Some(code) if known.filter(starts).all(|name| ONE_TIME_CODES.contains(&name)) => {
            let message = format!("`{text}` does not match `{code}`");
            Err(Fault::at(at, message).with_help(format!(
                "it carries one-time codes and links, and so it must be named: \"{code}\""
            )))
        }
        _ => check(text, at),
    }
}

/// The known types that deliveries with these `events` are about.
pub(super) fn delivered(events: Option<&[String]>) -> Vec<&'static str> {
    let known = catalog::all().iter().map(|entry| entry.event_type.as_str());
    let is_code = |name: &str| ONE_TIME_CODES.contains(&name);
    known
        .filter(|name| match events {
            None => !is_code(name),
            Some(events) => events.iter().any(|wanted| match wanted.strip_suffix('*') {
                Some(prefix) => !is_code(name) && name.starts_with(prefix),
                None => wanted == name,
            }),
        })
        .collect()
}
