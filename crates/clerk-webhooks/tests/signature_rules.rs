//! Each rule of the signature scheme, as this library keeps it.

use std::time::{Duration, SystemTime};

use clerk_webhooks::{
    HeaderFamily, Secret, SignatureHeaders, SignedHeaders, Signer, Verifier, VerifyError,
};
use http::{HeaderMap, HeaderName, HeaderValue};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI=";
const SENT: u64 = 1_700_000_000;
const BODY: &[u8] = br#"{"type":"user.created","data":{"id":"user_1"}}"#;

fn secret(text: &str) -> Secret {
    Secret::parse(text).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn signed(body: &[u8]) -> SignedHeaders {
    Signer::new(&secret(SECRET)).unwrap().sign("msg_1", SENT, body)
}

fn map(lines: &[(&'static str, &[u8])]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap())
        })
        .collect::<Vec<_>>()
        .into_iter()
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

fn verify(lines: &[(&'static str, &[u8])]) -> Result<(), VerifyError> {
    verify_at(lines, SENT)
}

fn verify_at(lines: &[(&'static str, &[u8])], now: u64) -> Result<(), VerifyError> {
    Verifier::new(secret(SECRET)).verify(&map(lines), BODY, at(now)).map(|_| ())
}

fn code(result: Result<(), VerifyError>) -> &'static str {
    result.map_or_else(|error| error.code(), |()| "ok")
}

fn with_signature(signature: &[u8]) -> &'static str {
    code(verify(&[
        ("svix-id", b"msg_1"),
        ("svix-timestamp", b"1700000000"),
        ("svix-signature", signature),
    ]))
}

#[test]
fn the_published_example_verifies() {
    // From the documentation of Svix and of Standard Webhooks.
    let headers = map(&[
        ("svix-id", b"msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("svix-timestamp", b"1614265330"),
        ("svix-signature", b"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ]);
    let verifier = Verifier::new(secret(SECRET));
    let verified =
        verifier.verify(&headers, br#"{"test": 2432232314}"#, at(1_614_265_330)).unwrap();
    assert_eq!(verified.id(), "msg_p5jXN8AQM9LWM0D4loKWxJek");
    assert_eq!(verified.timestamp(), 1_614_265_330);
    assert_eq!(verified.body(), br#"{"test": 2432232314}"#);
    assert_eq!(verified.secret_index(), 0);
}

#[test]
fn what_is_signed_verifies_under_both_families() {
    for family in [HeaderFamily::Svix, HeaderFamily::Webhook] {
        let headers = signed(BODY).to_map(family).unwrap();
        let verifier = Verifier::new(secret(SECRET));
        assert_eq!(verifier.verify(&headers, BODY, at(SENT)).unwrap().id(), "msg_1", "{family:?}");
    }
}

#[test]
fn any_bytes_are_a_body() {
    let bodies: [&[u8]; 5] =
        [b"", b"not json", b"\xff\xfe\x00", b"{\"a\":\"\\u0026\"}", &[0; 70_000]];
    for body in bodies {
        let headers = signed(body).to_map(HeaderFamily::Svix).unwrap();
        let result = Verifier::new(secret(SECRET)).verify(&headers, body, at(SENT));
        assert_eq!(result.unwrap().body(), body);
    }
}

#[test]
fn another_secret_body_id_or_timestamp_does_not_match() {
    let signature = signed(BODY).signature().to_owned();
    let lines = |id: &'static [u8], timestamp: &'static [u8]| {
        map(&[
            ("svix-id", id),
            ("svix-timestamp", timestamp),
            ("svix-signature", signature.as_bytes()),
        ])
    };
    let ours = Verifier::new(secret(SECRET));
    let right = lines(b"msg_1", b"1700000000");
    assert!(ours.verify(&right, BODY, at(SENT)).is_ok());

    let others = Verifier::new(secret(OTHER_SECRET));
    let no_match = VerifyError::NoMatch { signatures: 1, secrets: 1 };
    assert_eq!(others.verify(&right, BODY, at(SENT)).unwrap_err(), no_match);
    assert_eq!(ours.verify(&right, b"{}", at(SENT)).unwrap_err(), no_match);
    assert_eq!(ours.verify(&lines(b"msg_2", b"1700000000"), BODY, at(SENT)).unwrap_err(), no_match);
    assert_eq!(ours.verify(&lines(b"msg_1", b"1700000001"), BODY, at(SENT)).unwrap_err(), no_match);
}

#[test]
fn any_signature_of_the_list_will_do() {
    let good = signed(BODY).signature().to_owned();
    for list in [
        format!("v1,AAAA {good}"),
        format!("{good} v1,AAAA"),
        format!("v2,x v1a,zzz {good} v9"),
        format!("v1,AAAA\t{good}"),
    ] {
        assert_eq!(with_signature(list.as_bytes()), "ok", "{list}");
    }
}

#[test]
fn several_secrets_are_tried_and_the_match_is_told() {
    let verifier =
        Verifier::builder().secret(secret(OTHER_SECRET)).secrets([secret(SECRET)]).build().unwrap();
    let headers = signed(BODY).to_map(HeaderFamily::Svix).unwrap();
    assert_eq!(verifier.verify(&headers, BODY, at(SENT)).unwrap().secret_index(), 1);

    let both = Signer::with_secrets([&secret(SECRET), &secret(OTHER_SECRET)]).unwrap();
    let headers = both.sign("msg_1", SENT, BODY).to_map(HeaderFamily::Svix).unwrap();
    for text in [SECRET, OTHER_SECRET] {
        assert!(Verifier::new(secret(text)).verify(&headers, BODY, at(SENT)).is_ok(), "{text}");
    }
}

#[test]
fn a_verifier_needs_a_secret() {
    assert!(Verifier::builder().build().is_err());
}

#[test]
fn the_tolerance_is_whole_seconds_and_inclusive() {
    let verifier = Verifier::new(secret(SECRET));
    let headers = signed(BODY).to_map(HeaderFamily::Svix).unwrap();
    let cases = [
        (at(SENT + 300), "ok"),
        (at(SENT + 300) + Duration::from_millis(999), "ok"),
        (at(SENT + 301), "too_old"),
        (at(SENT - 300), "ok"),
        (at(SENT - 301), "too_new"),
        (SystemTime::UNIX_EPOCH - Duration::from_secs(5), "too_new"),
    ];
    for (now, expected) in cases {
        assert_eq!(code(verifier.verify(&headers, BODY, now).map(|_| ())), expected, "{now:?}");
    }
}

#[test]
fn the_tolerance_is_configurable() {
    let verifier = Verifier::builder()
        .secret(secret(SECRET))
        .tolerance(Duration::from_millis(10_900))
        .build()
        .unwrap();
    let headers = signed(BODY).to_map(HeaderFamily::Svix).unwrap();
    assert!(verifier.verify(&headers, BODY, at(SENT + 10)).is_ok());
    let error = verifier.verify(&headers, BODY, at(SENT + 11)).unwrap_err();
    let seconds = Duration::from_secs;
    assert_eq!(error, VerifyError::TooOld { age: seconds(11), tolerance: seconds(10) });

    let any = Verifier::builder().secret(secret(SECRET)).tolerance(Duration::MAX).build().unwrap();
    assert!(any.verify(&headers, BODY, SystemTime::UNIX_EPOCH).is_ok());
}

#[test]
fn a_bad_time_is_told_only_of_a_good_signature() {
    let forged: &[(&'static str, &[u8])] =
        &[("svix-id", b"msg_1"), ("svix-timestamp", b"1700000000"), ("svix-signature", b"v1,AAAA")];
    assert_eq!(code(verify_at(forged, SENT + 100_000)), "no_match");

    let good = signed(BODY).signature().to_owned();
    let late = verify_at(
        &[
            ("svix-id", b"msg_1"),
            ("svix-timestamp", b"1700000000"),
            ("svix-signature", good.as_bytes()),
        ],
        SENT + 100_000,
    );
    assert!(late.unwrap_err().is_authentic());
}

#[test]
fn one_whole_family_is_used() {
    let good = signed(BODY).signature().to_owned();
    let good = good.as_bytes();
    let svix: [(&str, &[u8]); 3] =
        [("svix-id", b"msg_1"), ("svix-timestamp", b"1700000000"), ("svix-signature", good)];
    let webhook: [(&str, &[u8]); 3] = [
        ("webhook-id", b"msg_1"),
        ("webhook-timestamp", b"1700000000"),
        ("webhook-signature", good),
    ];
    let forged = ("svix-signature", b"v1,AAAA".as_slice());

    // Never mixed.
    assert_eq!(code(verify(&[svix[0], svix[1], webhook[2]])), "missing_header");
    assert_eq!(code(verify(&[webhook[0], svix[1], svix[2]])), "missing_header");
    // svix-* is preferred, and the other is not a second chance.
    assert_eq!(
        code(verify(&[svix[0], svix[1], forged, webhook[0], webhook[1], webhook[2]])),
        "no_match"
    );
    // An incomplete or blank family does not hide a whole one.
    assert_eq!(code(verify(&[svix[0], webhook[0], webhook[1], webhook[2]])), "ok");
    let blank = ("svix-signature", b" ".as_slice());
    assert_eq!(code(verify(&[svix[0], svix[1], blank, webhook[0], webhook[1], webhook[2]])), "ok");
}

#[test]
fn a_missing_header_is_named_with_those_present() {
    let error = verify(&[("svix-id", b"msg_1"), ("svix-signature", b"v1,AAAA")]).unwrap_err();
    let VerifyError::MissingHeader { name, present } = error else { panic!("{error:?}") };
    assert_eq!(name, "svix-timestamp");
    assert_eq!(present.to_string(), "svix-id, svix-signature");

    let error = verify(&[("webhook-id", b"msg_1"), ("webhook-timestamp", b"1")]).unwrap_err();
    let VerifyError::MissingHeader { name, .. } = error else { panic!("{error:?}") };
    assert_eq!(name, "webhook-signature");

    let error = verify(&[]).unwrap_err();
    let VerifyError::MissingHeader { name, present } = error else { panic!("{error:?}") };
    assert_eq!((name, present.to_string().as_str()), ("svix-id", "none"));
}

#[test]
fn headers_come_from_any_getter_and_are_trimmed() {
    let good = format!(" \t{}  ", signed(BODY).signature());
    let lines =
        [("svix-id", " msg_1 "), ("svix-timestamp", "\t1700000000"), ("svix-signature", &good)];
    let headers = SignatureHeaders::from_fn(|name| {
        lines.iter().filter(move |line| line.0 == name).map(|line| line.1.as_bytes())
    })
    .unwrap();
    assert_eq!((headers.id(), headers.timestamp()), ("msg_1", "1700000000"));
    assert_eq!(headers.family(), HeaderFamily::Svix);
    assert!(Verifier::new(secret(SECRET)).verify_headers(&headers, BODY, at(SENT)).is_ok());
}

#[test]
fn the_owned_message_shares_the_body() {
    let body = bytes::Bytes::from_static(BODY);
    let headers = signed(BODY).to_map(HeaderFamily::Svix).unwrap();
    let verifier = Verifier::new(secret(SECRET));
    let message = verifier.verify_bytes(&headers, &body, at(SENT)).unwrap();
    assert_eq!(message.body().as_ptr(), body.as_ptr());

    let copied = verifier.verify(&headers, BODY, at(SENT)).unwrap().into_owned();
    for message in [message, copied] {
        assert_eq!((message.id(), message.timestamp()), ("msg_1", SENT));
        assert_eq!((message.body().as_ref(), message.secret_index()), (BODY, 0));
    }
}

#[test]
fn nothing_that_is_printed_holds_the_secret_or_the_body() {
    let headers = signed(BODY).to_map(HeaderFamily::Svix).unwrap();
    let verifier = Verifier::new(secret(SECRET));
    let verified = verifier.verify(&headers, BODY, at(SENT)).unwrap();
    let printed = format!(
        "{:?} {verifier:?} {:?} {:?} {verified:?} {:?}",
        secret(SECRET),
        Verifier::builder().secret(secret(SECRET)),
        Signer::new(&secret(SECRET)).unwrap(),
        verified.into_owned(),
    );
    for hidden in ["MfKQ", "49, 242, 144", "user_1", "user.created", "117, 115, 101"] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}
