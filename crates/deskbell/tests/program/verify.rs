//! `deskbell verify`: what it says of a captured request, and its exit code.

use std::path::Path;

use clerk_webhooks::{HeaderFamily, Secret, Signer};
use serde_json::{Value, json};

use super::support::{Ran, SECRET, directory, run};

const BODY: &str = r#"{"type":"user.created","data":{"id":"user_1","last_name":"K\u0026R"}}"#;
const SECONDS: u64 = 1_780_000_000;

/// A logged request with this body, of which [`BODY`] was signed.
fn capture(directory: &Path, body: &str) {
    let signer = Signer::new(&Secret::parse(SECRET).unwrap()).unwrap();
    let signed = signer.sign("msg_1", SECONDS, BODY.as_bytes());
    let headers: serde_json::Map<String, Value> = signed
        .iter(HeaderFamily::Svix)
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    let capture = json!({ "headers": headers, "body": body }).to_string();
    std::fs::write(directory.join("request.json"), capture).unwrap();
}

async fn verify(directory: &Path, arguments: &[&str]) -> Ran {
    let now = SECONDS.to_string();
    let fixed = ["verify", "--delivery", "request.json", "--now", &now];
    run(directory, &[&fixed, arguments].concat()).await
}

#[tokio::test]
async fn a_request_is_valid_or_says_which_mistake_it_was() {
    let directory = directory();
    let path = directory.path();
    capture(path, BODY);
    let valid = verify(path, &[]).await;
    assert_eq!((valid.code, &*valid.stdout), (0, "msg_1 is valid, signed with source clerk\n"));
    let wrong = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let other = verify(path, &["--secret", wrong, "--json"]).await;
    let output: Value = serde_json::from_str(&other.stdout).unwrap();
    assert_eq!(
        (other.code, &output["valid"], &output["rule"]),
        (1, &json!(false), &json!("no_match"))
    );
    assert_eq!(output["causes"][0]["code"], "secret_of_other_source");
    assert_eq!(output["signed_with"], "source clerk");
    capture(path, &BODY.replace("\\u0026", "&"));
    let parsed = verify(path, &["--secret", SECRET]).await;
    assert_eq!(parsed.code, 1);
    assert!(parsed.stdout.contains("express.raw"), "{}", parsed.stdout);
    assert!(!(parsed.stdout + &parsed.stderr).contains("whsec_"), "no secret shows");
}

#[tokio::test]
async fn parts_are_taken_one_by_one_and_garbage_says_how_to_go_on() {
    let directory = directory();
    let path = directory.path();
    let signer = Signer::new(&Secret::parse(SECRET).unwrap()).unwrap();
    let signed = signer.sign("msg_1", SECONDS, BODY.as_bytes());
    std::fs::write(path.join("body.json"), BODY).unwrap();
    let now = SECONDS.to_string();
    let parts = |payload| {
        let signature = signed.signature();
        [
            "verify",
            "--id",
            "msg_1",
            "--timestamp",
            &now,
            "--signature",
            signature,
            "--payload",
            payload,
        ]
    };
    let at = ["--now", &now];
    assert_eq!(run(path, &[&parts("@body.json")[..], &at].concat()).await.code, 0);
    assert_eq!(run(path, &[&parts(BODY)[..], &at].concat()).await.code, 0);
    let late = run(path, &parts(BODY)).await;
    assert!(late.code == 1 && late.stdout.contains("--now"), "{late:?}");
    std::fs::write(path.join("request.json"), "hello").unwrap();
    let garbage = verify(path, &[]).await;
    assert!(garbage.code == 2 && garbage.stderr.contains("--payload"), "{garbage:?}");
    let missing = run(path, &["verify", "--delivery", "nothing"]).await;
    assert!(missing.code == 2 && missing.stderr.contains("nothing"), "{missing:?}");
    assert_eq!(run(path, &["verify"]).await.code, 2);
}
