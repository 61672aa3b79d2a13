use clerk_webhooks::{HeaderFamily, Secret, Signer};
use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_780_000_000;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// As Clerk sends it: Go's escapes, members in no order.
const BODY: &str = r#"{"type":"user.created","object":"event","timestamp":1780000000000,"data":{"id":"user_1","last_name":"K\u0026R é","z":1.50,"a":[1,2]}}"#;

fn secrets() -> Vec<NamedSecret> {
    [("clerk", SECRET), ("shop", OTHER)]
        .map(|(name, text)| NamedSecret {
            name: name.to_owned(),
            text: text.to_owned(),
            secret: Secret::parse(text).unwrap(),
        })
        .to_vec()
}

/// As Clerk signs it.
fn signed(body: &[u8]) -> Captured {
    signed_with(&Secret::parse(SECRET).unwrap(), NOW, body)
}

fn signed_with(secret: &Secret, seconds: u64, body: &[u8]) -> Captured {
    let signer = Signer::new(secret).unwrap();
    let signed = signer.sign("msg_1", seconds, body);
    let headers = signed.iter(HeaderFamily::Svix);
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Captured { headers: headers.collect(), body: body.to_vec(), is_parsed: false }
}

fn diagnosed(captured: &Captured) -> Diagnosis {
    let secrets = secrets();
    let tolerance = Duration::from_secs(300);
    let receiver = Receiver { secrets: &secrets, own: 1, now_seconds: NOW + 5, tolerance };
    diagnose(captured, &receiver).unwrap()
}

/// The codes of the causes, and the rule.
fn found(captured: &Captured) -> (Option<&'static str>, Vec<CauseCode>) {
    let diagnosis = diagnosed(captured);
    let codes = diagnosis.causes.iter().map(|cause| cause.code);
    (diagnosis.rule.as_ref().map(VerifyError::code), codes.collect())
}

fn with_body(body: impl Into<Vec<u8>>) -> Captured {
    Captured { body: body.into(), ..signed(BODY.as_bytes()) }
}

fn parsed() -> Value {
    serde_json::from_str(BODY).unwrap()
}

#[test]
fn a_valid_request_names_its_secret() {
    let diagnosis = diagnosed(&signed(BODY.as_bytes()));
    assert_eq!((diagnosis.rule, diagnosis.causes), (None, Vec::new()));
    assert_eq!(
        (diagnosis.message_id.as_deref(), diagnosis.secret.as_deref()),
        (Some("msg_1"), Some("clerk"))
    );
}

#[test]
fn a_body_that_was_changed_says_how() {
    use CauseCode as Code;
    let latin: String = BODY.bytes().map(char::from).collect();
    let in_order = BODY.replace("\\u0026", "&");
    let spaced = in_order.replace("\":", "\": ").replace(",\"", ", \"").replace("1,2", "1, 2");
    for (body, codes) in [
        (in_order.clone(), vec![Code::BodyEscapes]),
        (spaced.clone(), vec![Code::BodySpacing, Code::BodyEscapes]),
        (spaced.replace('&', "\\u0026"), vec![Code::BodySpacing]),
        (BODY.replace('é', "\\u00e9"), vec![Code::BodyEscapes]),
        (format!("{BODY}\n"), vec![Code::BodyTrailingNewline]),
        (format!("\u{feff}{BODY}"), vec![Code::BodyByteOrderMark]),
        (json!(BODY).to_string(), vec![Code::BodyEncodedTwice]),
        (json!(in_order).to_string(), vec![Code::BodyEncodedTwice, Code::BodyEscapes]),
        (BASE64.encode(BODY), vec![Code::BodyBase64]),
        (format!("payload={}", url_encoded(BODY)), vec![Code::BodyPercentEncoded]),
        (latin, vec![Code::BodyCharset]),
        (BODY[..90].to_owned(), vec![Code::BodyTruncated]),
        (String::new(), vec![Code::BodyEmpty]),
    ] {
        assert_eq!(found(&with_body(body.clone())), (Some("no_match"), codes), "{body}");
    }
    let pretty = with_body(format!("{:#}", parsed()));
    assert_eq!(found(&pretty).1, [], "the order of members is lost: nothing known explains it");
}

#[test]
fn an_order_that_was_lost_is_found_where_it_was_sorted() {
    let sorted = parsed().to_string();
    let captured =
        Captured { body: BODY.replace("\\u0026", "&").into_bytes(), ..signed(sorted.as_bytes()) };
    assert_eq!(found(&captured), (Some("no_match"), vec![CauseCode::BodyKeyOrder]));
}

#[test]
fn line_ends_that_were_converted_are_known_both_ways() {
    let (lf, crlf) = ("{\n \"type\": \"a\"\n}", "{\r\n \"type\": \"a\"\r\n}");
    for (signed_body, came) in [(lf, crlf), (crlf, lf)] {
        let captured =
            Captured { body: came.as_bytes().to_vec(), ..signed(signed_body.as_bytes()) };
        assert_eq!(found(&captured).1, [CauseCode::BodyLineEnds], "{came:?}");
    }
}

#[test]
fn a_wrong_key_says_which_one_it_was() {
    use CauseCode as Code;
    let bare = SECRET.strip_prefix("whsec_").unwrap();
    let raw = |bytes: &[u8]| Secret::from_bytes(bytes).unwrap();
    for (secret, code) in [
        (Secret::parse(OTHER).unwrap(), Code::SecretOfOtherSource),
        (raw(SECRET.as_bytes()), Code::SecretNotDecoded),
        (raw(bare.as_bytes()), Code::SecretNotDecoded),
    ] {
        let captured = signed_with(&secret, NOW, BODY.as_bytes());
        assert_eq!(found(&captured), (Some("no_match"), vec![code]));
    }
    let diagnosis = diagnosed(&signed_with(&Secret::parse(OTHER).unwrap(), NOW, BODY.as_bytes()));
    assert_eq!(diagnosis.secret.as_deref(), Some("shop"));
    let hex = "4a".repeat(16);
    let secrets = [NamedSecret {
        name: "hex".to_owned(),
        text: hex.clone(),
        secret: Secret::parse(&hex).unwrap(),
    }];
    let captured = signed_with(&raw(&[0x4a; 16]), NOW, BODY.as_bytes());
    let receiver = Receiver {
        secrets: &secrets,
        own: 1,
        now_seconds: NOW,
        tolerance: Duration::from_secs(300),
    };
    let diagnosis = diagnose(&captured, &receiver).unwrap();
    assert_eq!(diagnosis.causes[0].code, Code::SecretHex);
}

#[test]
fn headers_that_were_changed_say_how() {
    use CauseCode as Code;
    let change = |change: &dyn Fn(&str, &str) -> (String, String)| {
        let mut captured = signed(BODY.as_bytes());
        for (name, value) in &mut captured.headers {
            (*name, *value) = change(name, value);
        }
        captured
    };
    let renamed =
        change(&|name, value| (format!("X-{}", name.replace('-', "_")), value.to_owned()));
    assert_eq!(found(&renamed), (Some("missing_header"), vec![Code::HeaderRenamed]));
    let is_signature = |name: &str| name == "svix-signature";
    let signature = |make: &dyn Fn(&str) -> String| {
        change(&|name, value| {
            let value = if is_signature(name) { make(&value[3..]) } else { value.to_owned() };
            (name.to_owned(), value)
        })
    };
    let as_hex = |text: &str| hex::encode(BASE64.decode(text).unwrap());
    for (captured, rule, code) in [
        (signature(&|text| format!("v1,{}", as_hex(text))), "no_match", Code::SignatureHex),
        (signature(&|text| text.to_owned()), "malformed_signature", Code::SignatureWithoutVersion),
    ] {
        assert_eq!(found(&captured), (Some(rule), vec![code]));
    }
    let mut without = signed(BODY.as_bytes());
    without.headers.remove(0);
    let diagnosis = diagnosed(&without);
    assert_eq!(diagnosis.causes[0].code, Code::HeaderMissing);
    assert!(diagnosis.causes[0].found.contains("svix-id"), "{:?}", diagnosis.causes);
}

#[test]
fn a_signature_in_the_url_safe_alphabet_says_so() {
    let secret = Secret::parse(SECRET).unwrap();
    let has_both = |captured: &Captured| {
        captured.header("svix-signature").is_some_and(|value| value.contains(['+', '/']))
    };
    let signed = (NOW - 60..NOW).map(|seconds| signed_with(&secret, seconds, BODY.as_bytes()));
    let mut captured = signed.into_iter().find(has_both).unwrap();
    for (name, value) in &mut captured.headers {
        if name == "svix-signature" {
            *value = value.replace('+', "-").replace('/', "_");
        }
    }
    assert_eq!(found(&captured), (Some("no_match"), vec![CauseCode::SignatureUrlSafe]));
}

#[test]
fn a_secret_that_is_decoded_twice_says_so() {
    let bare = SECRET.strip_prefix("whsec_").unwrap();
    let text = format!("whsec_{}", BASE64.encode(bare));
    let secret = Secret::parse(&text).unwrap();
    let secrets = [NamedSecret { name: "twice".to_owned(), text, secret }];
    let captured = signed_with(&Secret::parse(SECRET).unwrap(), NOW, BODY.as_bytes());
    let tolerance = Duration::from_secs(300);
    let receiver = Receiver { secrets: &secrets, own: 1, now_seconds: NOW, tolerance };
    let diagnosis = diagnose(&captured, &receiver).unwrap();
    assert_eq!(diagnosis.causes[0].code, CauseCode::SecretDecodedTwice);
}

#[test]
fn a_time_that_is_wrong_says_how() {
    use CauseCode as Code;
    let secret = Secret::parse(SECRET).unwrap();
    for (seconds, rule, code) in [
        (NOW - 3_600, "too_old", Code::Replayed),
        (NOW + 3_600, "too_new", Code::Clock),
        (NOW * 1_000, "too_new", Code::TimestampInMilliseconds),
    ] {
        let captured = signed_with(&secret, seconds, BODY.as_bytes());
        assert_eq!(found(&captured), (Some(rule), vec![code]));
    }
}

#[test]
fn what_nothing_known_explains_is_not_guessed_at() {
    let secret = Secret::from_bytes([9; 24]).unwrap();
    let captured = signed_with(&secret, NOW, BODY.as_bytes());
    assert_eq!(found(&captured), (Some("no_match"), Vec::new()));
}

#[test]
fn every_form_of_a_capture_is_read() {
    let request = signed(BODY.as_bytes());
    let lines: String =
        request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let pairs: Vec<Value> = request
        .headers
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    let members: serde_json::Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let flags: String =
        request.headers.iter().map(|(name, value)| format!(" -H '{name}: {value}'")).collect();
    for capture in [
        format!("POST /hooks HTTP/1.1\r\n{lines}\r\n{BODY}"),
        format!("{lines}\r\n{BODY}"),
        json!({ "headers": members, "body": BODY }).to_string(),
        json!({ "headers": members, "body": BASE64.encode(BODY), "isBase64Encoded": true })
            .to_string(),
        json!({ "log": { "entries": [
            { "request": { "method": "GET", "headers": [] } },
            { "request": { "headers": pairs, "postData": { "text": BODY } } },
        ] } })
        .to_string(),
        format!("curl https://example.com{flags} --data-raw '{BODY}'"),
    ] {
        let captured = Captured::read(capture.as_bytes()).unwrap();
        assert_eq!(found(&captured), (None, Vec::new()), "{capture}");
    }
    let parsed = json!({ "headers": members, "body": parsed() }).to_string();
    let captured = Captured::read(parsed.as_bytes()).unwrap();
    assert_eq!(found(&captured).1, [CauseCode::BodyParsed]);
    for garbage in ["", "hello", "{}", "{\"headers\":{}}", "[1]", "curl -d '"] {
        assert!(Captured::read(garbage.as_bytes()).is_err(), "{garbage}");
    }
}

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;

fn url_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
