//! Mistakes that other libraries have made, and what happens here instead.

use std::time::{Duration, SystemTime};

use clerk_webhooks::{HeaderFamily, Secret, Signer, Verifier, VerifyError};
use http::{HeaderMap, HeaderValue};

const SENT: u64 = 1_700_000_000;

fn secret() -> Secret {
    Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
}

fn headers() -> HeaderMap {
    Signer::new(&secret()).unwrap().sign("msg_1", SENT, b"{}").to_map(HeaderFamily::Svix).unwrap()
}

fn good_mac() -> String {
    headers()["svix-signature"].to_str().unwrap().trim_start_matches("v1,").to_owned()
}

fn verify(headers: &HeaderMap) -> Result<(), VerifyError> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(SENT);
    Verifier::new(secret()).verify(headers, b"{}", now).map(|_| ())
}

fn with(name: &'static str, value: &[u8]) -> Result<(), VerifyError> {
    let mut map = headers();
    map.insert(name, HeaderValue::from_bytes(value).unwrap());
    verify(&map)
}

#[test]
fn a_malformed_token_fails_verification_and_nothing_else() {
    let no_match = VerifyError::NoMatch { signatures: 1, secrets: 1 };
    for token in ["v1,", "v1,%%%", "v1,=", "v1,ö", "v1,AAAA"] {
        assert_eq!(with("svix-signature", token.as_bytes()).unwrap_err(), no_match, "{token}");
    }
    for token in ["nocomma", "v1", ",", "v2,AAAA", ",,", "V1,AAAA", "\u{80}\u{81}"] {
        let error = with("svix-signature", token.as_bytes()).unwrap_err();
        assert_eq!(error, VerifyError::MalformedSignature { name: "svix-signature" }, "{token}");
    }
}

#[test]
fn a_malformed_token_does_not_hide_a_good_one() {
    let mac = good_mac();
    for list in [
        format!("nocomma v1,{mac}"),
        format!("v1,{mac} nocomma"),
        format!("  v1,AAAA   v1,{mac}  "),
        format!("v1,%%% , ,, v1 v1, v1,{mac}"),
        format!("v1,ö v1,{mac}"),
    ] {
        assert_eq!(with("svix-signature", list.as_bytes()), Ok(()), "{list}");
    }
}

#[test]
fn only_the_exact_text_of_a_signature_is_one() {
    let mac = good_mac();
    let unpadded = mac.trim_end_matches('=');
    let flipped_bit = {
        // The last character before `=` holds two bits that decode to nothing.
        let (rest, last) = unpadded.split_at(unpadded.len() - 1);
        let last = last.as_bytes()[0];
        format!("{rest}{}=", if last == b'z' { 'y' } else { char::from(last + 1) })
    };
    let tokens = [
        format!("v1,{mac},junk"),
        format!("v1,{mac},"),
        format!("v1,{mac}="),
        format!("v1,{unpadded}"),
        format!("v1,{flipped_bit}"),
        format!("v1,,{mac}"),
        format!("v1=,{mac}"),
        format!("v2,{mac}"),
        format!("V1,{mac}"),
        format!("v1,{}", mac.to_lowercase()),
        format!("v1a,{mac}"),
        mac.clone(),
        format!("v1,x{mac}"),
    ];
    for token in tokens {
        assert!(with("svix-signature", token.as_bytes()).is_err(), "{token}");
    }
}

#[test]
fn a_timestamp_is_ascii_digits() {
    let malformed = VerifyError::MalformedTimestamp { name: "svix-timestamp" };
    for text in [
        "1700000000.0",
        "1700000000.5",
        "1.7e9",
        "1_700_000_000",
        "+1700000000",
        "-1700000000",
        "0x6553f100",
        "1700000000s",
        "17000 00000",
        "NaN",
        "18446744073709551616",
        "99999999999999999999999999999999",
    ] {
        assert_eq!(with("svix-timestamp", text.as_bytes()).unwrap_err(), malformed, "{text}");
    }
    // Arabic-Indic digits are digits to many a parser; here they are not even a header.
    let error = with("svix-timestamp", "١٧٠٠٠٠٠٠٠٠".as_bytes()).unwrap_err();
    assert_eq!(error, VerifyError::MalformedHeader { name: "svix-timestamp" });
}

#[test]
fn a_timestamp_is_signed_as_its_text_stands() {
    // The same number in another text is another content.
    let error = with("svix-timestamp", b"01700000000").unwrap_err();
    assert_eq!(error.code(), "no_match");
    let error = with("svix-timestamp", b"18446744073709551615").unwrap_err();
    assert_eq!(error.code(), "no_match");
}

#[test]
fn two_lines_of_signatures_are_one_list() {
    let good = format!("v1,{}", good_mac());
    for lines in [["v1,AAAA", &good], [&good, "v1,AAAA"]] {
        let mut map = headers();
        map.remove("svix-signature");
        for line in lines {
            map.append("svix-signature", HeaderValue::from_str(line).unwrap());
        }
        map.append("svix-signature", HeaderValue::from_static("v1,BBBB"));
        assert_eq!(verify(&map), Ok(()), "{lines:?}");
    }
}

#[test]
fn a_repeated_id_or_timestamp_is_refused() {
    for (name, value) in
        [("svix-id", "msg_1"), ("svix-id", "msg_2"), ("svix-timestamp", "1700000000")]
    {
        let mut map = headers();
        map.append(name, HeaderValue::from_static(value));
        assert_eq!(verify(&map).unwrap_err(), VerifyError::RepeatedHeader { name }, "{value}");
    }
}

#[test]
fn an_id_that_is_not_printable_ascii_is_refused() {
    let error = with("svix-id", "msg_ö".as_bytes()).unwrap_err();
    assert_eq!(error, VerifyError::MalformedHeader { name: "svix-id" });
    let error = with("svix-id", b"msg_\xff").unwrap_err();
    assert_eq!(error, VerifyError::MalformedHeader { name: "svix-id" });
}

#[test]
fn an_id_that_no_header_can_hold_is_an_error_of_the_header() {
    let signed = Signer::new(&secret()).unwrap().sign("msg\r\nx: y", SENT, b"{}");
    assert!(signed.to_map(HeaderFamily::Svix).is_err());
}

#[test]
fn errors_tell_the_operator_what_to_look_at() {
    let cases = [
        (
            with("svix-id", b" ").unwrap_err(),
            "header svix-id is missing or blank (present: svix-timestamp, svix-signature)",
        ),
        (
            with("svix-signature", b"v1,AAAA").unwrap_err(),
            "none of 1 signatures matches any of 1 secrets",
        ),
        (
            VerifyError::TooOld {
                age: Duration::from_secs(301),
                tolerance: Duration::from_secs(300),
            },
            "the signature is valid, but the message is 301 s old and at most 300 s are accepted",
        ),
    ];
    for (error, start) in cases {
        assert!(error.to_string().starts_with(start), "{error}");
    }
}
