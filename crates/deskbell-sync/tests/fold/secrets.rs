//! Secrets never get into a row, wherever in a payload they stand.

use clerk_webhooks::catalog;
use deskbell_sim::SECRET_MARKERS;
use serde_json::{Map, Value, json};

use super::support::{all_texts, event, fold, stored};

/// The application's own JSON, which is kept as it is.
const OWN: [&str; 2] = ["public_metadata", "unsafe_metadata"];
/// Lists that Clerk may send, though no sample has elements in them.
const LISTS: [&str; 8] = [
    "email_addresses",
    "phone_numbers",
    "external_accounts",
    "web3_wallets",
    "saml_accounts",
    "enterprise_accounts",
    "passkeys",
    "organization_memberships",
];

/// Puts a secret into every place where one could stand.
fn plant(json: &mut Value) {
    match json {
        Value::Array(items) => items.iter_mut().for_each(plant),
        Value::Object(members) => {
            let known = members.iter_mut().filter(|(name, _)| !OWN.contains(&name.as_str()));
            known.for_each(|(_, member)| plant(member));
            plant_in(members);
        }
        _ => {}
    }
}

fn plant_in(members: &mut Map<String, Value>) {
    let [private, backup_code] = SECRET_MARKERS;
    members.insert("private_metadata".to_owned(), json!({ "deep": [private] }));
    members.insert("backup_codes".to_owned(), json!([backup_code]));
    members.insert("last_active_token".to_owned(), json!({ "jwt": private }));
    members.insert("nonce".to_owned(), json!(private));
    members.insert("external_verification_redirect_url".to_owned(), json!(private));
}

fn assert_none(kept: &str, of: &str) {
    for marker in SECRET_MARKERS {
        assert!(!kept.contains(marker), "{of}: {marker} in {kept}");
    }
}

#[test]
fn no_planted_secret_is_kept() {
    for entry in catalog::all() {
        let event_type = entry.event_type.as_str();
        let mut data = serde_json::from_str::<Value>(entry.sample).unwrap()["data"].take();
        for holder in ["/user", ""] {
            if let Some(Value::Object(user)) = data.pointer_mut(holder)
                && user.get("object") == Some(&json!("user"))
            {
                for list in LISTS {
                    user.insert(
                        list.to_owned(),
                        json!([{ "id": "x_1", "verification": {}, "organization": {} }]),
                    );
                }
            }
        }
        plant(&mut data);
        for name in ["body", "body_plain", "subject", "message", "data", "links"] {
            if event_type.starts_with("email.") || event_type.starts_with("sms.") {
                data[name] = json!({ "otp_code": SECRET_MARKERS[0] });
            }
        }
        assert_none(&all_texts(&fold(&[event("msg_1", event_type, 1, &data)])), event_type);
    }
}

#[test]
fn no_sample_leaves_its_private_metadata() {
    for entry in catalog::all() {
        let batch = fold(&[stored("msg_1", entry.event_type.as_str(), 1, entry.sample.to_owned())]);
        let kept = all_texts(&batch);
        assert!(!kept.contains("private_metadata"), "{}", entry.event_type.as_str());
        assert!(!kept.contains("backup_codes"), "{}", entry.event_type.as_str());
    }
}

#[test]
fn what_is_the_applications_own_is_kept_whole() {
    let own = json!({ "backup_codes": ["mine"], "private_metadata": "mine", "nonce": 1 });
    let data = json!({ "id": "user_1", "public_metadata": own, "unsafe_metadata": own });
    let kept = all_texts(&fold(&[event("msg_1", "user.updated", 1, &data)]));
    assert_eq!(kept.matches(&own.to_string()).count(), 4, "{kept}");
}
