//! Entities: what is read, what does not fit, what is shown and what is written back.

use clerk_webhooks::UnixMillis;
use clerk_webhooks::payload::{
    BillingInterval, Email, InvitationStatus, Organization, OrganizationInvitation,
    OrganizationMembership, Payer, PaymentAttempt, Permission, Session, SessionStatus, Sms,
    SubscriptionItem, User, VerificationStatus,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

fn read<T: DeserializeOwned>(value: Value) -> T {
    let text = value.to_string();
    serde_json::from_value(value).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[track_caller]
fn written<T: Serialize>(entity: &T) -> Value {
    serde_json::to_value(entity).expect("an entity is written")
}

#[test]
fn an_id_is_enough_and_needed() {
    let user: User = read(json!({"id": "user_1"}));
    assert_eq!(user.id, "user_1");
    assert_eq!(
        user,
        serde_json::from_str(r#"{"id":"user_1","username":null}"#).expect("null is none")
    );
    for value in [
        json!({}),
        json!({"id": null}),
        json!({"id": ""}),
        json!({"id": 7}),
        json!([]),
        json!("user_1"),
    ] {
        assert!(serde_json::from_value::<User>(value.clone()).is_err(), "{value}");
    }
}

#[test]
fn what_does_not_fit_costs_only_itself() {
    let user: User = read(json!({
        "id": "user_1",
        "username": 5,
        "banned": "yes",
        "first_name": "Ada",
        "created_at": "soon",
        "updated_at": 1_654_012_591_835_i64,
        "email_addresses": "ada@example.com",
        "phone_numbers": [{"id": "idn_1", "phone_number": {"number": "+1"}}],
        "public_metadata": [1],
        "lockout_expires_in_seconds": 1.5,
    }));
    assert_eq!((user.username.as_deref(), user.banned), (None, None));
    assert_eq!(user.first_name.as_deref(), Some("Ada"));
    assert_eq!(
        user.updated_at.map(|at| at.to_string()).as_deref(),
        Some("2022-05-31T15:56:31.835Z")
    );
    assert_eq!(user.email_addresses, None);
    assert_eq!(user.primary_email_address(), None);
    let names: Vec<_> = user.extra.keys().map(String::as_str).collect();
    let expected = [
        "banned",
        "created_at",
        "email_addresses",
        "lockout_expires_in_seconds",
        "public_metadata",
        "username",
    ];
    assert_eq!(names, expected);
    assert_eq!(user.extra["username"], 5);

    let phone = &user.phone_numbers.expect("the number is read")[0];
    assert_eq!((phone.id.as_deref(), phone.phone_number.as_deref()), (Some("idn_1"), None));
    assert_eq!(phone.extra["phone_number"], json!({"number": "+1"}));
}

#[test]
fn an_odd_part_costs_only_itself() {
    let membership: OrganizationMembership = read(json!({
        "id": "orgmem_1",
        "organization": {"name": "no id"},
        "public_user_data": {"user_id": "user_1", "banned": 0},
    }));
    assert_eq!(membership.user_id(), Some("user_1"));
    assert_eq!(membership.organization_id(), None);
    assert_eq!(membership.extra["organization"]["name"], "no id");
}

#[test]
fn what_is_not_known_is_kept_at_every_depth() {
    let value = json!({
        "id": "user_1",
        "shoe_size": 38,
        "nothing": null,
        "passkeys": [{"passkey_name": "laptop"}],
        "email_addresses": [{"verification": {"status": "verified", "by": {"deep": [1, null]}}}],
    });
    let user: User = read(value.clone());
    assert_eq!(user.extra["shoe_size"], 38);
    assert_eq!(user.extra["nothing"], Value::Null);
    assert_eq!(written(&user), value);
}

#[test]
fn writing_gives_what_was_read() {
    let value = json!({
        "id": "user_1",
        "username": 5,
        "first_name": "Ada",
        "private_metadata": {"plan": {"n": 1e22, "big": 18_446_744_073_709_551_615_u64, "small": -5}},
        "phone_numbers": [{"phone_number": "+15555550100", "backup_codes": ["aaaa-bbbb"]}],
        "external_accounts": [{"provider": "oauth_google", "verification": {"status": "brand_new"}}],
        "created_at": 1_654_012_591_514_i64,
    });
    let user: User = read(value.clone());
    assert_eq!(written(&user), value);
    assert_eq!(
        user,
        serde_json::from_str(&serde_json::to_string(&user).expect("text")).expect("text")
    );

    let permission = json!({"id": "perm_1", "type": "system"});
    assert_eq!(written(&read::<Permission>(permission.clone())), permission);
}

#[test]
fn the_last_of_a_repeated_member_counts() {
    let user: User = serde_json::from_str(
        r#"{"id":"a","username":"x","id":"b","username":null,"odd":1,"odd":2}"#,
    )
    .expect("repeated members are legal");
    assert_eq!((user.id.as_str(), user.username.as_deref()), ("b", None));
    assert_eq!(user.extra["odd"], 2);
}

#[test]
fn times_are_read_in_each_of_their_forms() {
    for form in [json!(1_716_883_200), json!(1_716_883_200_000_i64), json!("2024-05-28T08:00:00Z")]
    {
        let user: User = read(json!({"id": "user_1", "last_active_at": form}));
        assert_eq!(
            user.last_active_at.map(UnixMillis::as_millis),
            Some(1_716_883_200_000),
            "{form}"
        );
    }
    for name in ["created_at", "created_at_ms"] {
        let sms: Sms = read(json!({"id": "sms_1", name: 1_716_883_200_000_i64}));
        assert_eq!(sms.created_at.map(UnixMillis::as_seconds), Some(1_716_883_200), "{name}");
    }
}

#[test]
fn the_primary_is_the_one_that_is_named() {
    let entries = |key: &str| json!([{"id": "idn_1", key: "first"}, {"id": "idn_2", key: "second"}, {key: "third"}]);
    let user = |primary: Value| -> User {
        read(json!({
            "id": "user_1",
            "email_addresses": entries("email_address"),
            "phone_numbers": entries("phone_number"),
            "web3_wallets": entries("web3_wallet"),
            "primary_email_address_id": primary,
            "primary_phone_number_id": primary,
            "primary_web3_wallet_id": primary,
        }))
    };
    for (primary, expected) in [
        (json!("idn_2"), Some("second")),
        (json!("idn_1"), Some("first")),
        (json!("idn_9"), None),
        (json!(""), None),
        (json!(null), None),
        (json!(2), None),
    ] {
        let user = user(primary.clone());
        assert_eq!(user.primary_email_address(), expected, "{primary}");
        assert_eq!(user.primary_phone_number(), expected, "{primary}");
        assert_eq!(user.primary_web3_wallet(), expected, "{primary}");
    }
    let sample: User = read(json!({"id": "user_sample_123", "email_addresses": []}));
    assert_eq!(sample.primary_email_address(), None);
}

#[test]
fn a_full_name_is_made_of_what_there_is() {
    for (first, last, expected) in [
        (json!("Ada"), json!("Lovelace"), Some("Ada Lovelace")),
        (json!("Ada"), json!(null), Some("Ada")),
        (json!(null), json!("Lovelace"), Some("Lovelace")),
        (json!(" Ada "), json!("  "), Some("Ada")),
        (json!(""), json!(""), None),
        (json!(null), json!(null), None),
    ] {
        let user: User = read(json!({"id": "user_1", "first_name": first, "last_name": last}));
        assert_eq!(user.full_name().as_deref(), expected, "{first} {last}");
    }
}

#[test]
fn an_invitations_organization_is_found_at_each_of_its_places() {
    let organization = json!({"id": "org_1", "name": "Acme", "slug": "acme", "has_image": false});
    for value in [
        json!({"id": "orginv_1", "public_organization_data": organization}),
        json!({"id": "orginv_1", "data": {"public_organization_data": organization}}),
        json!({"id": "orginv_1", "organization_id": "org_1"}),
    ] {
        let invitation: OrganizationInvitation = read(value.clone());
        assert_eq!(invitation.organization_id(), Some("org_1"), "{value}");
        let name = invitation.organization().and_then(|organization| organization.name.as_deref());
        assert_eq!(name.is_some(), value.get("organization_id").is_none(), "{value}");
        assert_eq!(written(&invitation), value);
    }
}

#[test]
fn an_empty_text_of_a_payer_is_none() {
    let payer: Payer = read(json!({
        "id": "cpayer_1", "user_id": "user_1", "first_name": "Ada", "last_name": "",
        "organization_id": "", "organization_name": "", "new_member": "",
    }));
    assert_eq!(
        (payer.organization_id.as_deref(), payer.organization_name.as_deref()),
        (None, None)
    );
    assert!(!payer.is_organization() && payer.extra.is_empty());
    assert_eq!((payer.owner_id(), payer.name().as_deref()), (Some("user_1"), Some("Ada")));

    let payer: Payer = read(json!({
        "user_id": "", "first_name": "", "organization_id": "org_1", "organization_name": "Acme",
    }));
    assert!(payer.is_organization());
    assert_eq!((payer.owner_id(), payer.name().as_deref()), (Some("org_1"), Some("Acme")));

    let user: User = read(json!({"id": "user_1", "gender": ""}));
    assert_eq!(user.gender.as_deref(), Some(""), "only a payer's empty texts are none");
}

#[test]
fn a_subscription_item_is_read_in_both_of_its_shapes() {
    let newer: SubscriptionItem = read(json!({
        "id": "csub_item_1", "interval": "month", "subscription_id": "csub_1", "plan_id": "cplan_1",
        "seats": {"quantity": null},
    }));
    let older: SubscriptionItem = read(json!({
        "id": "csub_item_1", "plan_period": "month", "plan": {"id": "cplan_1", "interval": 1},
        "amount": {"amount": 20.5}, "lifetime_paid": 100, "proration_date": "2024-05-01",
        "credit": {"cycle_remaining_percent": 0.5},
    }));
    for item in [&newer, &older] {
        assert_eq!(item.billing_interval(), Some(&BillingInterval::Month));
        assert_eq!(item.plan_id(), Some("cplan_1"));
        assert!(item.extra.is_empty(), "{:?}", item.extra);
    }
    let amount = older.amount.and_then(|money| money.amount).and_then(|amount| amount.as_f64());
    assert_eq!(amount, Some(20.5));
    let payment: PaymentAttempt =
        read(json!({"id": "a", "subscription_items": [{"id": "csub_item_1"}]}));
    assert_eq!(payment.subscription_items.map(|items| items.len()), Some(1));
}

#[test]
fn a_new_text_of_an_open_set_is_kept() {
    let session: Session = read(json!({"id": "sess_1", "status": "pending"}));
    assert_eq!(session.status, Some(SessionStatus::Pending));
    let session: Session = read(json!({"id": "sess_1", "status": "asleep"}));
    assert_eq!(session.status, Some(SessionStatus::Unknown("asleep".to_owned())));
    assert_eq!(session.status.map(|status| status.to_string()).as_deref(), Some("asleep"));
    assert_eq!(InvitationStatus::from("revoked").as_str(), "revoked");
    assert_eq!(VerificationStatus::KNOWN.len(), 5);
}

#[test]
fn secrets_do_not_show() {
    let secret = "s3cr3t-428571";
    let shown = [
        format!(
            "{:?}",
            read::<Email>(json!({
                "id": "ema_1", "subject": format!("{secret} is your code"), "body": secret, "body_plain": secret,
                "data": {"otp_code": secret}, "new": secret,
            }))
        ),
        format!(
            "{:?}",
            read::<Email>(json!({"id": "ema_1", "body": {"html": secret}, "data": [secret]}))
        ),
        format!(
            "{:?}",
            read::<Sms>(json!({"id": "sms_1", "message": secret, "data": {"otp_code": secret}}))
        ),
        format!(
            "{:#?}",
            read::<User>(json!({
                "id": "user_1", "private_metadata": {"key": secret},
                "phone_numbers": [{"backup_codes": [secret]}, {"backup_codes": secret}],
                "web3_wallets": [{"verification": {"nonce": secret, "message": secret}}],
            }))
        ),
        format!(
            "{:?}",
            read::<Organization>(json!({"id": "org_1", "private_metadata": {"key": secret}}))
        ),
        format!("{:?}", read::<OrganizationInvitation>(json!({"id": "orginv_1", "url": secret}))),
    ];
    for text in shown {
        assert!(!text.contains("428571"), "{text}");
    }
    let email: Email = read(json!({"id": "ema_1", "body": secret}));
    assert_eq!(
        email.body.as_deref().map(String::as_str),
        Some(secret),
        "they are read all the same"
    );
}
