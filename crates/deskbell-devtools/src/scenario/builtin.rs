//! The scenarios that Deskbell comes with, each a file as others may write it.

use super::step::Scenario;

/// A scenario that Deskbell comes with.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    pub name: &'static str,
    text: &'static str,
}

/// All of them, in the order in which they are listed.
pub const BUILTIN: [BuiltIn; 5] = [
    BuiltIn { name: "sign-up", text: include_str!("sign-up.toml") },
    BuiltIn { name: "organization", text: include_str!("organization.toml") },
    BuiltIn { name: "membership", text: include_str!("membership.toml") },
    BuiltIn { name: "subscription", text: include_str!("subscription.toml") },
    BuiltIn { name: "delete-user", text: include_str!("delete-user.toml") },
];

/// The scenario of this name.
#[must_use]
pub fn builtin(name: &str) -> Option<Scenario> {
    let known = BUILTIN.iter().find(|known| known.name == name)?;
    // A test reads all of them.
    Scenario::parse(known.name, known.text).ok()
}
