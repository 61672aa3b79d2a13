//! What a payload becomes in its table.

use deskbell_sync::{DatabaseConfig, MirrorOptions};
use serde_json::{Value, json};

use super::backend::USERS;
use super::support::{Mirror, event, stored};

fn ada() -> Value {
    json!({
        "id": "user_1",
        "object": "user",
        "external_id": "567772",
        "username": null,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "primary_email_address_id": "idn_2",
        "email_addresses": [
            { "id": "idn_1", "email_address": "first@example.com" },
            { "id": "idn_2", "email_address": "ada@example.com" },
        ],
        "primary_phone_number_id": "idn_3",
        "phone_numbers": [{ "id": "idn_3", "phone_number": "+15555550100", "backup_codes": ["secret-code"] }],
        "primary_web3_wallet_id": null,
        "web3_wallets": [],
        "image_url": "https://img.clerk.com/x",
        "has_image": true,
        "banned": false,
        "two_factor_enabled": false,
        "password_enabled": true,
        "public_metadata": { "plan": "pro", "backup_codes": "the application's own" },
        "private_metadata": { "stripe": "cus_1" },
        "unsafe_metadata": {},
        "locale": "en-GB",
        "last_sign_in_at": 1_654_012_591_514_i64,
        "created_at": 1_654_012_591,
        "updated_at": 1_654_012_591_835_i64,
        "a_field_of_2031": [1, 2],
    })
}

#[tokio::test]
async fn a_user_fills_the_columns_that_people_expect() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[event("msg_1", "user.created", 1, &ada())]).await;
    let rows = mirror.rows(USERS).await;
    let row = &rows[0];
    for (column, expected) in [
        ("id", json!("user_1")),
        ("external_id", json!("567772")),
        ("username", json!(null)),
        ("first_name", json!("Ada")),
        ("primary_email_address", json!("ada@example.com")),
        ("primary_email_address_id", json!("idn_2")),
        ("primary_phone_number", json!("+15555550100")),
        ("primary_web3_wallet", json!(null)),
        ("has_image", json!(true)),
        ("banned", json!(false)),
        ("locked", json!(null)),
        ("public_metadata", json!({ "plan": "pro", "backup_codes": "the application's own" })),
        ("unsafe_metadata", json!({})),
        ("last_sign_in_at", json!("2022-05-31T15:56:31.514Z")),
        ("created_at", json!("2022-05-31T15:56:31.000Z")),
        ("updated_at", json!("2022-05-31T15:56:31.835Z")),
    ] {
        assert_eq!(row[column], expected, "{column}");
    }
    assert!(!row.contains_key("private_metadata"));
    assert!(!row.contains_key("raw"));
}

#[tokio::test]
async fn raw_is_the_payload_less_secrets_and_what_is_excluded() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[event("msg_1", "user.created", 1, &ada())]).await;
    let rows = mirror.reader().await.whole_rows("users").await.unwrap();
    let mut expected = ada();
    expected.as_object_mut().unwrap().remove("private_metadata");
    expected["phone_numbers"][0].as_object_mut().unwrap().remove("backup_codes");
    assert_eq!(rows[0]["raw"], expected);
}

#[tokio::test]
async fn private_metadata_is_there_when_it_is_asked_for() {
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig {
            include_columns: vec!["user.private_metadata".to_owned()],
            ..DatabaseConfig::default()
        },
    );
    let mut mirror = Mirror::with(options).await;
    mirror.apply(&[event("msg_1", "user.created", 1, &ada())]).await;
    let rows = mirror.reader().await.whole_rows("users").await.unwrap();
    assert_eq!(rows[0]["private_metadata"], json!({ "stripe": "cus_1" }));
    assert_eq!(rows[0]["raw"]["private_metadata"], json!({ "stripe": "cus_1" }));
}

#[tokio::test]
async fn an_excluded_column_is_left_out_of_raw_too() {
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig {
            exclude_columns: vec!["user.primary_email_address".to_owned()],
            ..DatabaseConfig::default()
        },
    );
    let mut mirror = Mirror::with(options).await;
    mirror.apply(&[event("msg_1", "user.created", 1, &ada())]).await;
    let member = json!({ "id": "orgmem_1", "public_user_data": { "user_id": "user_1", "identifier": "ada@example.com" } });
    mirror.apply(&[event("msg_2", "organizationMembership.created", 1, &member)]).await;
    let tables = format!("{:?}", mirror.everything().await);
    assert!(tables.contains("user_1") && !tables.contains("@example.com"));
}

#[tokio::test]
async fn values_of_another_kind_are_null_and_stay_in_raw() {
    let mut mirror = Mirror::new().await;
    let odd = json!({
        "id": "user_1", "first_name": 5, "banned": "yes", "created_at": "soon", "locale": { "a": 1 },
        "public_metadata": "text", "email_addresses": 7, "primary_email_address_id": [],
    });
    mirror.apply(&[event("msg_1", "user.created", 1, &odd)]).await;
    let rows = mirror.reader().await.whole_rows("users").await.unwrap();
    for column in ["first_name", "banned", "created_at", "locale", "primary_email_address"] {
        assert_eq!(rows[0][column], Value::Null, "{column}");
    }
    assert_eq!(rows[0]["public_metadata"], json!("text"));
    assert_eq!(rows[0]["raw"], odd);
}

#[tokio::test]
async fn what_no_database_holds_becomes_the_replacement_character() {
    let mut mirror = Mirror::new().await;
    let body = r#"{"type":"user.created","data":{"id":"user_1","first_name":"a\u0000b","last_name":"\ud800","public_metadata":{"\u0000":"\u0000\\u0000"}}}"#;
    mirror.apply(&[stored("msg_1", "user.created", 1, body)]).await;
    let rows = mirror.reader().await.whole_rows("users").await.unwrap();
    assert_eq!(rows[0]["first_name"], json!("a\u{fffd}b"));
    assert_eq!(rows[0]["last_name"], json!("\u{fffd}"));
    assert_eq!(rows[0]["public_metadata"], json!({ "\u{fffd}": "\u{fffd}\\u0000" }));
    assert_eq!(rows[0]["raw"]["first_name"], json!("a\u{fffd}b"));
}

#[tokio::test]
async fn escapes_as_gos_json_writer_makes_them_are_read() {
    let mut mirror = Mirror::new().await;
    let body = r#"{"type":"user.created","data":{"id":"user_1","first_name":"\u003cb\u003e \u0026 co","image_url":"https://img.clerk.com/?a=1\u0026b=2"}}"#;
    mirror.apply(&[stored("msg_1", "user.created", 1, body)]).await;
    let rows = mirror.rows("users").await;
    assert_eq!(rows[0]["first_name"], json!("<b> & co"));
    assert_eq!(rows[0]["image_url"], json!("https://img.clerk.com/?a=1&b=2"));
}

#[tokio::test]
async fn a_membership_names_its_organization_and_its_user() {
    let mut mirror = Mirror::new().await;
    let full = json!({
        "id": "orgmem_1", "role": "org:admin", "role_name": "Admin", "permissions": ["org:a", "org:b"],
        "organization": { "id": "org_1", "name": "Acme", "private_metadata": { "secret": 1 } },
        "public_user_data": { "user_id": "user_1", "identifier": "ada@example.com" },
        "private_metadata": { "secret": 2 }, "public_metadata": {},
        "created_at": 1_654_013_203_217_i64, "updated_at": 1_654_013_203_217_i64,
    });
    let flat = json!({ "id": "orgmem_2", "organization_id": "org_2", "user_id": "user_2" });
    mirror
        .apply(&[
            event("msg_1", "organizationMembership.created", 1, &full),
            event("msg_2", "organizationMembership.created", 1, &flat),
        ])
        .await;
    let rows = mirror.reader().await.whole_rows("organization_memberships").await.unwrap();
    assert_eq!(rows[0]["organization_id"], json!("org_1"));
    assert_eq!(rows[0]["user_id"], json!("user_1"));
    assert_eq!(rows[0]["permissions"], json!(["org:a", "org:b"]));
    assert!(!rows[0]["raw"].to_string().contains("secret"));
    assert_eq!(rows[1]["organization_id"], json!("org_2"));
    assert_eq!(rows[1]["user_id"], json!("user_2"));
}

#[tokio::test]
async fn an_organization_fills_its_columns() {
    let mut mirror = Mirror::new().await;
    let acme = json!({
        "id": "org_1", "name": "Acme", "slug": "acme", "members_count": 3, "max_allowed_memberships": 5.0,
        "admin_delete_enabled": true, "created_by": "user_1", "public_metadata": {}, "updated_at": 5,
    });
    mirror.apply(&[event("msg_1", "organization.created", 1, &acme)]).await;
    let rows = mirror.rows("organizations").await;
    assert_eq!(rows[0]["members_count"], json!(3));
    assert_eq!(rows[0]["max_allowed_memberships"], json!(5));
    assert_eq!(rows[0]["pending_invitations_count"], json!(null));
    assert_eq!(rows[0]["created_by"], json!("user_1"));
}

#[tokio::test]
async fn amounts_keep_every_digit_and_texts_are_never_evaluated() {
    let mut mirror = Mirror::new().await;
    let amount = "1234567890123456789012345.6789";
    let body = format!(
        r#"{{"type":"paymentAttempt.created","data":{{"id":"pa_1","paid_at":"now","failed_at":"infinity",
            "totals":{{"grand_total":{{"amount":{amount}}},"subtotal":{{"amount":19.99}},"tax_total":{{"amount":"7"}}}},
            "subscription_items":[{{"id":"item_1","amount":{{"amount":0.5}},"plan":{{"slug":"pro"}}}}]}}}}"#
    );
    mirror.apply(&[stored("msg_1", "paymentAttempt.created", 1, &body)]).await;
    let rows = mirror.rows("payment_attempts").await;
    for (column, expected) in [
        ("grand_total", json!(null)),
        ("grand_total_decimal", json!(amount)),
        ("subtotal", json!(null)),
        ("subtotal_decimal", json!("19.99")),
        ("tax_total", json!(7)),
        ("tax_total_decimal", json!("7")),
        ("paid_at", json!(null)),
        ("failed_at", json!(null)),
    ] {
        assert_eq!(rows[0][column], expected, "{column}");
    }
    let items = mirror.rows("payment_attempt_items").await;
    assert_eq!(items[0]["amount_decimal"], json!("0.5"));
    assert_eq!(
        (&items[0]["payment_attempt_id"], &items[0]["plan_slug"]),
        (&json!("pa_1"), &json!("pro"))
    );
}

#[tokio::test]
async fn wallets_passkeys_and_enterprise_accounts_are_rows() {
    let mut mirror = Mirror::new().await;
    let user = json!({
        "id": "user_1", "timezone": "Europe/Stockholm",
        "web3_wallets": [
            { "id": "idn_1", "web3_wallet": "0x1", "verification": { "status": "verified", "nonce": "secret" } },
            { "id": "idn_2", "web3_wallet": "0x2", "verification": null },
        ],
        "passkeys": [{ "id": "idn_3", "name": "a key", "last_used_at": 1_654_012_591_000_i64 }, { "passkey_name": "another" }],
        "enterprise_accounts": [{
            "id": "ent_1", "protocol": "saml", "provider": "saml_okta", "active": true, "email_address": "ada@example.com",
            "provider_user_id": "7", "enterprise_connection": { "id": "entconn_1", "name": "Okta" },
        }],
    });
    mirror.apply(&[event("msg_1", "user.created", 1, &user)]).await;
    assert_eq!(mirror.ids("user_web3_wallets").await, ["idn_1", "idn_2"]);
    let passkeys = mirror.rows("user_passkeys").await;
    let names: Vec<_> = passkeys.iter().map(|row| &row["name"]).collect();
    assert_eq!(names, [&json!("another"), &json!("a key")]);
    let accounts = mirror.rows("user_enterprise_accounts").await;
    for (column, expected) in [
        ("user_id", json!("user_1")),
        ("provider", json!("saml_okta")),
        ("active", json!(true)),
        ("enterprise_connection_id", json!("entconn_1")),
        ("enterprise_connection_name", json!("Okta")),
    ] {
        assert_eq!(accounts[0][column], expected, "{column}");
    }
    assert_eq!(mirror.rows("users").await[0]["timezone"], "Europe/Stockholm");
    assert!(!format!("{:?}", mirror.everything().await).contains("secret"));
}
