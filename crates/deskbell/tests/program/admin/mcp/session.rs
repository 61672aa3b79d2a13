//! A session of a client with `deskbell mcp`.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::program::support::{deskbell, within};

const VERSION: &str = "2025-06-18";
/// The number of the first request that calls a tool.
const FIRST_CALL: usize = 3;

/// Who speaks with it.
#[derive(Clone, Copy)]
pub(super) enum Speaker {
    /// The test itself, which reads every line of stdout.
    Lines,
    /// The npm package `@modelcontextprotocol/sdk`.
    #[cfg(feature = "interop")]
    Official,
}

/// What was said in it.
pub(super) struct Session {
    pub(super) server: Value,
    pub(super) tools: Vec<Value>,
    /// What each call came to; `{"error"}` where it was refused.
    pub(super) results: Vec<Value>,
}

impl Session {
    /// Starts it with these flags, lists the tools, and calls some.
    pub(super) async fn hold(
        speaker: Speaker,
        directory: &Path,
        flags: &[&str],
        calls: &[(&str, Value)],
    ) -> Self {
        match speaker {
            Speaker::Lines => by_lines(directory, flags, calls).await,
            #[cfg(feature = "interop")]
            Speaker::Official => official::by_client(directory, flags, calls).await,
        }
    }

    pub(super) fn tool_names(&self) -> Vec<&str> {
        self.tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
    }

    /// The data of each answer, none of which is an error.
    pub(super) fn data(&self) -> Vec<Value> {
        let data = self.results.iter().map(|result| {
            assert_eq!(result["isError"], false, "{result:#}");
            result["structuredContent"].clone()
        });
        data.collect()
    }

    /// The sentence of an answer.
    pub(super) fn text(&self, number: usize) -> &str {
        self.results[number]["content"][0]["text"].as_str().unwrap()
    }
}

async fn by_lines(directory: &Path, flags: &[&str], calls: &[(&str, Value)]) -> Session {
    let mut command = deskbell(directory);
    command.arg("mcp").args(flags).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    let mut stdout = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut results = vec![Value::Null; FIRST_CALL + calls.len()];
    for message in messages(calls) {
        stdin.write_all(format!("{message}\n").as_bytes()).await.unwrap();
        let Some(id) = message["id"].as_u64() else { continue };
        let line = within(stdout.next_line()).await.unwrap().expect("an answer");
        let answer: Value = serde_json::from_str(&line).expect("nothing but messages on stdout");
        assert_eq!(answer["id"], id);
        let refused = json!({ "error": answer["error"]["message"] });
        results[usize::try_from(id).unwrap()] = answer.get("result").cloned().unwrap_or(refused);
    }
    drop(stdin);
    assert_eq!(within(stdout.next_line()).await.unwrap(), None);
    assert!(within(process.wait()).await.unwrap().success());
    Session {
        server: results[1]["serverInfo"].clone(),
        tools: results[2]["tools"].as_array().unwrap().clone(),
        results: results.split_off(FIRST_CALL),
    }
}

/// What a client says, from the beginning.
fn messages(calls: &[(&str, Value)]) -> Vec<Value> {
    let client = json!({ "name": "deskbell-tests", "version": "1.0.0" });
    let begin = json!({ "protocolVersion": VERSION, "capabilities": {}, "clientInfo": client });
    let mut messages = vec![
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": begin }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" }),
    ];
    messages.extend(calls.iter().enumerate().map(|(number, (name, arguments))| {
        let params = json!({ "name": name, "arguments": arguments });
        let id = FIRST_CALL + number;
        json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
    }));
    messages
}

#[cfg(feature = "interop")]
mod official {
    //! The same by the official client; `cargo xtask test` installs the package.

    use tokio::process::Command;

    use super::*;
    use crate::program::support::SECRET;

    pub(super) async fn by_client(
        directory: &Path,
        flags: &[&str],
        calls: &[(&str, Value)],
    ) -> Session {
        let interop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/mcp");
        let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop/mcp");
        let calls = calls.iter();
        let calls = calls.map(|(name, arguments)| json!({ "name": name, "arguments": arguments }));
        let arguments = [&["mcp"], flags].concat();
        let ask = json!({
            "program": env!("CARGO_BIN_EXE_deskbell"),
            "arguments": arguments,
            "directory": directory,
            "environment": { "CLERK_WEBHOOK_SIGNING_SECRET": SECRET },
            "calls": calls.collect::<Vec<_>>(),
        });
        let mut node = Command::new("node")
            .args([interop.join("calls.mjs"), packages])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        node.stdin.take().unwrap().write_all(ask.to_string().as_bytes()).await.unwrap();
        let output = within(node.wait_with_output()).await.unwrap();
        assert!(output.status.success(), "see tests/interop/README.md");
        let mut said: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut list = |name: &str| said[name].as_array_mut().map(std::mem::take).unwrap();
        let (tools, results) = (list("tools"), list("results"));
        Session { server: said["server"].take(), tools, results }
    }
}
