//! Handlers in Node with the newest packages, right ones and broken ones: each fault is named, and
//! nothing else. `cargo xtask test` installs the packages.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use futures_util::{StreamExt, stream};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::faults;
use crate::program::support::{ENDPOINT_SECRET, Ran, SECRET, deskbell, finish, within};

const OFFICIAL: &str = "CLERK_WEBHOOK_SIGNING_SECRET";
/// Handlers at once.
const CONCURRENCY: usize = 4;

/// A handler of `tests/interop/handlers/server.mjs`, and what is wrong with it.
struct Case {
    handler: &'static str,
    /// The checks that fail or warn.
    wanted: &'static [(&'static str, &'static str)],
    /// A part of what is said.
    said: &'static str,
    flags: &'static [&'static str],
    /// Files of the application.
    files: &'static [(&'static str, &'static str)],
    /// The variables of the handler.
    environment: &'static [(&'static str, &'static str)],
    /// Whether the developer has the right variable set.
    has_variable: bool,
}

const RIGHT: Case = Case {
    handler: "",
    wanted: &[],
    said: "0 fail",
    flags: &["--slow-after", "10s"],
    files: &[],
    environment: &[(OFFICIAL, SECRET)],
    has_variable: true,
};

const fn right(handler: &'static str) -> Case {
    Case { handler, said: "", ..RIGHT }
}

const fn fails(
    handler: &'static str,
    code: &'static [(&'static str, &'static str)],
    said: &'static str,
) -> Case {
    Case { handler, wanted: code, said, ..RIGHT }
}

const SVIX_2: &[(&str, &str)] = &[
    ("package.json", r#"{"dependencies":{"svix":"^2.5.0"}}"#),
    (
        "server.mjs",
        "import { Webhook } from 'svix'\nconst event = new Webhook(secret).verify(body, headers)\n",
    ),
];
const FASTIFY: &[(&str, &str)] = &[
    ("package.json", r#"{"dependencies":{"@clerk/fastify":"^3.1.79"}}"#),
    ("server.mjs", "import { verifyWebhook } from '@clerk/fastify/webhooks'\n"),
];
const READS_OTHER: &[(&str, &str)] = &[
    ("package.json", "{}"),
    ("server.mjs", "// webhook\nnew Webhook(process.env.WEBHOOK_SECRET)\n"),
];
const OLD_NAME: &[(&str, &str)] =
    &[(".env", "CLERK_WEBHOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")];
const OTHER_FILE: &[(&str, &str)] =
    &[(".env", "CLERK_WEBHOOK_SIGNING_SECRET=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n")];

fn cases() -> impl Iterator<Item = Case> {
    [right_ones(), of_parsed_bodies(), kept_out(), of_secrets(), of_events()].into_iter().flatten()
}

fn right_ones() -> Vec<Case> {
    vec![
        right("express"),
        right("clerk-express"),
        right("standardwebhooks"),
        right("fastify"),
        right("hono"),
    ]
}

fn of_parsed_bodies() -> Vec<Case> {
    vec![
        fails("express-json", &[("raw_body", "fail")], r"\\u0026"),
        fails(
            "express-json-object",
            &[("raw_body", "fail")],
            "a JSON parser reads the body before",
        ),
        fails("express-json-text", &[("raw_body", "fail")], "[object Object]"),
        fails("express-no-parser", &[("raw_body", "fail")], "verifies an empty body"),
        Case {
            files: FASTIFY,
            ..fails(
                "clerk-fastify",
                &[("raw_body", "fail")],
                "@clerk/fastify/webhooks verifies JSON.stringify",
            )
        },
    ]
}

fn kept_out() -> Vec<Case> {
    vec![
        fails("require-auth", &[("public", "fail")], "createRouteMatcher"),
        fails("guard-401", &[("public", "fail")], "asks for a signed-in user"),
        fails("www", &[("redirect", "fail")], "use http://www.localhost"),
        fails("trailing-slash", &[("redirect", "fail")], "the slash at the end differs"),
        fails("slash-404", &[("path", "fail")], "/api/webhooks/ answers"),
        fails("method-405", &[("method", "fail")], "does not take POST"),
    ]
}

fn of_secrets() -> Vec<Case> {
    vec![
        Case {
            environment: &[(OFFICIAL, SECRET), ("OTHER_SECRET", ENDPOINT_SECRET)],
            ..fails("wrong-secret", &[("secret", "fail")], "the handler has another secret")
        },
        Case {
            environment: &[("OTHER_SECRET", ENDPOINT_SECRET)],
            files: OTHER_FILE,
            ..fails(
                "wrong-secret",
                &[("secret", "fail")],
                "has the secret of CLERK_WEBHOOK_SIGNING_SECRET in .env,",
            )
        },
        Case {
            files: READS_OTHER,
            ..fails(
                "wrong-variable",
                &[("variable", "fail")],
                "the handler reads WEBHOOK_SECRET, which is not set",
            )
        },
        Case {
            environment: &[("CLERK_WEBHOOK_SECRET", SECRET)],
            files: OLD_NAME,
            has_variable: false,
            ..fails(
                "clerk-variable",
                &[("variable", "fail")],
                "rename CLERK_WEBHOOK_SECRET to CLERK_WEBHOOK_SIGNING_SECRET",
            )
        },
    ]
}

fn of_events() -> Vec<Case> {
    vec![
        fails("svix-2", &[("accepts", "fail")], "JSON.parse(body)"),
        Case { files: SVIX_2, ..fails("svix-2", &[("accepts", "fail")], "JSON.parse(body)") },
        Case {
            flags: &["--slow-after", "500ms"],
            ..fails("slow", &[("answer_time", "warn")], "from a queue")
        },
        Case {
            flags: &["--timeout", "2s"],
            ..fails("hanging", &[("answer_time", "fail")], "no answer in time")
        },
        fails("swallows", &[("errors_hidden", "fail")], "answer 400 where the verification fails"),
        fails("no-verification", &[("tampered", "fail")], "verifyWebhook(request)"),
        fails("no-timestamp", &[("stale", "fail")], "more than 5 minutes old"),
        fails("uncaught", &[("tampered", "warn")], "answer 400"),
        fails("no-dedupe", &[("duplicate", "fail")], "ON CONFLICT"),
        fails("body-limit", &[("large_body", "fail")], "limit: '1mb'"),
        fails("null-names", &[("null_fields", "fail")], "primary_email_address_id"),
        fails("unknown-type", &[("unknown_type", "fail")], "ignore the types"),
        fails("unknown-user", &[("unknown_user", "fail")], "deleteMany"),
    ]
}

/// A running handler; it ends with its input, which the process holds.
struct Handler {
    _process: Child,
    url: String,
}

async fn start(case: &Case) -> Handler {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let packages =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop/handlers");
    let mut process = Command::new("node")
        .arg(root.join("tests/interop/handlers/server.mjs"))
        .args([PathBuf::from(case.handler), packages])
        .env_remove(OFFICIAL)
        .envs(case.environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let line = within(lines.next_line()).await.unwrap();
    let line = line.unwrap_or_else(|| panic!("{}: see tests/interop/README.md", case.handler));
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    Handler { _process: process, url: format!("http://127.0.0.1:{}/api/webhooks", ready["port"]) }
}

async fn examine(case: &Case, project: &TempDir) -> Ran {
    for (path, text) in case.files {
        std::fs::write(project.path().join(path), text).unwrap();
    }
    let handler = start(case).await;
    let mut command = deskbell(project.path());
    if !case.has_variable {
        command.env_remove(OFFICIAL);
    }
    finish(command.args(["doctor", &handler.url, "--json"]).args(case.flags)).await
}

#[tokio::test]
async fn the_fault_of_each_handler_is_named_and_nothing_else() {
    let cases: Vec<_> = cases().collect();
    let examined = cases.iter().map(|case| async move {
        let project = tempfile::tempdir().unwrap();
        (case, examine(case, &project).await)
    });
    let examined: Vec<_> = stream::iter(examined).buffer_unordered(CONCURRENCY).collect().await;
    let mut wrong = Vec::new();
    for (case, ran) in &examined {
        let found = faults(ran);
        let found: Vec<_> = found.iter().map(|(code, status)| (&**code, &**status)).collect();
        let code = i32::from(found.iter().any(|(_, status)| *status == "fail"));
        if found != case.wanted || ran.code != code || !ran.stdout.contains(case.said) {
            wrong.push(format!(
                "{}: wanted {:?} and {:?}, found {found:?} and {}: {}{}",
                case.handler, case.wanted, case.said, ran.code, ran.stdout, ran.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
