//! Fields that the typed roots have, and those that they have not.

use clerk_webhooks::catalog;
use deskbell_expr::{CheckedPath, Expression, ExpressionError, check_path};

fn refusal(text: &str) -> String {
    match Expression::compile(text) {
        Err(error @ ExpressionError::UnknownField(_)) => error.to_string(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn a_field_that_is_not_known_is_refused_with_the_nearest_one() {
    for (text, said) in [
        (
            "user.full_nam",
            "`user` has no field `full_nam` at column 1, did you mean `full_name`? A field that this \
             version does not know can be reached as `data.full_nam`",
        ),
        (
            "user.zzz",
            "`user` has no field `zzz` at column 1. A field that this version does not know can be \
             reached as `data.zzz`",
        ),
        (
            "user.banned || user['frist_name'] == 'x'",
            "`user` has no field `frist_name` at column 16, did you mean `first_name`?",
        ),
        ("has(user.primry_email_address)", "did you mean `primary_email_address`?"),
        ("user.email_addresses[0].emial_address", "`user.email_addresses[0]` has no field"),
        (
            "user.email_addresses.exists(e, e.verification.stauts == 'verified')",
            "`user.email_addresses[0].verification` has no field `stauts` at column 32",
        ),
        (
            "user.email_addresses.exists(e, e.linked_to.exists(l, l.tpye == 'x'))",
            "`user.email_addresses[0].linked_to[0]` has no field `tpye` at column 54",
        ),
        (
            "user.email_addresses.filter(e, true)[0].emial_address",
            "`user.email_addresses[0]` has no field `emial_address` at column 1, did you mean \
             `email_address`?",
        ),
        (
            "has(user.email_addresses.filter(e, true)[0].emial_address)",
            "`user.email_addresses[0]` has no field `emial_address`",
        ),
        (
            "user.email_addresses.map(e, e.id != '', e.verification)[0].stauts == 'verified'",
            "`user.email_addresses[0].verification` has no field `stauts` at column 1",
        ),
        (
            "user.email_addresses.filter(e, true).exists(e, e.emial_address == 'x')",
            "`user.email_addresses[0]` has no field `emial_address`",
        ),
        ("data.list.exists(user, user.id == 1) || user.idd == 'x'", "`user` has no field `idd`"),
        ("membership.organisation_id", "did you mean `organization_id`?"),
        ("membership.public_user_data.usr_id", "did you mean `user_id`?"),
        ("subscription.payer_userid", "did you mean `payer_user_id`?"),
        ("user.first_name.x", "`user.first_name` has no field `x`"),
        ("user.first_name[0]", "`user.first_name` has no field `[0]`"),
        ("type.x", "`type` has no field `x` at column 1"),
        ("organization.primary_email_address", "`organization` has no field"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(said), "{text}: {refusal}");
    }
}

#[test]
fn what_may_be_anything_is_taken() {
    for text in [
        "user.public_metadata.plan.of['any'].depth[3]",
        "user.unsafe_metadata.map(k, k)",
        "user.public_metadata.list.exists(x, x.y)",
        "data.whatever.it.is",
        "event_attributes.http_request.anything",
        "email.data.app.anything",
        "invitation.organization_id == invitation.url",
        "data.list.map(user, user.x)",
        "user.email_addresses.map(email, email.email_address)",
        "user.deleted",
        "user.email_addresses.filter(e, e.id == user.primary_email_address_id)[0].email_address",
        "user.email_addresses.map(e, e.linked_to)[0][0].type",
        "user.email_addresses.map(e, {'of': e.id})[0].of",
        "data.list.map(user, user.x).filter(user, user.y)[0].z",
        "user.unsafe_metadata.list.filter(x, x.y)[0].z",
    ] {
        let compiled = Expression::compile(text);
        assert!(compiled.is_ok(), "{text}: {compiled:?}");
    }
}

#[test]
fn every_member_of_every_sample_is_known() {
    for entry in catalog::all() {
        let sample: serde_json::Value = serde_json::from_str(entry.sample).unwrap();
        let root = match entry.entity.unwrap() {
            "organization_membership" => "membership",
            "organization_domain" => "domain",
            "organization_invitation" => "invitation",
            other => other,
        };
        for name in sample["data"].as_object().unwrap().keys() {
            let text = format!("{root}.{name}");
            assert!(Expression::compile(&text).is_ok(), "{text}");
        }
    }
}

#[test]
fn a_path_that_no_sample_has_is_reported() {
    let unknown = |text: &str, event_types: &[&str]| {
        let unknown = Expression::compile(text).unwrap().unknown_paths(event_types);
        unknown.into_iter().map(|path| path.to_string()).collect::<Vec<_>>()
    };
    let users = ["user.created", "user.deleted"];
    assert_eq!(
        unknown("data.frist_name == 'x' || data.frist_name == 'y' && data.last_name == ''", &users),
        [
            "`data` has no field `frist_name` at column 1, did you mean `first_name`?",
            "`data` has no field `frist_name` at column 27, did you mean `first_name`?",
        ]
    );
    for address in [
        "data.email_addresses.all(e, e.emial_address != '')",
        "data.email_addresses.filter(e, true)[0].emial_address",
        "data.email_addresses.all(e, e.linked_to.all(l, l.tpye != ''))",
    ] {
        assert_eq!(unknown(address, &users).len(), 1, "{address}");
    }
    for (text, event_types) in [
        ("data.public_metadata.plan == 'pro' && has(data.deleted)", &users[..]),
        ("data.full_name", &["organization.created", "something.new"]),
        ("data.full_name", &[]),
        ("data.public_metadata.map(k, k)", &users),
        ("event_attributes.http_request.client_ip", &users),
    ] {
        assert_eq!(unknown(text, event_types), [""; 0], "{text}");
    }
    assert_eq!(unknown("event_attributes.http_request.ip", &users).len(), 1);
    assert_eq!(unknown("data.full_name", &users).len(), 1);
}

#[test]
fn dotted_paths_are_checked_as_templates_name_them() {
    let users = ["user.created"];
    assert_eq!(check_path("user.public_metadata.plan", &users), CheckedPath::Known);
    assert_eq!(check_path("loop.index", &users), CheckedPath::Known);
    let CheckedPath::Error(unknown) = check_path("user.frist_name", &users) else { panic!() };
    assert_eq!((&*unknown.of, unknown.nearest), ("user", Some("first_name")));
    assert!(matches!(check_path("data.frist_name", &users), CheckedPath::Warning(_)));
}
