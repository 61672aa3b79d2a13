//! Against the official libraries for Node and Python: each takes what the other signed, and neither takes a forgery.
//!
//! `cargo xtask test` installs their packages into `target/interop`; `tests/interop/README.md` says how to do it by hand.

#[path = "../../../tests/interop/bodies.rs"]
mod bodies;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clerk_webhooks::{HeaderFamily, Secret, SignatureHeaders, SignedHeaders, Signer, Verifier};
use serde_json::{Map, Value, json};

const SECRETS: [&str; 2] =
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_b3RoZXIgb3RoZXIgb3RoZXIgb3RoZXI="];
const ID: &str = "msg_2b3RoZXIgb3RoZXI";

/// One language's packages: how to ask them, and which of them read and sign what.
struct Language {
    name: &'static str,
    command: fn(&Path) -> Command,
    verifying: &'static [(&'static str, &'static [HeaderFamily])],
    signing: &'static [&'static str],
}

const BOTH: &[HeaderFamily] = &[HeaderFamily::Svix, HeaderFamily::Webhook];

const NODE: Language = Language {
    name: "node",
    command: |scripts| {
        let mut command = Command::new("node");
        command.arg(scripts.join("node.mjs")).arg(packages().join("node"));
        command
    },
    verifying: &[
        ("svix", BOTH),
        ("standardwebhooks", &[HeaderFamily::Webhook]),
        ("@clerk/backend", &[HeaderFamily::Svix]),
    ],
    signing: &["svix", "standardwebhooks"],
};

const PYTHON: Language = Language {
    name: "python",
    command: |scripts| {
        let mut command = Command::new("python3");
        command.arg(scripts.join("python.py"));
        command.env("PYTHONPATH", packages().join("python/packages")).env("PYTHONUTF8", "1");
        command
    },
    verifying: &[("svix", BOTH), ("standardwebhooks", &[HeaderFamily::Webhook])],
    signing: &["svix", "standardwebhooks"],
};

fn packages() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop")
}

impl Language {
    /// Asks everything in one run, and gives as many answers.
    fn ask(&self, test: &str, asks: &[Value]) -> Vec<Value> {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop");
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{test}", self.name));
        let lines: Vec<String> = asks.iter().map(Value::to_string).collect();
        fs::write(&file, lines.join("\n")).unwrap();
        let output = (self.command)(&scripts).stdin(File::open(&file).unwrap()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "see tests/interop/README.md: {errors}");
        let answers = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Value> =
            answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), asks.len(), "{errors}");
        answers
    }
}

/// These libraries read the clock themselves.
#[expect(clippy::disallowed_methods, reason = "the libraries asked cannot be told the time")]
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn secret(text: &str) -> Secret {
    Secret::parse(text).unwrap()
}

fn verify_ask(library: &str, secret: &str, headers: &Map<String, Value>, body: &str) -> Value {
    json!({ "library": library, "secret": secret, "verify": { "headers": headers, "body": body } })
}

fn header_object(signed: &SignedHeaders, family: HeaderFamily) -> Map<String, Value> {
    signed.iter(family).map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn they_verify_ours(language: &Language) {
    let rotation = Signer::with_secrets(SECRETS.map(secret).iter()).unwrap();
    let mut cases = Vec::new();
    for (name, body) in bodies::bodies() {
        let single = Signer::new(&secret(SECRETS[0])).unwrap().sign(ID, now(), body.as_bytes());
        let both = rotation.sign(ID, now(), body.as_bytes());
        for (library, families) in language.verifying {
            for family in *families {
                for (signed, secret) in
                    [(&single, SECRETS[0]), (&both, SECRETS[0]), (&both, SECRETS[1])]
                {
                    let headers = header_object(signed, *family);
                    let case = format!("{library} {family:?} {name}");
                    cases.push((case, verify_ask(library, secret, &headers, &body)));
                }
            }
        }
    }
    let (names, asks): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    for (name, answer) in names.iter().zip(language.ask("they-verify", &asks)) {
        assert_eq!(answer["verified"], true, "{name}: {answer}");
    }
}

fn we_verify_theirs(language: &Language) {
    let sent = now();
    let mut cases = Vec::new();
    for (name, body) in bodies::bodies() {
        for library in language.signing {
            let sign = json!({ "id": ID, "timestamp": sent, "body": body });
            let ask = json!({ "library": library, "secret": SECRETS[0], "sign": sign });
            cases.push(((format!("{library} {name}"), body.clone()), ask));
        }
    }
    let (names, asks): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let verifier = Verifier::new(secret(SECRETS[0]));
    for ((name, body), answer) in names.iter().zip(language.ask("we-verify", &asks)) {
        let signature = answer["signature"].as_str().unwrap_or_else(|| panic!("{name}: {answer}"));
        let timestamp = sent.to_string();
        for family in BOTH {
            let lines = [
                (family.id(), ID),
                (family.timestamp(), timestamp.as_str()),
                (family.signature(), signature),
            ];
            let headers = SignatureHeaders::from_fn(|name| {
                lines.iter().filter(move |line| line.0 == name).map(|line| line.1.as_bytes())
            });
            let at = UNIX_EPOCH + Duration::from_secs(sent);
            let verified = verifier.verify_headers(&headers.unwrap(), body.as_bytes(), at);
            assert_eq!(verified.unwrap().id(), ID, "{name}");
        }
    }
}

/// Messages with one thing wrong each: what, and the headers and body.
fn forgeries(family: HeaderFamily) -> Vec<(&'static str, Map<String, Value>, String)> {
    let body = r#"{"type":"user.created","data":{"id":"user_1"}}"#;
    let signer = Signer::new(&secret(SECRETS[0])).unwrap();
    let signed = |timestamp| header_object(&signer.sign(ID, timestamp, body.as_bytes()), family);
    let with = |name: &str, value: &str| {
        let mut headers = signed(now());
        headers.insert(name.to_owned(), value.into());
        headers
    };
    let other = Signer::new(&secret(SECRETS[1])).unwrap().sign(ID, now(), body.as_bytes());
    let good = signer.sign(ID, now(), body.as_bytes()).signature().to_owned();
    let id = |headers: Map<String, Value>| (headers, body.to_owned());
    [
        ("another secret", id(header_object(&other, family))),
        ("another body", (signed(now()), body.replace("user_1", "user_2"))),
        ("re-serialised body", (signed(now()), body.replace(':', ": "))),
        ("another id", id(with(family.id(), "msg_other"))),
        ("another timestamp", id(with(family.timestamp(), &(now() + 1).to_string()))),
        ("too old", id(signed(now() - 400))),
        ("too new", id(signed(now() + 400))),
        ("no signature", id(with(family.signature(), ""))),
        ("no id", id(with(family.id(), ""))),
        ("empty signature", id(with(family.signature(), "v1,"))),
        ("cut signature", id(with(family.signature(), &good[..20]))),
        ("another version", id(with(family.signature(), &good.replace("v1,", "v2,")))),
        ("words for a timestamp", id(with(family.timestamp(), "now"))),
    ]
    .into_iter()
    .map(|(what, (headers, body))| (what, headers, body))
    .collect()
}

fn nobody_takes_a_forgery(language: &Language) {
    let verifier = Verifier::new(secret(SECRETS[0]));
    let mut cases = Vec::new();
    for (library, families) in language.verifying {
        for family in *families {
            for (what, headers, body) in forgeries(*family) {
                let lines = SignatureHeaders::from_fn(|name| {
                    headers.get(name).map(|it| it.as_str().unwrap().as_bytes())
                });
                let at = UNIX_EPOCH + Duration::from_secs(now());
                let ours = lines
                    .and_then(|it| verifier.verify_headers(&it, body.as_bytes(), at).map(|_| ()));
                assert!(ours.is_err(), "ours took: {what}");
                let case = format!("{library} {family:?}: {what}");
                cases.push((case, verify_ask(library, SECRETS[0], &headers, &body)));
            }
        }
    }
    let (names, asks): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    for (name, answer) in names.iter().zip(language.ask("forgeries", &asks)) {
        assert_eq!(answer["verified"], false, "{name}: {answer}");
    }
}

#[test]
fn node_verifies_ours() {
    they_verify_ours(&NODE);
}

#[test]
fn we_verify_nodes() {
    we_verify_theirs(&NODE);
}

#[test]
fn node_and_we_refuse_forgeries() {
    nobody_takes_a_forgery(&NODE);
}

#[test]
fn python_verifies_ours() {
    they_verify_ours(&PYTHON);
}

#[test]
fn we_verify_pythons() {
    we_verify_theirs(&PYTHON);
}

#[test]
fn python_and_we_refuse_forgeries() {
    nobody_takes_a_forgery(&PYTHON);
}
