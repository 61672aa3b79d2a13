//! Members that an entity's root has beside those of `data`.

use clerk_webhooks::payload::{Identifier, PrimaryId, primary};
use serde_json::Value as Json;

mod flat;

/// What a computed member comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Computed<'d> {
    /// This value in `data`.
    Found(&'d Json),
    /// Nothing, since `data` has nothing to compute it from.
    Missing,
    /// The user's [`full_name`].
    FullName,
}

/// A user's primary identifiers, each with the list that has it, the member of `data` that names the
/// primary element, and the member of that element.
const PRIMARY: &[(&str, [&str; 3])] = &[
    ("primary_email_address", EMAIL_ADDRESS),
    // The shorter name that people write first.
    ("primary_email", EMAIL_ADDRESS),
    ("primary_phone_number", ["phone_numbers", "primary_phone_number_id", "phone_number"]),
    ("primary_web3_wallet", ["web3_wallets", "primary_web3_wallet_id", "web3_wallet"]),
];
const EMAIL_ADDRESS: [&str; 3] = ["email_addresses", "primary_email_address_id", "email_address"];
const FULL_NAME: &str = "full_name";

/// A computed member of an entity; `None` where the entity has none of this name.
pub(crate) fn member<'d>(entity: &str, name: &str, data: &'d Json) -> Option<Computed<'d>> {
    let found = match entity {
        "user" if name == FULL_NAME => return Some(Computed::FullName),
        "user" => {
            let (_, [list, id, wanted]) = PRIMARY.iter().find(|(primary, _)| *primary == name)?;
            primary_of(data, list, id).and_then(|element| element.get(wanted))
        }
        _ => {
            let (_, pointers) = flat::members(entity).find(|(flat, _)| *flat == name)?;
            find(data, pointers)
        }
    };
    Some(found.filter(|value| !value.is_null()).map_or(Computed::Missing, Computed::Found))
}

/// Whether a user's member is looked for in a list.
pub(crate) fn is_searched(name: &str) -> bool {
    name.starts_with("primary_")
}

/// The elements of the longest list that is gone through for one of a user's members.
pub(crate) fn elements_searched(data: &Json) -> u64 {
    let lists = PRIMARY.iter().filter_map(|(_, [list, ..])| data.get(*list)?.as_array());
    lists.map(Vec::len).max().and_then(|length| u64::try_from(length).ok()).unwrap_or_default()
}

/// `data` with all computed members of the entity, null where they come to nothing.
pub(crate) fn merged(entity: &str, data: &Json) -> Json {
    let mut merged = data.clone();
    if let Json::Object(members) = &mut merged {
        for name in names(entity) {
            let value = match member(entity, name, data) {
                Some(Computed::Found(value)) => value.clone(),
                Some(Computed::FullName) => full_name(data),
                Some(Computed::Missing) | None => Json::Null,
            };
            members.insert(name.to_owned(), value);
        }
    }
    merged
}

fn names(entity: &str) -> Vec<&'static str> {
    match entity {
        "user" => PRIMARY.iter().map(|(name, _)| *name).chain([FULL_NAME]).collect(),
        _ => flat::members(entity).map(|(name, _)| *name).collect(),
    }
}

/// A user's first and last name, with a space between; null where there is neither.
pub(crate) fn full_name(data: &Json) -> Json {
    let part = |name: &str| data.get(name).and_then(Json::as_str).map_or("", str::trim);
    let name = format!("{} {}", part("first_name"), part("last_name"));
    match name.trim() {
        "" => Json::Null,
        name => Json::from(name),
    }
}

fn primary_of<'d>(data: &'d Json, list: &str, id: &str) -> Option<&'d Json> {
    let id = match data.get(id).map(Json::as_str) {
        None => PrimaryId::Absent,
        Some(None) => PrimaryId::Null,
        Some(Some(id)) => PrimaryId::Id(id.into()),
    };
    primary(&id, data.get(list)?.as_array()?, |element| identifier(element))
}

fn identifier(element: &Json) -> Identifier<'_> {
    let verified = |verification: &Json| verification["status"] == "verified";
    Identifier {
        id: element.get("id").and_then(Json::as_str).map(Into::into),
        verified: element.get("verification").map(verified),
    }
}

/// The first of these members that has a text, a number or a truth; Clerk writes "" for none.
fn find<'d>(data: &'d Json, pointers: &[&str]) -> Option<&'d Json> {
    let mut values = pointers.iter().filter_map(|pointer| data.pointer(pointer));
    values.find(|value| match value {
        Json::String(text) => !text.is_empty(),
        Json::Null | Json::Array(_) | Json::Object(_) => false,
        Json::Bool(_) | Json::Number(_) => true,
    })
}
