//! Verifies one message of 2 KB: ours, the crates `svix` and `standardwebhooks`, and the limit, which is the bare HMAC-SHA256
//! of the signed content with the hash crate that ours uses.

use std::hint::black_box;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clerk_webhooks::{HeaderFamily, Secret, Signer, Verifier};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_2b3RoZXIgb3RoZXIgb3RoZXIgb3";
const BODY_BYTES: usize = 2048;

fn body() -> Vec<u8> {
    let start = br#"{"type":"user.created","object":"event","data":{"id":"user_1","public_metadata":{"note":""#;
    let end = br#""}}}"#;
    let filling = vec![b'x'; BODY_BYTES - start.len() - end.len()];
    [start.as_slice(), &filling, end].concat()
}

fn verify(c: &mut Criterion) {
    let body = body();
    let secret = Secret::parse(SECRET).unwrap();
    let sent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let now = UNIX_EPOCH + Duration::from_secs(sent);
    let signed = Signer::new(&secret).unwrap().sign(ID, sent, &body);
    let svix_headers = signed.to_map(HeaderFamily::Svix).unwrap();
    let webhook_headers = signed.to_map(HeaderFamily::Webhook).unwrap();

    let mut group = c.benchmark_group("verify 2 KB");
    group.throughput(Throughput::Bytes(BODY_BYTES as u64));

    let ours = Verifier::new(&secret);
    group.bench_function("clerk-webhooks", |b| {
        b.iter(|| ours.verify(black_box(&svix_headers), black_box(&body), now).unwrap().id().len());
    });

    let svix = svix::webhooks::Webhook::new(SECRET).unwrap();
    group.bench_function("svix", |b| {
        b.iter(|| svix.verify(black_box(&body), black_box(&svix_headers)).unwrap());
    });

    let standard = standardwebhooks::Webhook::new(SECRET).unwrap();
    group.bench_function("standardwebhooks", |b| {
        b.iter(|| standard.verify(black_box(&body), black_box(&webhook_headers)).unwrap());
    });

    let key = [7; 24];
    let content = [ID.as_bytes(), b".", sent.to_string().as_bytes(), b".", &body].concat();
    group.bench_function("bare HMAC-SHA256", |b| {
        b.iter(|| {
            let mut mac = Hmac::<Sha256>::new_from_slice(black_box(&key)).unwrap();
            mac.update(black_box(&content));
            mac.finalize().into_bytes()
        });
    });
    let keyed = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    group.bench_function("bare HMAC-SHA256, key schedule kept", |b| {
        b.iter(|| {
            let mut mac = black_box(&keyed).clone();
            mac.update(black_box(&content));
            mac.finalize().into_bytes()
        });
    });
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
