//! Where `deskbell serve` listens, and what it says when it cannot.

use std::path::Path;
use std::process::Stdio;

use rcgen::{CertificateParams, KeyPair};
use reqwest::Certificate;
use tokio::process::Command;

use super::support::{SECRET, Serving, deskbell, directory, finish, within};

fn without_config() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn the_port_of_a_platform_is_taken_where_nothing_else_is_said() {
    let place = without_config();
    let mut command = deskbell(place.path());
    command.env("PORT", "0");
    let serving = Serving::of(command).await;
    assert!(serving.address.ip().is_unspecified(), "{}", serving.address);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_variable_says_where_to_listen() {
    let place = directory();
    let mut command = deskbell(place.path());
    command.env("DESKBELL_LISTEN", "localhost:0");
    let serving = Serving::of(command).await;
    assert!(serving.address.ip().is_loopback());
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_port_in_use_is_told_before_anything_is_made() {
    let first = directory();
    let serving = Serving::start(first.path()).await;
    let second = without_config();
    let mut command = deskbell(second.path());
    command.env("DESKBELL_LISTEN", serving.address.to_string()).arg("serve");
    let ran = finish(&mut command).await;
    assert_eq!(ran.code, 1);
    for wanted in [&*serving.address.to_string(), "another program listens there", "`listen`"] {
        assert!(ran.stderr.contains(wanted), "{wanted}: {}", ran.stderr);
    }
    let left = std::fs::read_dir(second.path()).unwrap().count();
    assert_eq!(left, 0, "no database is there");
}

/// The program with this limit of open files, set as `ulimit` does it.
fn with_open_files(directory: &Path, limit: &str) -> Command {
    let mut limited = Command::new("sh");
    limited
        .args(["-c", &format!("ulimit {limit} && exec \"$0\" \"$@\"")])
        .arg(env!("CARGO_BIN_EXE_deskbell"))
        .current_dir(directory)
        .env_clear()
        .env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    limited
}

#[tokio::test]
async fn a_low_limit_of_open_files_is_raised_or_told() {
    for (limit, is_told) in [("-Sn 200", false), ("-n 200", true)] {
        let place = directory();
        let serving = Serving::of(with_open_files(place.path(), limit)).await;
        let (code, said) = serving.terminate().await;
        let warned = said.iter().any(|line| line.contains("WARN") && line.contains("`ulimit -n`"));
        assert_eq!((code, warned), (0, is_told), "{limit}: {said:#?}");
    }
}

fn https(directory: &Path) {
    let config =
        "[server]\nlisten = \"127.0.0.1:0\"\ntls = { cert = \"cert.pem\", key = \"key.pem\" }\n";
    std::fs::write(directory.join("deskbell.toml"), config).unwrap();
}

#[tokio::test]
async fn https_is_spoken_with_the_certificate_of_the_config() {
    let place = without_config();
    https(place.path());
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    std::fs::write(place.path().join("cert.pem"), &pem).unwrap();
    std::fs::write(place.path().join("key.pem"), key.serialize_pem()).unwrap();
    let serving = Serving::start(place.path()).await;
    deskbell::install_crypto();
    let http = reqwest::Client::builder()
        .tls_certs_only([Certificate::from_pem(pem.as_bytes()).unwrap()])
        .resolve("localhost", serving.address)
        .build()
        .unwrap();
    let url = format!("https://localhost:{}/healthz", serving.address.port());
    let reply = within(http.get(url).send()).await.unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_certificate_that_is_not_there_is_a_mistake_of_the_config() {
    let place = without_config();
    https(place.path());
    for command in [&["serve"][..], &["config", "check"]] {
        let ran = finish(deskbell(place.path()).args(command)).await;
        assert_eq!(ran.code, 64, "{}", ran.stderr);
        assert!(ran.stderr.contains("cannot read the certificate"), "{}", ran.stderr);
    }
    assert!(!place.path().join("deskbell.db").exists(), "nothing was touched");
}
