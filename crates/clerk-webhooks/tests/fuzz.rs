//! The checks of the fuzz targets, on random input in the shape of requests and events, and on chosen input.

#[path = "../fuzz/checks.rs"]
mod checks;

use proptest::prelude::*;

const NAMES: [&str; 7] = [
    "svix-id",
    "svix-timestamp",
    "svix-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "host",
];

const VALUES: [&str; 16] = [
    "msg_1",
    " msg_1\t",
    "1700000000",
    "1700000300",
    "1699999699",
    "+1700000000",
    "v1,%",
    "v1,% v1,%",
    "v1,AAAA v1,%",
    "v1a,%",
    "v1,%,x",
    "%",
    "",
    " ",
    "v1",
    "ö",
];

const MEMBERS: [&str; 8] =
    ["type", "timestamp", "data", "id", "object", "instance_id", "event_attributes", "created_at"];

fn line() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        4 => prop::sample::select(&VALUES[..]).prop_map(|it| it.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    (prop::sample::select(&NAMES[..]), value)
        .prop_map(|(name, value)| [name.as_bytes(), b":", &value, b"\n"].concat())
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let whole = prop::bool::ANY.prop_map(|whole| {
        let lines = "svix-id:msg_1\nsvix-timestamp:1700000000\nsvix-signature:v1,%\n";
        if whole { lines.as_bytes().to_vec() } else { Vec::new() }
    });
    let lines = prop::collection::vec(line(), 0..6).prop_map(|lines| lines.concat());
    (whole, lines, prop::collection::vec(any::<u8>(), 0..20))
        .prop_map(|(whole, lines, body)| [whole, lines, b"\n".to_vec(), body].concat())
}

/// JSON that is nearly an event.
fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        "\"[a-z_.:\\-0-9]{0,12}\"",
        Just(r#""\ud83d \u0026""#.to_owned()),
        Just("\"user.created\"".to_owned()),
        Just("\"2024-05-28T08:00:00Z\"".to_owned()),
    ];
    scalar.prop_recursive(4, 40, 6, |inner| {
        let member = (prop::sample::select(&MEMBERS[..]), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(member, 0..6).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn headers(data in request()) {
        checks::headers(&data);
    }

    #[test]
    fn verify(data in request()) {
        checks::verify(&data);
    }

    #[test]
    fn secret(text in r#"[ "']?(whsec_|whpk_|whsk_|sk_)?[A-Za-z0-9+/=_\-, ]{0,90}"#) {
        checks::secret(text.as_bytes());
    }

    #[test]
    fn event(text in json(), wrapped in any::<bool>()) {
        let text = if wrapped { format!(r#"{{"type":"user.created","data":{text}}}"#) } else { text };
        checks::event(text.as_bytes());
    }

    #[test]
    fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..200)) {
        checks::headers(&data);
        checks::verify(&data);
        checks::secret(&data);
        checks::event(&data);
    }
}

#[test]
fn chosen_events() {
    for text in [
        "",
        "{}",
        "{\"type\":\"\"}",
        "{\"type\":\"a\",\"type\":\"b\"}",
        "{\"type\":\"user.created\",\"data\":{\"id\":1}}",
        "{\"type\":\"user.created\",\"data\":{\"id\":\"\\ud83d\"}}",
        "{\"type\":\"user.created\",\"timestamp\":1e300,\"data\":[]}",
        "\u{feff}{\"type\":\"a\"}",
    ] {
        checks::event(text.as_bytes());
    }
    checks::event(format!(r#"{{"type":"a","data":{}}}"#, "[".repeat(100_000)).as_bytes());
}
