//! Tokens as Clerk signs them, and as others would like to.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair};
use ring::{hmac, signature};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://clerk.app.example";
pub(crate) const USER: &str = "user_2ada";
const INSTANCE: &str = include_str!("keys/instance.pem");
const INSTANCE_PUBLIC: &str = include_str!("keys/instance.pub.pem");
/// A key of somebody else.
const OTHER: &str = include_str!("keys/other.pem");

#[expect(clippy::disallowed_methods, reason = "the apps read the same clock")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The claims of a session token, with other values for some. `null` leaves a claim out.
pub(crate) fn claims(other: &Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "sub": USER, "sid": "sess_1", "azp": "http://localhost:3000", "v": 2,
        "iat": now(), "nbf": now() - 10, "exp": now() + 60, "sts": "active",
    });
    let claims_map = claims.as_object_mut().unwrap();
    for (name, value) in other.as_object().unwrap() {
        match value {
            Value::Null => drop(claims_map.remove(name)),
            value => drop(claims_map.insert(name.clone(), value.clone())),
        }
    }
    claims
}

pub(crate) fn valid() -> String {
    with(&json!({}))
}

/// Signed by the instance, with other claims.
pub(crate) fn with(other: &Value) -> String {
    rsa(&json!({"alg": "RS256", "typ": "JWT"}), &claims(other), INSTANCE, &RSA_PKCS1_SHA256)
}

/// Signed by the instance, as a token of another type.
pub(crate) fn of_type(typ: &str) -> String {
    let header = json!({"alg": "RS256", "typ": typ});
    rsa(&header, &claims(&json!({})), INSTANCE, &RSA_PKCS1_SHA256)
}

pub(crate) fn by_another_key() -> String {
    rsa(&json!({"alg": "RS256"}), &claims(&json!({})), OTHER, &RSA_PKCS1_SHA256)
}

/// By the right key and an algorithm that Clerk does not use.
pub(crate) fn by_rs512() -> String {
    rsa(&json!({"alg": "RS512"}), &claims(&json!({})), INSTANCE, &RSA_PKCS1_SHA512)
}

/// With the public key, which everybody has, as the secret of an HMAC.
pub(crate) fn by_hs256() -> String {
    let message = message(&json!({"alg": "HS256"}), &claims(&json!({})));
    let key = hmac::Key::new(hmac::HMAC_SHA256, INSTANCE_PUBLIC.as_bytes());
    let tag = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

pub(crate) fn unsigned() -> String {
    format!("{}.", message(&json!({"alg": "none"}), &claims(&json!({}))))
}

/// A valid token, with another user put in.
pub(crate) fn tampered() -> String {
    let (token, other) =
        (valid(), BASE64_URL_SAFE_NO_PAD.encode(claims(&json!({"sub": "user_2eve"})).to_string()));
    let parts: Vec<_> = token.split('.').collect();
    format!("{}.{other}.{}", parts[0], parts[2])
}

fn message(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

fn rsa(header: &Value, claims: &Value, pem: &str, encoding: &'static dyn RsaEncoding) -> String {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    let key = BASE64_STANDARD.decode(lines.collect::<String>()).unwrap();
    let key = RsaKeyPair::from_pkcs8(&key).unwrap();
    let message = message(header, claims);
    let mut bytes = vec![0; signature::KeyPair::public_key(&key).modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message.as_bytes(), &mut bytes).unwrap();
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
