//! Members that an entity's root has beside those of `data`.

use clerk_webhooks::payload::{Identifier, PrimaryId, primary};
use serde_json::{Map, Value as Json};

mod flat;

/// The computed members of an entity; null where there is nothing to compute from.
pub(crate) fn members(entity: &str, data: &Json) -> Map<String, Json> {
    let mut members = if entity == "user" { user(data) } else { Map::new() };
    members.extend(
        flat::names(entity).iter().map(|(name, places)| ((*name).to_owned(), find(data, places))),
    );
    members
}

fn user(data: &Json) -> Map<String, Json> {
    let primary = |list: &str, id: &str, member: &str| {
        let id = match data.get(id).map(Json::as_str) {
            None => PrimaryId::Absent,
            Some(None) => PrimaryId::Null,
            Some(Some(id)) => PrimaryId::Id(id.into()),
        };
        primary(&id, data.get(list)?.as_array()?, |element| identifier(element))?.get(member)
    };
    let mut members = Map::new();
    for (name, list, id, member) in [
        ("primary_email_address", "email_addresses", "primary_email_address_id", "email_address"),
        ("primary_phone_number", "phone_numbers", "primary_phone_number_id", "phone_number"),
        ("primary_web3_wallet", "web3_wallets", "primary_web3_wallet_id", "web3_wallet"),
    ] {
        members.insert(name.to_owned(), primary(list, id, member).cloned().unwrap_or(Json::Null));
    }
    // The shorter name that people write first.
    let email = members["primary_email_address"].clone();
    members.insert("primary_email".to_owned(), email);
    members.insert("full_name".to_owned(), full_name(data));
    members
}

fn identifier(element: &Json) -> Identifier<'_> {
    let verified = |verification: &Json| verification["status"] == "verified";
    Identifier {
        id: element.get("id").and_then(Json::as_str).map(Into::into),
        verified: element.get("verification").map(verified),
    }
}

fn full_name(data: &Json) -> Json {
    let part = |name: &str| data.get(name).and_then(Json::as_str).map_or("", str::trim);
    let name = format!("{} {}", part("first_name"), part("last_name"));
    match name.trim() {
        "" => Json::Null,
        name => Json::from(name),
    }
}

/// The first of the places that has a text, a number or a truth; Clerk writes "" for none.
fn find(data: &Json, places: &[&str]) -> Json {
    let mut values = places.iter().filter_map(|place| data.pointer(place));
    let is_one = |value: &&Json| match value {
        Json::String(text) => !text.is_empty(),
        Json::Null | Json::Array(_) | Json::Object(_) => false,
        Json::Bool(_) | Json::Number(_) => true,
    };
    values.find(is_one).cloned().unwrap_or(Json::Null)
}
