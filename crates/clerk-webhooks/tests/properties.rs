//! What must hold for every message: a signed one verifies, and one with any bit changed does not.

use std::time::{Duration, SystemTime};

use clerk_webhooks::{
    HeaderFamily, Secret, SignatureHeaders, Signer, Verified, Verifier, VerifyError,
};
use proptest::prelude::*;

/// A request as bytes: id, timestamp, signature, body.
#[derive(Clone, Debug)]
struct Wire {
    headers: [Vec<u8>; 3],
    body: Vec<u8>,
}

impl Wire {
    fn sign(secrets: &[Secret], id: &str, timestamp: u64, body: &[u8]) -> Self {
        let signed = Signer::with_secrets(secrets).unwrap().sign(id, timestamp, body);
        let mut values =
            signed.iter(HeaderFamily::Svix).map(|(_, value)| value.as_bytes().to_vec());
        Self { headers: std::array::from_fn(|_| values.next().unwrap()), body: body.to_vec() }
    }

    fn verify(&self, secret: &Secret, now: u64) -> Result<Verified<'_>, VerifyError> {
        let family = HeaderFamily::Svix;
        let names = [family.id(), family.timestamp(), family.signature()];
        let headers = SignatureHeaders::from_fn(|name| {
            let at = names.iter().position(|known| *known == name);
            at.map(|at| self.headers[at].as_slice())
        })?;
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
        Verifier::new(secret).verify_headers(&headers, &self.body, now)
    }

    fn bits(&self) -> usize {
        8 * (self.headers.iter().map(Vec::len).sum::<usize>() + self.body.len())
    }

    fn flip(&mut self, bit: usize) {
        let bytes = self.headers.iter_mut().flatten().chain(&mut self.body);
        *bytes.into_iter().nth(bit / 8).unwrap() ^= 1 << (bit % 8);
    }
}

fn any_secret() -> impl Strategy<Value = Secret> {
    prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 1..100).prop_map(|key| Secret::from_bytes(key).unwrap()),
        1 => any::<[u8; 32]>().prop_map(|seed| {
            use base64::Engine as _;
            let seed = base64::engine::general_purpose::STANDARD.encode(seed);
            Secret::parse(&format!("whsk_{seed}")).unwrap()
        }),
    ]
}

prop_compose! {
    fn any_message()(
        secrets in prop::collection::vec(any_secret(), 1..4),
        id in "[!-~]([ -~]{0,40}[!-~])?",
        timestamp in 0..=u64::MAX,
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) -> (Vec<Secret>, u64, Wire) {
        let wire = Wire::sign(&secrets, &id, timestamp, &body);
        (secrets, timestamp, wire)
    }
}

/// A clock that the platform can hold.
fn clock(timestamp: u64) -> u64 {
    timestamp.min(1 << 60)
}

proptest! {
    #[test]
    fn what_is_signed_verifies((secrets, timestamp, wire) in any_message()) {
        let timestamp_ok = timestamp == clock(timestamp);
        for secret in &secrets {
            match wire.verify(secret, clock(timestamp)) {
                Ok(verified) => {
                    prop_assert_eq!(verified.id().as_bytes(), &wire.headers[0]);
                    prop_assert_eq!(verified.timestamp(), timestamp);
                    prop_assert_eq!(verified.body(), &wire.body);
                }
                Err(error) => prop_assert!(!timestamp_ok && error.is_authentic(), "{}", error),
            }
        }
    }

    #[test]
    fn any_flipped_bit_fails((secrets, timestamp, wire) in any_message(), at in any::<prop::sample::Index>()) {
        // With one signature: of several, one may be broken and another still good.
        let mut wire = Wire::sign(&secrets[..1], std::str::from_utf8(&wire.headers[0]).unwrap(), timestamp, &wire.body);
        let bit = at.index(wire.bits());
        wire.flip(bit);
        let error = wire.verify(&secrets[0], clock(timestamp)).unwrap_err();
        prop_assert!(!error.is_authentic(), "bit {}: {}", bit, error);
    }
}

#[test]
fn every_single_bit_counts() {
    let v1 = Secret::from_bytes(*b"a key").unwrap();
    let v1a = Secret::parse("whsk_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=").unwrap();
    for secret in [v1, v1a] {
        let wire = Wire::sign(std::slice::from_ref(&secret), "msg_1", 1_700_000_000, b"{\"a\":1}");
        assert!(wire.verify(&secret, 1_700_000_000).is_ok());
        for bit in 0..wire.bits() {
            let mut wire = wire.clone();
            wire.flip(bit);
            assert!(wire.verify(&secret, 1_700_000_000).is_err(), "{secret:?}, bit {bit}");
        }
    }
}
