//! The admin API does what its OpenAPI description says, whatever schemathesis sends.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::support::{Serving, deskbell, directory, trigger};

const ADMIN_TOKEN: &str = "an-admin-token-of-more-than-32-characters";
/// Thousands of requests, on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(400);

#[tokio::test]
async fn every_route_is_as_described() {
    let directory = directory();
    let mut command = deskbell(directory.path());
    command.env("DESKBELL_ADMIN_TOKEN", ADMIN_TOKEN);
    let serving = Serving::of(command).await;
    for id in ["msg_1", "msg_2"] {
        trigger(directory.path(), &serving.url(), "user.created", id, &[]).await;
    }
    let interop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/schemathesis");
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let run = Command::new("python3")
        .args(["-c", "from schemathesis.cli import schemathesis; schemathesis()"])
        .arg("--config-file")
        .arg(interop.join("schemathesis.toml"))
        .args(["run", &format!("http://{}/api/openapi.json", serving.address)])
        .args(["-H", &format!("Authorization: Bearer {ADMIN_TOKEN}")])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "2"])
        .args(["--generation-deterministic", "--no-color"])
        // It does not end.
        .args(["--exclude-path", "/api/v1/events/tail"])
        .env("PYTHONPATH", packages.join("interop/schemathesis/packages"))
        .env("PYTHONUTF8", "1")
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(TIME_MAX, run).await.expect("in time").unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0, "{said:#?}");
}
