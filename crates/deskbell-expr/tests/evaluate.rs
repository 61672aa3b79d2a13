//! What expressions give on the catalog's samples.

use clerk_webhooks::{Envelope, UnixMillis, catalog};
use deskbell_expr::{
    Condition, EvaluationErrorKind, EventParts, EventView, Expression, Kind, Value,
};
use serde_json::{Value as Json, json};

fn with_sample<T>(event_type: &str, then: impl FnOnce(&EventView<'_>) -> T) -> T {
    let body = catalog::find(event_type).unwrap().sample.as_bytes();
    let envelope = Envelope::parse(body).unwrap();
    let subject = envelope.subject();
    then(&EventView::of_body(
        EventParts {
            id: "msg_1",
            event_type,
            source: "clerk",
            subject: subject.as_deref(),
            occurred_at_ms: 1_716_883_200_000,
            instance_id: envelope.instance_id.as_deref(),
        },
        body,
    ))
}

fn with_data<T>(data: &Json, then: impl FnOnce(&EventView<'_>) -> T) -> T {
    let parts = EventParts {
        id: "msg_1",
        event_type: "user.updated",
        source: "clerk",
        subject: None,
        occurred_at_ms: 0,
        instance_id: None,
    };
    then(&EventView::of_data(parts, data, &[]))
}

fn compile(text: &str) -> Expression {
    Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// As text, since a value does not show itself.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::UInt(value) => format!("{value}u"),
        Value::Float(value) => format!("{value:?}"),
        Value::Text(value) => format!("{value:?}"),
        Value::Json(value) => value.clone(),
        Value::Time(value) => value.to_string(),
    }
}

#[test]
fn samples_give_what_the_mirror_has() {
    for (event_type, expression, expected) in [
        ("user.created", "user.primary_email_address", r#""mira.lindqvist@example.com""#),
        ("user.created", "user.full_name", r#""Mira Lindqvist""#),
        ("user.created", "user.full_name.size()", "14"),
        ("user.created", "user['full_name']", r#""Mira Lindqvist""#),
        ("user.created", "user.email_addresses[0].email_address.endsWith('.com')", "true"),
        ("user.created", "user.created_at", "1767603862417"),
        ("user.created", "timestamp(user.created_at / 1000)", "2026-01-05T09:04:22.000Z"),
        ("user.created", "timestamp(occurred_at)", "2024-05-28T08:00:00.000Z"),
        ("user.created", "occurred_at", r#""2024-05-28T08:00:00.000Z""#),
        ("user.created", "type + '/' + source + '/' + id", r#""user.created/clerk/msg_1""#),
        ("user.created", "type(user.id) == string && type == 'user.created'", "true"),
        ("user.created", "subject == data.id && subject == user.id", "true"),
        (
            "user.created",
            "user.email_addresses.exists(e, e.verification.status == 'verified')",
            "true",
        ),
        ("user.created", "data.email_addresses.map(e, e.nothing.at_all)", "[null]"),
        ("user.created", "data.email_addresses.filter(e, has(e.nothing))", "[]"),
        ("user.created", "size(user.email_addresses) > 0 ? 'some' : 'none'", r#""some""#),
        ("user.created", "organization", "null"),
        ("user.created", "organization.id", "null"),
        ("user.created", "has(organization.id)", "false"),
        ("user.created", "has(user.id) && !has(user.primary_web3_wallet)", "true"),
        ("user.created", "user.id.matches('^user_') && user == user", "true"),
        ("user.created", "{'b': 1, 'a': [data.missing]}", r#"{"a":[null],"b":1}"#),
        ("user.created", "{'b': 1, 'a': 2}.map(k, k)", r#"["a","b"]"#),
        ("user.created", "[1, 2].map(user, user + 1)", "[2,3]"),
        ("user.created", "[1].map(x, [x].map(y, x + y))", "[[2]]"),
        ("user.deleted", "user.external_id", r#""crm-20417""#),
        ("user.deleted", "user.primary_email_address == null", "true"),
        ("user.deleted", "user.full_name", "null"),
        ("user.deleted", "user.deleted", "true"),
        (
            "organizationMembership.created",
            "membership.organization_id",
            r#""org_3Bq4nV1deqhNqJAUn9Mw0hkvrtw""#,
        ),
        (
            "organizationMembership.created",
            "membership.user_id",
            r#""user_3BqBPkbsJsSq0hFDZpRSjtN2bzl""#,
        ),
        ("subscription.active", "subscription.payer_organization_id", "null"),
        (
            "subscription.active",
            "subscription.payer_user_id",
            r#""user_3BqBPkbsJsSq0hFDZpRSjtN2bzl""#,
        ),
        ("subscriptionItem.active", "subscription_item.plan_slug", r#""pro""#),
        (
            "subscriptionItem.active",
            "subscription_item.subscription_id",
            r#""csub_3Bq2792wAg4t8fo3ohJ4mXKhOj8""#,
        ),
        ("paymentAttempt.created", "payment_attempt.payer_user_id", "null"),
        ("organizationInvitation.created", "invitation.role", r#""org:member""#),
        (
            "organizationInvitation.accepted",
            "invitation.organization_id",
            r#""org_3Bq4nV1deqhNqJAUn9Mw0hkvrtw""#,
        ),
        ("session.created", "session.user_id == data.user_id && has(session.user_id)", "true"),
        ("organizationDomain.created", "domain.organization_id.startsWith('org_')", "true"),
        ("waitlistEntry.created", "waitlist_entry.id == subject", "true"),
    ] {
        let value = with_sample(event_type, |view| compile(expression).evaluate(view)).unwrap();
        assert_eq!(shown(&value), expected, "{expression} on {event_type}");
    }
}

#[test]
fn missing_members_are_null() {
    let data = json!({"a": {"text": "x", "nil": null, "number": 1}, "list": [1]});
    for (expression, expected) in [
        ("data.b.c", "null"),
        ("data.b.c == 'x'", "false"),
        ("data.b.c != 'x'", "true"),
        ("data.b.c == null", "true"),
        ("null == data.b.c", "true"),
        ("data.a.text.more", "null"),
        ("data.list[7]", "null"),
        ("data.list[data.list[0]]", "null"),
        ("data['b']['c']", "null"),
        ("data.list['x']", "null"),
        ("data.b.c + 'x'", "null"),
        ("'x' + data.b.c", "null"),
        ("data.b.c > 1", "null"),
        ("!data.b.c", "null"),
        ("data.b.c.startsWith('x')", "null"),
        ("data.b.c.exists(x, x == 1)", "null"),
        ("size(data.b)", "null"),
        ("int(data.b)", "null"),
        ("1 in data.b", "null"),
        ("data.b.c ? 1 : 2", "null"),
        ("data.b.c || true", "true"),
        ("data.b.c && false", "false"),
        ("has(data.a.text) ? data.a.text : 'none'", r#""x""#),
        ("has(data.b.c)", "false"),
        ("has(data.a.nil)", "true"),
        ("has(data.list[0].x)", "false"),
        ("data.a.nil", "null"),
        ("'text' in data.a && !('b' in data.a)", "true"),
        ("data.a", r#"{"nil":null,"number":1,"text":"x"}"#),
    ] {
        let value = with_data(&data, |view| compile(expression).evaluate(view)).unwrap();
        assert_eq!(shown(&value), expected, "{expression}");
    }
}

#[test]
fn values_are_given_a_default_and_a_form() {
    let data = json!({
        "text": " Ärger ", "nil": null, "empty": "", "no": false, "n": 0, "list": ["A"],
        "plan": { "name": "pro" },
    });
    for (expression, expected) in [
        ("default(data.plan.name, 'free')", r#""pro""#),
        ("default(data.missing.name, 'free')", r#""free""#),
        ("default(data.nil, data.missing)", "null"),
        ("default(data.empty, 'x') + default(data.nil, 'y')", r#""y""#),
        ("default(data.no, true)", "false"),
        ("coalesce(data.missing, data.nil, data.n, 1)", "0"),
        ("coalesce(data.missing)", "null"),
        ("coalesce(data.nil, data.list)[0]", r#""A""#),
        ("lower(data.text)", r#"" ärger ""#),
        ("upper(trim(data.text))", r#""ÄRGER""#),
        ("trim(data.nil)", "null"),
        ("default(lower(data.missing), 'none')", r#""none""#),
        ("data.list.map(x, lower(x))", r#"["a"]"#),
        ("data.?plan.?name", r#""pro""#),
        ("data.?missing.?name", "null"),
        ("data.list[?0] + default(data.list[?3], '-')", r#""A-""#),
    ] {
        let value = with_data(&data, |view| compile(expression).evaluate(view)).unwrap();
        assert_eq!(shown(&value), expected, "{expression}");
    }
    for expression in ["lower(data.n)", "trim(data.list)"] {
        let error = with_data(&data, |view| compile(expression).evaluate(view)).unwrap_err();
        assert!(error.to_string().contains(&expression[..4]), "{error}");
    }
}

#[test]
fn conditions_say_what_is_missing() {
    let data = json!({"plan": "pro", "nil": null, "n": 1, "yes": true});
    let missing = |path: &str| Condition::False { missing: Some(path.to_owned()) };
    let not = Condition::False { missing: None };
    for (expression, expected) in [
        ("data.plan == 'pro'", Condition::True),
        ("data.yes", Condition::True),
        ("data.plan == 'free'", not.clone()),
        ("data.nil == 'x'", not.clone()),
        ("data.nil > 1", missing("data.nil")),
        ("data.public_metadata.plan == 'pro'", missing("data.public_metadata.plan")),
        ("data.public_metadata.plan", missing("data.public_metadata.plan")),
        ("data.list[3].x > 1", missing("data.list[3].x")),
        ("data.plan == 'free' && data.b == 1", not.clone()),
        ("has(data.b)", not),
        ("organization.id == 'x'", missing("organization.id")),
    ] {
        let condition = with_data(&data, |view| compile(expression).holds(view)).unwrap();
        assert_eq!(condition, expected, "{expression}");
    }
    let error = with_data(&data, |view| compile("data.n").holds(view)).unwrap_err();
    assert_eq!(error.kind, EvaluationErrorKind::NotABoolean(Kind::Int));
}

#[test]
fn numbers_are_exact() {
    let data =
        json!({"big": 9_007_199_254_740_993_i64, "max": u64::MAX, "min": i64::MIN, "f": 0.5});
    for (expression, expected) in [
        ("data.big", "9007199254740993"),
        ("data.big + 1", "9007199254740994"),
        ("data.max", "18446744073709551615u"),
        ("data.max - 1u", "18446744073709551614u"),
        ("data.min", "-9223372036854775808"),
        ("data.f", "0.5"),
        ("[data.big, data.max]", "[9007199254740993,18446744073709551615]"),
        ("1u", "1"),
    ] {
        let value = with_data(&data, |view| compile(expression).evaluate(view)).unwrap();
        assert_eq!(shown(&value), expected, "{expression}");
    }
}

#[test]
fn errors_say_no_value() {
    let secret = "otp-483920-hush";
    let data = json!({"s": secret, "n": 483_920, "list": [secret], "map": {secret: secret}, "min": i64::MIN});
    for expression in [
        "data.s + 1",
        "data.s - data.s",
        "data.s * data.n",
        "-data.s",
        "!data.s",
        "data.s < data.n",
        "data.s && true",
        "data.s ? 1 : 2",
        "data.n / 0",
        "data.n % 0",
        "-data.min",
        "data.min - data.n",
        "timestamp(data.s)",
        "duration(data.s)",
        "int(data.s)",
        "double(data.s)",
        "uint(-data.n)",
        "bool(data.s)",
        "size(data.n)",
        "data.s.contains(data.n)",
        "data.s in data.s",
        "data.n.getHours()",
        "{data.s: 1, data.s: 2}",
        "{data.list: 1}",
        "{data.map: data.s}",
        "bytes(data.s)",
        "duration('1h')",
        "type(data.s)",
        "data.s.map(x, x)",
        "data.list.map(x, x + 1)",
        "data.map.map(x, x - 1)",
        "data.list.all(x, x)",
        "timestamp(occurred_at).getHours(data.s)",
        "1.0 / 0.0",
        "timestamp(9223372036854775807)",
        "timestamp(occurred_at) + duration('9000000000000s')",
    ] {
        let error = with_data(&data, |view| compile(expression).evaluate(view)).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hush") && !shown.contains("483"), "{expression}: {shown}");
        assert!(error.to_string().contains(expression), "{error}");
        assert_ne!(error.kind, EvaluationErrorKind::EvaluatorFailed, "{expression}");
    }
    let value = with_data(&data, |view| compile("data").evaluate(view)).unwrap();
    assert_eq!(format!("{value:?}"), "Json(..)");
    with_data(&data, |view| assert!(!format!("{view:?}").contains("hush")));
}

#[test]
fn kinds_on_samples() {
    let users = ["user.created", "user.updated", "user.deleted", "not.known"];
    for (expression, kinds) in [
        ("user.primary_email_address", vec![Kind::Text]),
        ("user.banned", vec![Kind::Bool]),
        ("user.created_at", vec![Kind::Int]),
        ("user.public_metadata", vec![Kind::Json]),
        ("user.created_at / 1.5", vec![]),
        ("timestamp(occurred_at)", vec![Kind::Time]),
        ("double(user.created_at)", vec![Kind::Float]),
        ("data.nothing", vec![]),
        ("user.birthday", vec![Kind::Text]),
        ("data.birthday", vec![]),
        ("user.banned ? 1 : 'x'", vec![Kind::Text]),
    ] {
        let checked = compile(expression).check(&users);
        assert_eq!(checked.kinds.into_iter().collect::<Vec<_>>(), kinds, "{expression}");
    }
    let checked = compile("user.id + 1").check(&users);
    assert_eq!(checked.failures.len(), 3, "{checked:?}");
    assert_eq!(checked.failures[2].0, "user.deleted");
}

const USER: EventParts<'static> = EventParts {
    id: "msg_1",
    event_type: "user.created",
    source: "clerk",
    subject: None,
    occurred_at_ms: i64::MAX,
    instance_id: None,
};

#[test]
fn bodies_that_cannot_be_read_have_no_data() {
    for body in [b"".as_slice(), b"[]", b"{\"type\":\"x\"}"] {
        let view = EventView::of_body(USER, body);
        let roots = ["data", "user", "event_attributes", "occurred_at", "instance_id"];
        for path in roots.into_iter().chain(["user.full_name", "data.id"]) {
            assert!(compile(path).evaluate(&view).unwrap() == Value::Null, "{path}");
        }
        assert!(compile("id").evaluate(&view).unwrap() == text("msg_1"));
    }
}

#[test]
fn what_no_value_holds_hides_nothing_else() {
    let deep = format!("{}1{}", "[".repeat(130), "]".repeat(130));
    let deepest = format!("{}1{}", r#"{"a":"#.repeat(200_000), "}".repeat(200_000));
    let odd = [&*deep, &*deepest, r#""\ud83d""#, r#""\u0000""#, "1e400", "12345678901234567890123"];
    for odd in odd {
        let body = format!(
            r#"{{"type":"user.created","event_attributes":{{"http_request":{{"user_agent":{odd},
            "client_ip":"203.0.113.7"}}}},"data":{{"id":"user_1","unsafe_metadata":{{"x":{odd},"y":2}},
            "first_name":"Mira","public_metadata":{{"plan":"pro"}}}}}}"#
        );
        let view = EventView::of_body(USER, body.as_bytes());
        for (expression, expected) in [
            ("data.public_metadata.plan", r#""pro""#),
            ("user.unsafe_metadata.y", "2"),
            ("user.full_name", r#""Mira""#),
            ("event_attributes.http_request.client_ip", r#""203.0.113.7""#),
            ("has(user.unsafe_metadata) && user.unsafe_metadata == data.unsafe_metadata", "true"),
        ] {
            let value = compile(expression).evaluate(&view).unwrap();
            assert_eq!(shown(&value), expected, "{expression}, {odd:.40}");
        }
        assert!(compile("user").evaluate(&view).is_ok(), "{odd:.40}");
    }
}

#[test]
fn times_keep_milliseconds() {
    let value = with_data(&Json::Null, |view| {
        compile("timestamp('2024-05-28T10:00:00.1239+02:00')").evaluate(view)
    });
    assert!(value.unwrap() == Value::Time(UnixMillis::from_millis(1_716_883_200_123).unwrap()));
}

#[test]
fn where_no_primary_address_is_named_a_verified_one_counts() {
    let verified = json!({ "email_address": "b", "verification": { "status": "verified" } });
    let unverified = json!({ "email_address": "a", "verification": { "status": "unverified" } });
    let expression = compile("user.primary_email_address");
    for (data, expected) in [
        (json!({ "email_addresses": [unverified, verified] }), text("b")),
        (json!({ "email_addresses": [{ "email_address": "c" }] }), text("c")),
        (json!({ "email_addresses": [unverified] }), Value::Null),
        (json!({ "email_addresses": [verified], "primary_email_address_id": null }), Value::Null),
    ] {
        let found = with_data(&data, |view| expression.evaluate(view).unwrap());
        assert_eq!(shown(&found), shown(&expected), "{data}");
    }
}
