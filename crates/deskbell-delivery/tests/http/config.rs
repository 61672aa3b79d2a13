//! Mistakes that are reported at start, and what is never shown.

use clerk_webhooks::UnixMillis;
use deskbell_delivery::{AllowedHost, EndpointSecret, EndpointSecrets, HttpChannel, HttpConfig};

use super::support::{SECRET, config, headers, secrets};

fn error_of(url: &str, change: impl FnOnce(&mut HttpConfig)) -> String {
    let mut config = config(url);
    change(&mut config);
    let error = HttpChannel::new(&config).unwrap_err();
    let words = error.to_string();
    assert!(!words.contains("t0ken"), "{words}");
    words
}

#[test]
fn headers_that_are_not_to_be_set() {
    for name in [
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "te",
        "expect",
        "svix-id",
        "svix-signature",
        "webhook-timestamp",
        "webhook-signature",
    ] {
        let error = headers(&[("x-fine", "1"), (name, "t0ken")]).unwrap_err().to_string();
        assert_eq!(error, format!("the header `{name}` is set by Deskbell itself"));
    }
}

#[test]
fn two_credentials() {
    let error = error_of("https://user:t0ken@example.com/", |config| {
        config.headers = headers(&[("authorization", "Bearer t0ken")]).unwrap();
    });
    assert!(error.contains("both `url` and `headers` have credentials"), "{error}");
}

#[test]
fn secrets_that_cannot_sign() {
    let with = |secrets: EndpointSecrets| {
        error_of("https://example.com/", |config| config.secrets = secrets)
    };
    assert_eq!(with(secrets(&[])), "the key `secret` is missing here");
    let public = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    assert!(public.parse::<EndpointSecret>().unwrap_err().contains("whsk_"));
    let mut ending = secrets(&[SECRET]);
    ending.0[0].until = Some(UnixMillis::MIN);
    assert_eq!(with(ending), "every secret here has an `until`");
}

#[test]
fn an_entry_of_allow_hosts() {
    let error = "*.example.com".parse::<AllowedHost>().unwrap_err().to_string();
    assert!(error.contains("`*.example.com`"), "{error}");
}

#[test]
fn debug_shows_no_secret() {
    let channel = HttpChannel::new(&config("https://us3r:t0ken@example.com/t0ken?t0ken")).unwrap();
    let mut config = config("https://user:t0ken@example.com/hook?key=t0ken");
    config.headers = headers(&[("x-key", "t0ken")]).unwrap();
    let shown = format!("{config:?} {channel:?}");
    assert!(shown.contains("https://example.com"), "{shown}");
    for secret in ["t0ken", "us3r", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
