//! `type = "http"`.

use deskbell::config::{DestinationKind, HeaderFamily, HttpConfig, SignatureVersion};
use deskbell_delivery::HttpChannel;

use super::delivery::http;
use super::{
    SECRET, assert_rendered, assert_shown_is_read_again, destination_of, load, load_beside, usual,
};

const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const PRIVATE: &str =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

/// An `http` destination with these keys, and without the usual secret.
fn bare(keys: &str) -> String {
    http(keys).replace("secret = \"env:CLERK_WEBHOOK_SIGNING_SECRET\"\n", "")
}

fn read(text: &str) -> HttpConfig {
    match destination_of(text).kind {
        DestinationKind::Http(http) => http,
        other => panic!("{other:?}"),
    }
}

fn every_key() -> String {
    bare(&format!(
        "secrets = [\"{OTHER}\", {{ secret = \"env:CLERK_WEBHOOK_SIGNING_SECRET\", until = \"2026-12-01T00:00:00Z\" }}]\n\
         header_family = \"webhook\"\nsignature = \"v1\"\nallow_private = true\n\
         allow_hosts = [\"hooks.internal\", \"10.0.0.7\", \"fd00::/8\", \"[::1]\"]\n\
         headers = {{ Authorization = \"Bearer t0ken\", x-team = \"env:PORT_ADDRESS\" }}"
    ))
}

#[test]
fn every_key_is_read() {
    let http = read(&every_key());
    assert_eq!(http.url.expose_secrets().as_str(), "https://app.example/hook");
    let [stays, goes] = &http.secrets.0[..] else { panic!("two secrets") };
    assert_eq!((stays.until, stays.version), (None, SignatureVersion::V1));
    assert_eq!(goes.until.unwrap().as_seconds(), 1_796_083_200);
    assert_eq!(http.header_family, HeaderFamily::Webhook);
    assert_eq!(http.signature, Some(SignatureVersion::V1));
    assert!(http.allow_private);
    let hosts: Vec<_> = http.allow_hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["hooks.internal", "10.0.0.7", "fd00::/8", "::1"]);
    let headers: Vec<_> = http.headers.iter().map(|(name, value)| (name.as_str(), value)).collect();
    assert_eq!(headers.len(), 2);
    assert!(headers[0].0 == "authorization" && headers[0].1 == "Bearer t0ken");
    assert!(headers[1].0 == "x-team" && headers[1].1 == "0.0.0.0:80");
}

#[test]
fn the_kind_of_signature_is_told_by_the_secret() {
    let http = read(&bare(&format!("secret = \"{PRIVATE}\"")));
    assert_eq!((http.secrets.0[0].version, http.signature), (SignatureVersion::V1a, None));
    assert_eq!(http.header_family, HeaderFamily::Svix);
    let several = read(&bare(&format!("secret = \"{SECRET} {OTHER}\"")));
    assert_eq!(several.secrets.0.len(), 2, "a variable may hold several");
}

#[test]
fn what_is_shown_is_read_again() {
    // A header's value and a secret are both redacted; a secret does for both.
    assert_shown_is_read_again(&every_key(), OTHER);
}

#[test]
fn a_receiver_on_this_machine_has_its_address_in_brackets() {
    let local = |keys: &str| http(keys).replace("https://app.example", "http://[::1]:4000");
    let config = read(&local("allow_hosts = [\"[::1]\"]"));
    HttpChannel::new(&config).unwrap();
    let refused = HttpChannel::new(&read(&local(""))).unwrap_err().to_string();
    assert!(refused.contains("[::1] is a loopback address"), "{refused}");
}

#[test]
fn certificate_authorities_are_in_a_file_beside_the_config() {
    let pem = rcgen::generate_simple_self_signed(["ca.example".to_owned()]).unwrap().cert.pem();
    let text = http("ca_certificates = \"ca.pem\"");
    let loaded = load_beside(&[("ca.pem", &pem)], &text).unwrap();
    let shown = toml::to_string_pretty(&loaded.config).unwrap();
    assert!(shown.contains("ca_certificates = \"ca.pem\""), "{shown}");
    let DestinationKind::Http(config) = &loaded.config.destinations[0].kind else { panic!("http") };
    HttpChannel::new(config).unwrap();
    assert_rendered("http_ca_missing", &load_beside(&[], &text).unwrap_err());
    assert_rendered("http_ca_empty", &load_beside(&[("ca.pem", "key")], &text).unwrap_err());
}

#[test]
fn mistakes_say_what_where_and_how_to_mend_it() {
    for (name, text) in [
        ("http_without_secret", bare("")),
        ("http_no_secrets", bare("secrets = []")),
        ("http_secret_twice", http(&format!("secrets = [\"{OTHER}\"]"))),
        (
            "http_secrets_that_end",
            bare(&format!("secrets = [{{ secret = \"{OTHER}\", until = 2026-12-01T00:00:00Z }}]")),
        ),
        (
            "http_bad_until",
            bare(&format!(
                "secrets = [\"{OTHER}\", {{ secret = \"{OTHER}\", until = \"tomorrow\" }}]"
            )),
        ),
        ("http_public_key", bare("secret = \"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=\"")),
        ("http_password", bare("secret = \"hunter2\"")),
        ("http_bad_secret", bare("secret = \"whsec_hunter2!\"")),
        ("http_signature", http("signature = \"v1a\"")),
        ("http_family", http("header_family = \"clerk\"")),
        ("http_header_name", http("headers = { \"X Team\" = \"hunter2\" }")),
        ("http_header_of_ours", http("headers = { Webhook-Id = \"hunter2\" }")),
        ("http_header_value", http("headers = { x-team = \"hunter2\\nhunter2\" }")),
        ("http_header_twice", http("headers = { x-team = \"hunter2\", X-Team = \"hunter2\" }")),
        ("http_host", http("allow_hosts = [\"https://app.example\"]")),
        ("http_host_wildcard", http("allow_hosts = [\"*.example.com\"]")),
        (
            "http_two_credentials",
            http("headers = { authorization = \"hunter2\" }").replace("//app", "//a:hunter2@app"),
        ),
        ("http_scheme", http("").replace("https://app", "ftp://hunter2:hunter2@app")),
    ] {
        let error = load(&text, &usual()).expect_err(name);
        assert!(!error.contains("hunter2"), "{error}");
        assert_rendered(name, &error);
    }
}
