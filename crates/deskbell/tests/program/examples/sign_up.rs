//! What the README of `sign-up` shows, and its request from TypeScript.

use serde_json::Value;

use super::readme::blocks;
use super::sandbox::Sandbox;
use super::{BACKENDS, directory};
use crate::program::support::{Serving, deskbell, finish, http_client};

const USER: &str = "user_mira";

/// Runs a command of the README; what it prints.
async fn run(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let mut command = deskbell(&sandbox.path());
    let ran = finish(command.env("DATABASE_URL", sandbox.url()).args(arguments)).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout.trim().to_owned()
}

async fn token(sandbox: &Sandbox) -> String {
    run(sandbox, &["tokens", "create", "--role", "reader", "--name", "app"]).await
}

/// The event of the README arrives.
async fn trigger(sandbox: &Sandbox, serving: &Serving) {
    let (url, id) = (serving.url(), format!("data.id={USER}"));
    run(sandbox, &["trigger", "--sample", "user.created", "--url", &url, "--set", &id]).await;
}

#[tokio::test]
async fn what_the_readme_shows_is_answered() {
    let readme = std::fs::read_to_string(directory("sign-up").join("README.md")).unwrap();
    let commands = blocks(&readme, "sh").concat();
    for command in [
        "tokens create --role reader --name app",
        "trigger user.created --sample --set data.id=user_mira",
    ] {
        assert!(commands.iter().any(|line| line.contains(command)), "{command}");
    }
    let asked = commands.iter().find(|line| line.starts_with("curl ")).unwrap();
    let (_, path) = asked.split_once("127.0.0.1:3000").unwrap();
    for backend in BACKENDS {
        let sandbox = Sandbox::new("sign-up", backend).await;
        let serving = sandbox.serve().await;
        let token = token(&sandbox).await;
        let url = format!("http://{}{}", serving.address, path.trim_end_matches('"'));
        let asking = async {
            let reply = http_client().get(url).bearer_auth(token).send().await.unwrap();
            reply.text().await.unwrap()
        };
        let (text, ()) = tokio::join!(asking, trigger(&sandbox, &serving));
        let user: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(user["id"], USER);
        let shown = r#""first_name":"Mira","has_image":false,"id":"user_mira""#;
        assert!(text.contains(shown) && readme.contains(shown), "{text}");
        assert_eq!(serving.terminate().await.0, 0);
    }
}

/// Node runs the file without its types.
#[cfg(feature = "interop")]
#[tokio::test]
async fn the_request_from_typescript_is_answered() {
    let sandbox = Sandbox::new("sign-up", BACKENDS[0]).await;
    let source = std::fs::read_to_string(directory("sign-up").join("ensure-user.ts")).unwrap();
    let (_, function) = source.split_once("export async function").unwrap();
    let function = function.replace("(id: string): Promise<User | null>", "(id)");
    let script = format!(
        "async function{function}\nconst user = await ensureUser('{USER}')\n\
         console.log(user.id, await ensureUser('user_nobody'))\n"
    );
    std::fs::write(sandbox.path().join("script.mjs"), script).unwrap();
    let serving = sandbox.serve().await;
    let mut node = tokio::process::Command::new("node");
    node.arg("script.mjs").current_dir(sandbox.path());
    node.env("DESKBELL_URL", format!("http://{}", serving.address));
    node.env("DESKBELL_TOKEN", token(&sandbox).await);
    let (ran, ()) = tokio::join!(finish(&mut node), trigger(&sandbox, &serving));
    assert_eq!((ran.code, ran.stdout.trim()), (0, "user_mira null"), "{ran:?}");
    assert_eq!(serving.terminate().await.0, 0);
}
