//! Against the crates `standardwebhooks` and, with its feature, `svix`: each takes what the other signed, and neither takes a forgery.

#[path = "../../bodies.rs"]
mod bodies;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clerk_webhooks::{HeaderFamily, Secret, Signer, Verifier};
use http::{HeaderMap, HeaderValue};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI=";
const ID: &str = "msg_2b3RoZXIgb3RoZXI";

/// The crates read the clock themselves.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Whether each that reads this family takes it: ours, svix, standardwebhooks.
fn verdicts(family: HeaderFamily, headers: &HeaderMap, body: &[u8]) -> Vec<bool> {
    let at = UNIX_EPOCH + Duration::from_secs(now());
    let ours = Verifier::new(Secret::parse(SECRET).unwrap()).verify(headers, body, at).is_ok();
    let mut verdicts = vec![ours];
    #[cfg(feature = "svix")]
    verdicts.push(svix::webhooks::Webhook::new(SECRET).unwrap().verify(body, headers).is_ok());
    if family == HeaderFamily::Webhook {
        let standard = standardwebhooks::Webhook::new(SECRET).unwrap();
        verdicts.push(standard.verify(body, headers).is_ok());
    }
    verdicts
}

fn each(mut check: impl FnMut(HeaderFamily, &str, &[u8])) {
    for family in [HeaderFamily::Svix, HeaderFamily::Webhook] {
        for (name, body) in bodies::bodies() {
            check(family, &format!("{family:?} {name}"), body.as_bytes());
        }
    }
}

#[test]
fn all_verify_ours() {
    let secrets = [OTHER_SECRET, SECRET].map(|text| Secret::parse(text).unwrap());
    let signer = Signer::with_secrets(&secrets).unwrap();
    each(|family, name, body| {
        let headers = signer.sign(ID, now(), body).to_map(family).unwrap();
        assert!(verdicts(family, &headers, body).into_iter().all(|ok| ok), "{name}");
    });
}

#[test]
fn all_sign_alike() {
    let ours = Signer::new(&Secret::parse(SECRET).unwrap()).unwrap();
    #[cfg(feature = "svix")]
    let svix = svix::webhooks::Webhook::new(SECRET).unwrap();
    let standard = standardwebhooks::Webhook::new(SECRET).unwrap();
    each(|_, name, body| {
        let sent = now();
        let expected = ours.sign(ID, sent, body);
        #[cfg(feature = "svix")]
        assert_eq!(svix.sign(ID, sent as i64, body).unwrap(), expected.signature(), "{name}");
        assert_eq!(standard.sign(ID, sent as i64, body).unwrap(), expected.signature(), "{name}");
    });
}

#[test]
fn nobody_takes_a_forgery() {
    let ours = Signer::new(&Secret::parse(SECRET).unwrap()).unwrap();
    let other = Signer::new(&Secret::parse(OTHER_SECRET).unwrap()).unwrap();
    each(|family, name, body| {
        let good = ours.sign(ID, now(), body).to_map(family).unwrap();
        let with = |name: &'static str, value: &str| {
            let mut headers = good.clone();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
            headers
        };
        let signature = good[family.signature()].to_str().unwrap();
        let forged = [
            other.sign(ID, now(), body).to_map(family).unwrap(),
            ours.sign(ID, now() - 400, body).to_map(family).unwrap(),
            ours.sign(ID, now() + 400, body).to_map(family).unwrap(),
            with(family.id(), "msg_other"),
            with(family.timestamp(), &(now() + 1).to_string()),
            with(family.timestamp(), "now"),
            with(family.signature(), "v1,"),
            with(family.signature(), &signature[..20]),
            with(family.signature(), &signature.replace("v1,", "v2,")),
            with(family.signature(), &format!("{signature},junk")),
            HeaderMap::new(),
        ];
        for (index, headers) in forged.iter().enumerate() {
            assert!(!verdicts(family, headers, body).contains(&true), "{name}: {index}");
        }
        let changed = [body, b" ".as_slice()].concat();
        assert!(!verdicts(family, &good, &changed).contains(&true), "{name}: another body");
    });
}
