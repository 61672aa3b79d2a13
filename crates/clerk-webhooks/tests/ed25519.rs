//! `v1a`: asymmetric signatures.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clerk_webhooks::{
    CannotSign, HeaderFamily, Secret, SecretError, Signer, Verifier, VerifyError,
};
use ed25519_dalek::SigningKey;
use http::{HeaderMap, HeaderValue};

const SENT: u64 = 1_700_000_000;
const V1: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(SENT)
}

fn pair(seed: u8) -> (Secret, Secret) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let private = format!("whsk_{}", STANDARD.encode(key.to_keypair_bytes()));
    let public = format!("whpk_{}", STANDARD.encode(key.verifying_key().to_bytes()));
    (Secret::parse(&private).unwrap(), Secret::parse(&public).unwrap())
}

fn headers(signature: &str) -> HeaderMap {
    let mut map = Signer::new(&Secret::parse(V1).unwrap())
        .unwrap()
        .sign("msg_1", SENT, b"{}")
        .to_map(HeaderFamily::Svix)
        .unwrap();
    map.insert("svix-signature", HeaderValue::from_str(signature).unwrap());
    map
}

#[test]
fn the_private_key_signs_and_both_keys_verify() {
    let (private, public) = pair(7);
    let signed = Signer::new(&private).unwrap().sign("msg_1", SENT, b"{}");
    assert!(signed.signature().starts_with("v1a,"));
    let map = signed.to_map(HeaderFamily::Webhook).unwrap();
    for secret in [&private, &public] {
        assert!(Verifier::new(secret).verify(&map, b"{}", now()).is_ok(), "{secret:?}");
        assert!(Verifier::new(secret).verify(&map, b"{ }", now()).is_err(), "{secret:?}");
    }
    assert!(Verifier::new(pair(8).1).verify(&map, b"{}", now()).is_err());
}

#[test]
fn the_seed_alone_is_a_private_key() {
    let seed = format!("whsk_{}", STANDARD.encode([7; 32]));
    let signed = Signer::new(&Secret::parse(&seed).unwrap()).unwrap().sign("msg_1", SENT, b"{}");
    let map = signed.to_map(HeaderFamily::Svix).unwrap();
    assert!(Verifier::new(pair(7).1).verify(&map, b"{}", now()).is_ok());
}

#[test]
fn a_public_key_cannot_sign() {
    assert_eq!(Signer::new(&pair(7).1).unwrap_err(), CannotSign::PublicKey);
    assert_eq!(Signer::with_secrets([]).unwrap_err(), CannotSign::NoSecret);
}

#[test]
fn both_versions_stand_side_by_side() {
    let (private, public) = pair(7);
    let v1 = Secret::parse(V1).unwrap();
    let signed = Signer::with_secrets([&v1, &private]).unwrap().sign("msg_1", SENT, b"{}");
    let map = signed.to_map(HeaderFamily::Svix).unwrap();
    for secret in [&v1, &public] {
        assert!(Verifier::new(secret).verify(&map, b"{}", now()).is_ok(), "{secret:?}");
    }
}

#[test]
fn a_signature_of_one_version_is_none_of_the_other() {
    let (private, public) = pair(7);
    let signed = Signer::new(&private).unwrap().sign("msg_1", SENT, b"{}");
    let as_v1 = signed.signature().replace("v1a,", "v1,");
    let both =
        Verifier::builder().secret(public).secret(Secret::parse(V1).unwrap()).build().unwrap();
    let error = both.verify(&headers(&as_v1), b"{}", now()).unwrap_err();
    assert_eq!(error, VerifyError::NoMatch { signatures: 1, secrets: 2 });
}

#[test]
fn malformed_signatures_are_passed_over() {
    let (private, public) = pair(7);
    let good = Signer::new(&private).unwrap().sign("msg_1", SENT, b"{}");
    let list = format!("v1a, v1a,%% v1a,AAAA v1a,{} {}", "A".repeat(200), good.signature());
    assert!(Verifier::new(&public).verify(&headers(&list), b"{}", now()).is_ok());
}

#[test]
fn a_list_of_many_signatures_costs_a_bounded_number_of_checks() {
    let (private, public) = pair(7);
    let wrong = Signer::new(&pair(8).0).unwrap().sign("msg_1", SENT, b"{}");
    let good = Signer::new(&private).unwrap().sign("msg_1", SENT, b"{}");
    let after =
        |count| format!("{} {}", vec![wrong.signature(); count].join(" "), good.signature());
    let verifier = Verifier::new(public);
    assert!(verifier.verify(&headers(&after(31)), b"{}", now()).is_ok());
    let error = verifier.verify(&headers(&after(32)), b"{}", now()).unwrap_err();
    assert_eq!(error, VerifyError::NoMatch { signatures: 33, secrets: 1 });
}

#[test]
fn malformed_keys_are_named() {
    let short = STANDARD.encode([1; 31]);
    let other_pair = [[7; 32], [9; 32]].concat();
    // The point of order one, whose signatures anybody can make.
    let mut weak = [0; 32];
    weak[0] = 1;
    let cases = [
        (format!("whpk_{short}"), SecretError::KeyLength { prefix: "whpk_", found_bytes: 31 }),
        (format!("whsk_{short}"), SecretError::KeyLength { prefix: "whsk_", found_bytes: 31 }),
        (format!("whsk_{}", STANDARD.encode(other_pair)), SecretError::NotAKey { prefix: "whsk_" }),
        (format!("whpk_{}", STANDARD.encode(weak)), SecretError::NotAKey { prefix: "whpk_" }),
        ("whpk_".to_owned(), SecretError::KeyLength { prefix: "whpk_", found_bytes: 0 }),
    ];
    for (text, expected) in cases {
        assert_eq!(Secret::parse(&text).unwrap_err(), expected, "{text}");
    }
}
