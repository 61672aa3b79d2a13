//! The vector files under `vectors/`, whose README describes them.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clerk_webhooks::{HeaderFamily, Secret, SecretError, SignatureHeaders, Signer, Verifier};
use ed25519_dalek::SigningKey;
use serde::Deserialize;

#[derive(Deserialize)]
struct Signatures {
    format: u32,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    secrets: Vec<String>,
    headers: Vec<(String, String)>,
    body: String,
    now: u64,
    tolerance_seconds: u64,
    expect: Outcome,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Verified { id: String, timestamp: u64, secret_index: usize },
    Refused(String),
}

impl Vector {
    fn outcome(&self) -> Outcome {
        let verifier = Verifier::builder()
            .secrets(self.secrets.iter().map(|text| Secret::parse(text).unwrap()))
            .tolerance(Duration::from_secs(self.tolerance_seconds))
            .build()
            .unwrap();
        let body = STANDARD.decode(&self.body).unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(self.now);
        let headers = SignatureHeaders::from_fn(|name| {
            self.headers.iter().filter(move |line| line.0 == name).map(|line| line.1.as_bytes())
        });
        match headers.and_then(|headers| verifier.verify_headers(&headers, &body, now)) {
            Ok(verified) => Outcome::Verified {
                id: verified.id().to_owned(),
                timestamp: verified.timestamp(),
                secret_index: verified.secret_index(),
            },
            Err(error) => Outcome::Refused(error.code().to_owned()),
        }
    }
}

#[test]
fn signatures() {
    let file: Signatures =
        serde_json::from_str(include_str!("../vectors/signatures.json")).unwrap();
    assert_eq!(file.format, 1);
    let mut names = HashSet::new();
    for vector in &file.vectors {
        assert!(names.insert(&vector.name), "two vectors are called {}", vector.name);
        assert_eq!(vector.outcome(), vector.expect, "{}", vector.name);
    }
    assert!(names.len() >= 80, "{}", names.len());
}

#[derive(Deserialize)]
struct Secrets {
    format: u32,
    secrets: Vec<SecretVector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretVector {
    text: String,
    hmac_key: Option<String>,
    ed25519_public_key: Option<String>,
    error: Option<String>,
}

/// Whether the verifier takes what the signer made.
fn is_pair(signer: &Secret, verifier: &Secret) -> bool {
    let signed = Signer::new(signer).unwrap().sign("msg_1", 1, b"{}");
    let headers = signed.to_map(HeaderFamily::Svix).unwrap();
    Verifier::new(verifier).verify(&headers, b"{}", SystemTime::UNIX_EPOCH).is_ok()
}

#[test]
fn secrets() {
    let file: Secrets = serde_json::from_str(include_str!("../vectors/secrets.json")).unwrap();
    assert_eq!(file.format, 1);
    for SecretVector { text, hmac_key, ed25519_public_key, error } in &file.secrets {
        let parsed = Secret::parse(text);
        assert_eq!(parsed.as_ref().err().map(SecretError::code), error.as_deref(), "{text:?}");
        let Ok(parsed) = parsed else { continue };
        if let Some(key) = hmac_key {
            let expected = Secret::from_bytes(STANDARD.decode(key).unwrap()).unwrap();
            assert!(is_pair(&parsed, &expected), "{text:?}");
        } else {
            let seed = SigningKey::from_bytes(&[7; 32]);
            let public = STANDARD.encode(seed.verifying_key().to_bytes());
            assert_eq!(ed25519_public_key.as_deref(), Some(public.as_str()), "{text:?}");
            let private = Secret::parse(&format!("whsk_{}", STANDARD.encode([7; 32]))).unwrap();
            assert!(is_pair(&private, &parsed), "{text:?}");
        }
    }
}
