//! Members that an entity's root has beside those of `data`.

use serde_json::{Map, Value as Json};

/// The computed members of an entity; null where there is nothing to compute from.
pub(crate) fn members(entity: &str, data: &Json) -> Map<String, Json> {
    match entity {
        "user" => user(data),
        "organization_membership" => flat(
            data,
            &[
                ("organization_id", &["/organization/id", "/organization_id"]),
                ("user_id", &["/public_user_data/user_id", "/user_id"]),
            ],
        ),
        "organization_domain" => flat(
            data,
            &[("organization_id", &["/organization_id", "/public_organization_data/id"])],
        ),
        "organization_invitation" => flat(
            data,
            &[
                (
                    "organization_id",
                    &[
                        "/organization_id",
                        "/public_organization_data/id",
                        "/data/public_organization_data/id",
                    ],
                ),
                ("inviter_id", &["/inviter_id", "/public_inviter_data/user_id"]),
            ],
        ),
        "session" => flat(data, &[("user_id", &["/user_id", "/user/id"])]),
        "waitlist_entry" => flat(data, &[("invitation_id", &["/invitation/id", "/invitation_id"])]),
        "subscription" | "subscription_item" | "payment_attempt" => flat(
            data,
            &[
                ("payer_user_id", &["/payer/user_id"]),
                ("payer_organization_id", &["/payer/organization_id"]),
                ("plan_id", &["/plan_id", "/plan/id"]),
                ("plan_slug", &["/plan/slug"]),
                ("subscription_id", &["/subscription_id"]),
            ],
        ),
        _ => Map::new(),
    }
}

fn user(data: &Json) -> Map<String, Json> {
    let primary = |list: &str, id: &str, member: &str| {
        let id = data.get(id)?.as_str()?;
        let list = data.get(list)?.as_array()?;
        list.iter()
            .find(|element| element.get("id").and_then(Json::as_str) == Some(id))?
            .get(member)
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

fn full_name(data: &Json) -> Json {
    let part = |name: &str| data.get(name).and_then(Json::as_str).map_or("", str::trim);
    let name = format!("{} {}", part("first_name"), part("last_name"));
    match name.trim() {
        "" => Json::Null,
        name => Json::from(name),
    }
}

/// Each name with the first of its places that has a text; Clerk writes "" for none.
fn flat(data: &Json, names: &[(&str, &[&str])]) -> Map<String, Json> {
    let find = |places: &[&str]| {
        let texts = places.iter().filter_map(|place| data.pointer(place)?.as_str());
        texts.into_iter().find(|text| !text.is_empty()).map_or(Json::Null, Json::from)
    };
    names.iter().map(|(name, places)| ((*name).to_owned(), find(places))).collect()
}
