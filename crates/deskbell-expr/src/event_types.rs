//! Types of events as a config names them: literally, or as a pattern such as `user.*`.

use std::collections::BTreeSet;

use clerk_webhooks::catalog;
use deskbell_config::{Fault, NOTICE_SOURCE, NOTICE_TYPE, ONE_TIME_CODES, Step, takes_type};

/// A family or an action this many letters from a known one, or fewer, is taken for a misspelt one.
const LETTERS_MAX: usize = 2;
/// The same of a short name: in few letters, two others make another word.
const LETTERS_MAX_SHORT: usize = 1;
/// A name of this many letters or fewer is short.
const SHORT_NAME_MAX: usize = 4;

/// Refuses what is most likely a misspelt type or pattern. One that matches no type that is known is
/// a warning otherwise: Clerk adds types.
///
/// # Errors
/// The fault, with the nearest type or pattern that is known.
pub fn check(text: &str, at: Vec<Step>, warnings: &mut Vec<Fault>) -> Result<(), Fault> {
    let prefix = text.strip_suffix('*');
    if prefix.unwrap_or(text).contains('*') {
        return Err(Fault::at(at, format!("`{text}` is no pattern of event types"))
            .with_help("`*` stands once, at the end: \"user.*\""));
    }
    if matches_any(text) {
        return Ok(());
    }
    let message = format!("there is no event type `{text}`");
    match known_as(text) {
        Some(near) => Err(Fault::at(at, message).with_help(format!("did you mean `{near}`?"))),
        None if prefix.unwrap_or(text).trim().is_empty() => {
            Err(Fault::at(at, message)
                .with_help("`deskbell types` lists them; \"*\" is all of them"))
        }
        None => {
            let message = format!("no event type that this version knows matches `{text}`");
            warnings.push(Fault::at(at, message).with_help("`deskbell types` lists them"));
            Ok(())
        }
    }
}

/// What a type or pattern that matches nothing known is most likely a misspelling of.
#[must_use]
pub fn misspelt(text: &str) -> Option<String> {
    if matches_any(text) { None } else { alert_as(text).or_else(|| known_as(text)) }
}

/// The type of alerts, for what is most likely meant to be it.
fn alert_as(text: &str) -> Option<String> {
    let is_meant = text != NOTICE_TYPE && text.split(['.', '*']).next() == Some(NOTICE_SOURCE);
    is_meant.then(|| NOTICE_TYPE.to_owned())
}

/// As [`check`], for deliveries. No pattern matches the types that carry one-time codes, and so one
/// that is about nothing else is a mistake.
///
/// # Errors
/// As [`check`].
pub fn check_delivered(text: &str, at: Vec<Step>, warnings: &mut Vec<Fault>) -> Result<(), Fault> {
    if text == NOTICE_TYPE {
        return Ok(());
    }
    if let Some(alert) = alert_as(text) {
        return Err(Fault::at(at, format!("there is no event type `{text}`"))
            .with_help(format!("alerts are named by their one type: \"{alert}\"")));
    }
    let Some(prefix) = text.strip_suffix('*').filter(|prefix| !prefix.is_empty()) else {
        return check(text, at, warnings);
    };
    let starts = |name: &&str| name.starts_with(prefix);
    match ONE_TIME_CODES.iter().copied().find(starts) {
        Some(code) if types().filter(starts).all(|name| ONE_TIME_CODES.contains(&name)) => {
            let message = format!("`{text}` does not match `{code}`");
            Err(Fault::at(at, message).with_help(format!(
                "it carries one-time codes and links, and so it must be named: \"{code}\""
            )))
        }
        _ => check(text, at, warnings),
    }
}

/// The known types that these `events` take.
#[must_use]
pub fn delivered(events: Option<&[String]>) -> Vec<&'static str> {
    let is_code = |name: &str| ONE_TIME_CODES.contains(&name);
    let takes = |name: &&str| match events {
        None => !is_code(name),
        Some(events) => takes_type(events, name),
    };
    types().filter(takes).collect()
}

/// As [`delivered`], where that is all that they take: none where one of them may take others too.
#[must_use]
pub fn known_only(events: Option<&[String]>) -> Vec<&'static str> {
    match events {
        Some(events) if !events.iter().all(|event| matches_any(event) || event == NOTICE_TYPE) => {
            Vec::new()
        }
        _ => delivered(events),
    }
}

fn types() -> impl Iterator<Item = &'static str> {
    catalog::all().iter().map(|entry| entry.event_type.as_str())
}

fn matches_any(text: &str) -> bool {
    match text.strip_suffix('*') {
        Some(prefix) => types().any(|name| name.starts_with(prefix)),
        None => types().any(|name| name == text),
    }
}

/// The type or pattern that this one is a misspelling of: a few letters from it, or its plural. What is
/// before the dot and what is behind it are compared apart, for `saml.created` is not `sms.created`.
fn known_as(text: &str) -> Option<String> {
    let families: BTreeSet<_> = types().filter_map(|name| Some(name.split_once('.')?.0)).collect();
    let patterns = families.iter().map(|family| format!("{family}.*"));
    let known: Vec<_> = types().map(str::to_owned).chain(patterns).collect();
    let singular = singular_of(text, &families);
    let written = [Some(text), text.strip_suffix('*'), singular.as_deref()];
    written.into_iter().flatten().find_map(|written| {
        let distances = known.iter().filter_map(|known| Some((distance(written, known)?, known)));
        distances.min().map(|(_, nearest)| nearest.clone())
    })
}

/// The letters that a type or pattern is from a known one; `None` where that is too many. A family alone
/// stands for all of its types.
fn distance(written: &str, known: &str) -> Option<usize> {
    let (family, action) = written.split_once('.').unwrap_or((written, "*"));
    let (known_family, known_action) = known.split_once('.')?;
    let letters = letters_apart(family, known_family)? + letters_apart(action, known_action)?;
    (letters <= LETTERS_MAX).then_some(letters)
}

fn letters_apart(written: &str, known: &str) -> Option<usize> {
    if known == "*" {
        return matches!(written, "*" | "").then_some(0);
    }
    let letters = strsim::osa_distance(written, known);
    let is_short = known.len() <= SHORT_NAME_MAX;
    (letters <= if is_short { LETTERS_MAX_SHORT } else { LETTERS_MAX }).then_some(letters)
}

/// The text with the plural of an entity at its beginning made one: `waitlistEntries.*`.
fn singular_of(text: &str, families: &BTreeSet<&str>) -> Option<String> {
    families.iter().find_map(|family| {
        let plural = match family.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{family}s"),
        };
        let rest = text.strip_prefix(&plural)?;
        Some(if rest.is_empty() { format!("{family}.*") } else { format!("{family}{rest}") })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_types_are_refused_and_new_ones_are_not() {
        for (text, near) in [
            ("users.*", "user.*"),
            ("users", "user.*"),
            ("user", "user.*"),
            ("users.created", "user.created"),
            ("user.create", "user.created"),
            ("user.craeted*", "user.created"),
            ("usr.created", "user.created"),
            ("usr.*", "user.*"),
            ("sns.created", "sms.created"),
            ("emails.create", "email.created"),
            ("organizations.*", "organization.*"),
            ("organisation.*", "organization.*"),
            ("organization_membership.created", "organizationMembership.created"),
            ("organizationMemberships.*", "organizationMembership.*"),
            ("waitlistEntries.*", "waitlistEntry.*"),
            ("waitlistEntries.created", "waitlistEntry.created"),
        ] {
            let mut warnings = Vec::new();
            let fault = check(text, Vec::new(), &mut warnings).expect_err(text);
            assert_eq!(fault.help.unwrap(), format!("did you mean `{near}`?"), "{text}");
            assert!(warnings.is_empty(), "{text}");
        }
        for text in ["", " ", "user.*.x", "*.created"] {
            assert!(check(text, Vec::new(), &mut Vec::new()).is_err(), "{text}");
        }
        for text in [
            "machine.created",
            "machine.*",
            "user.locked",
            "mach*",
            "saml.created",
            "saml.*",
            "saml",
            "mfa.created",
            "rules.created",
            "sso.*",
        ] {
            let mut warnings = Vec::new();
            assert!(check(text, Vec::new(), &mut warnings).is_ok(), "{text}");
            assert_eq!(warnings.len(), 1, "{text}");
        }
        for text in ["*", "user.*", "org*", "user.created"] {
            let mut warnings = Vec::new();
            assert!(check(text, Vec::new(), &mut warnings).is_ok(), "{text}");
            assert!(warnings.is_empty(), "{text}");
        }
    }

    #[test]
    fn alerts_have_one_name_and_no_pattern() {
        let delivered = |text| check_delivered(text, Vec::new(), &mut Vec::new());
        assert!(delivered(NOTICE_TYPE).is_ok());
        for text in ["deskbell.*", "deskbell.alerts", "deskbell", "deskbell*"] {
            let help = delivered(text).expect_err(text).help.unwrap();
            assert!(help.contains("\"deskbell.alert\""), "{text}: {help}");
            assert_eq!(misspelt(text).as_deref(), Some(NOTICE_TYPE), "{text}");
        }
        assert_eq!(misspelt(NOTICE_TYPE), None);
    }

    #[test]
    fn types_that_others_may_join_are_not_all() {
        let known = |events: &[&str]| {
            let events: Vec<_> = events.iter().map(|&event| event.to_owned()).collect();
            known_only(Some(&events)).len()
        };
        assert_eq!(known(&["user.*"]), 3);
        assert_eq!(known(&["user.*", "machine.created"]), 0);
        assert_eq!(known(&["user.*", NOTICE_TYPE]), 3);
        assert!(known_only(None).len() > 40);
    }
}
