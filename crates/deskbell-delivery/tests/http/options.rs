//! Mistakes that are told at start, and what is never told.

use std::time::SystemTime;

use deskbell_delivery::{HttpChannel, HttpOptions, RotatingSecret};
use url::Url;

use super::support::{SECRET, header, options, secret};

fn error_of(url: &str, change: impl FnOnce(&mut HttpOptions)) -> String {
    let mut options = options(Url::parse(url).unwrap());
    change(&mut options);
    let error = HttpChannel::new(options).unwrap_err();
    let words = error.to_string();
    assert!(!words.contains("t0ken"), "{words}");
    words
}

#[test]
fn a_url_that_is_not_of_http() {
    for url in ["ftp://example.com/t0ken", "file:///t0ken", "ws://example.com/", "mailto:t0ken"] {
        assert!(error_of(url, |_| ()).contains("must be `http` or `https`"), "{url}");
    }
}

#[test]
fn headers_that_are_not_to_be_set() {
    for name in [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "te",
        "expect",
        "svix-id",
        "svix-signature",
        "webhook-timestamp",
        "webhook-signature",
    ] {
        let error = error_of("https://example.com/", |options| {
            options.headers = vec![header("x-fine", "1"), header(name, "t0ken")];
        });
        assert!(error.contains(&format!("`{name}` cannot be set")), "{error}");
    }
}

#[test]
fn two_credentials() {
    let error = error_of("https://user:t0ken@example.com/", |options| {
        options.headers = vec![header("authorization", "Bearer t0ken")];
    });
    assert!(error.contains("keep one"), "{error}");
}

#[test]
fn secrets_that_cannot_sign() {
    let with = |secrets: Vec<RotatingSecret>| {
        error_of("https://example.com/", |options| options.secrets = secrets)
    };
    assert_eq!(with(Vec::new()), "no signing secret given");
    let public = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    assert!(with(vec![secret(public).into()]).contains("whpk_"));
    let ending = RotatingSecret { secret: secret(SECRET), until: Some(SystemTime::UNIX_EPOCH) };
    assert_eq!(with(vec![ending]), "every secret has an end: one must be without");
}

#[test]
fn an_entry_of_allow_hosts() {
    let error = error_of("https://example.com/", |options| {
        options.allow_hosts = vec!["*.example.com".to_owned()];
    });
    assert!(error.contains("`*.example.com`"), "{error}");
}

#[test]
fn debug_shows_no_secret() {
    let mut options = options(Url::parse("https://us3r:t0ken@example.com/t0ken?t0ken").unwrap());
    options.headers = vec![header("x-key", "t0ken")];
    let shown = format!("{options:?} {:?}", HttpChannel::new(options.clone()).unwrap());
    assert!(shown.contains("https://example.com"), "{shown}");
    for secret in ["t0ken", "us3r", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
