//! What the official library signs lands as a row, also in a body that another JSON writer made.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::support::{SECRET, Serving, directory, mirror_at, within};

/// As Go's encoder writes it: `&`, `<` and `>` escaped. Parsed and written again, it would be
/// other bytes.
const FROM_GO: &str = r#"{"data":{"id":"user_go","object":"user","first_name":"\u003cAda \u0026 Co\u003e","email_addresses":[{"id":"idn_1","email_address":"ada@example.com"}],"primary_email_address_id":"idn_1","created_at":1654012591514,"updated_at":1654012591835},"event_attributes":{"http_request":{"client_ip":"::1","user_agent":"a\u0026b"}},"instance_id":"ins_1","object":"event","timestamp":1654012591835,"type":"user.created"}"#;

/// Has the npm package `svix` sign and send it; `cargo xtask test` installs the package.
async fn deliver_by_svix(url: &str, id: &str, body: &str) -> Value {
    let interop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop");
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop/node");
    let mut node = Command::new("node")
        .args([interop.join("deliver.mjs"), packages])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let ask = json!({ "url": url, "secret": SECRET, "id": id, "body": body });
    node.stdin.take().unwrap().write_all(ask.to_string().as_bytes()).await.unwrap();
    let output = within(node.wait_with_output()).await.unwrap();
    assert!(output.status.success(), "see tests/interop/README.md");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_delivery_signed_by_the_official_library_lands_as_a_row() {
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let answer = deliver_by_svix(&serving.url(), "msg_go", FROM_GO).await;
    assert_eq!(answer, json!({ "status": 200, "reply": "{\"received\":true}" }));
    let reader = mirror_at(directory.path(), 1).await;
    let [row] = &reader.whole_rows("clerk_users").await.unwrap()[..] else { panic!("one row") };
    assert_eq!(row["id"], "user_go");
    assert_eq!(row["first_name"], "<Ada & Co>");
    assert_eq!(row["primary_email_address"], "ada@example.com");
    assert_eq!(row["updated_at"], "2022-05-31T15:56:31.835Z");
    assert_eq!(row["raw"]["first_name"], "<Ada & Co>");
}
