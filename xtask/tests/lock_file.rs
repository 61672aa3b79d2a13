//! The lock file holds one TLS stack, rustls on ring: neither OpenSSL nor AWS-LC, which each need a toolchain of their own.

use std::fs;
use std::path::Path;

const BANNED: &[&str] = &["openssl-sys", "openssl", "native-tls", "aws-lc-sys", "aws-lc-rs"];

#[test]
fn no_banned_crate_is_locked() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let lock = fs::read_to_string(path).unwrap();
    assert!(lock.contains("name = \"ring\""), "the lock file is read");
    for name in BANNED {
        assert!(!lock.contains(&format!("name = \"{name}\"")), "{name} is in Cargo.lock");
    }
}
