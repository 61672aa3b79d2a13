//! The pages about Next.js and Express: their code compiles, and Express's gets what Deskbell forwards.
//! `cargo xtask test` installs the packages in `target/interop/docs`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tempfile::TempDir;
use testkit::PostgresDatabase;
use tokio::process::Command;

use super::interop::{lines, next};
use super::readme::blocks;
use crate::program::support::{Serving, deskbell, finish};

const PORT: &str = "localhost:3000";
const LISTEN: &str = "127.0.0.1:4000";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).unwrap()
}

/// A directory with the packages.
fn project() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let interop = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("interop");
    symlink(interop.join("docs/node_modules"), directory.path().join("node_modules")).unwrap();
    let tsconfig = root().join("tests/interop/docs/tsconfig.json");
    fs::copy(tsconfig, directory.path().join("tsconfig.json")).unwrap();
    directory
}

/// The blocks of the page in this language: the file that the first line names, and the rest.
fn files(page: &str, language: &str) -> Vec<(String, String)> {
    let named = blocks(page, language).into_iter().map(|lines| {
        let name = lines[0].strip_prefix("// ").expect("the first line names the file");
        (name.to_owned(), lines[1..].join("\n"))
    });
    named.collect()
}

fn write(directory: &TempDir, name: &str, text: &str) {
    let file = directory.path().join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn tsc(directory: &TempDir) -> Command {
    let mut tsc = Command::new(directory.path().join("node_modules/.bin/tsc"));
    tsc.args(["--project", "."]).current_dir(directory.path());
    tsc
}

#[tokio::test]
async fn the_code_for_next_compiles() {
    let text = page("nextjs.md");
    let (proxies, others): (Vec<_>, Vec<_>) = [files(&text, "ts"), files(&text, "tsx")]
        .concat()
        .into_iter()
        .partition(|(name, _)| name == "proxy.ts");
    assert_eq!((proxies.len(), others.len()), (2, 3));
    for (name, proxy) in proxies {
        let project = project();
        for (name, text) in &others {
            write(&project, name, text);
        }
        write(&project, &name, &proxy);
        let ran = finish(&mut tsc(&project)).await;
        assert_eq!(ran.code, 0, "{}", ran.stdout);
    }
}

/// Calls `store()` as the route does: the same message twice, a late event, and one after the delete.
const EVENTS: &str = r#"
import pg from "pg";
import { store } from "./out/lib/store.js";

const user = (updated_at, email_address) => ({
  type: "user.updated",
  data: { id: "user_1", updated_at, primary_email_address_id: "idn_1", email_addresses: [{ id: "idn_1", email_address }] },
});
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
const print = async () => {
  const { rows } = await client.query("select email, deleted_at is not null as deleted from users");
  console.log(JSON.stringify(rows));
};
await store("msg_2", user(2, "new@example.com"));
await store("msg_1", user(1, "old@example.com"));
await store("msg_2", user(9, "again@example.com"));
await print();
await store("msg_3", { type: "user.deleted", data: { id: "user_1", deleted: true } });
await store("msg_4", user(3, "late@example.com"));
await store("msg_5", { type: "comet.landed", data: { id: "comet_1" } });
await print();
process.exit();
"#;

#[tokio::test]
async fn the_code_for_next_stores_each_message_once() {
    let (text, project, database) =
        (page("nextjs.md"), project(), PostgresDatabase::with_owner().await);
    for (name, text) in files(&text, "ts").into_iter().filter(|(name, _)| name == "lib/store.ts") {
        write(&project, &name, &text);
    }
    write(&project, "package.json", r#"{"type":"module"}"#);
    write(&project, "events.mjs", EVENTS);
    let mut tsc = tsc(&project);
    let ran = finish(tsc.args(["--noEmit", "false", "--outDir", "out", "--rootDir", "."])).await;
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let tables = blocks(&text, "sql").concat().join("\n");
    sqlx::raw_sql(AssertSqlSafe(tables)).execute(&mut connection).await.unwrap();
    let mut node = Command::new("node");
    node.arg("events.mjs").current_dir(project.path()).env("DATABASE_URL", database.url());
    let ran = finish(&mut node).await;
    let expected = "[{\"email\":\"new@example.com\",\"deleted\":false}]\n\
                    [{\"email\":null,\"deleted\":true}]\n";
    assert_eq!(ran.stdout, expected, "{}", ran.stderr);
}

#[tokio::test]
async fn what_the_page_calls_outdated_does_not_compile() {
    let project = project();
    let outdated = "import { clerkMiddleware } from \"@clerk/nextjs/server\";\n\
                    export default clerkMiddleware((auth) => { auth().protect(); });\n";
    write(&project, "proxy.ts", outdated);
    let ran = finish(&mut tsc(&project)).await;
    assert!(ran.code != 0 && ran.stdout.contains("proxy.ts(2"), "{}", ran.stdout);
}

#[tokio::test]
async fn the_code_for_express_is_javascript() {
    let project = project();
    let files = files(&page("express.md"), "js");
    assert_eq!(files.len(), 2);
    for (name, text) in files {
        write(&project, &name, &text);
        let file = project.path().join(&name);
        let ran = finish(Command::new("node").arg("--check").arg(file)).await;
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn the_handler_in_express_gets_what_the_page_sends() {
    let (text, project) = (page("express.md"), project());
    let (name, server) = files(&text, "js").swap_remove(0);
    write(&project, &name, &server);
    let mut app = Command::new("node")
        .arg(&name)
        .current_dir(project.path())
        .envs(secret(&text))
        .env("PORT", "0")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut prints = lines(app.stdout.take().unwrap());
    let said = next(&mut prints).await;
    let port = said.strip_prefix("listening on port ").unwrap();

    let config = blocks(&text, "toml").swap_remove(0).join("\n");
    assert!(config.contains(PORT) && config.contains(LISTEN));
    let config = config.replace(PORT, &format!("localhost:{port}"));
    write(&project, "deskbell.toml", &config.replace(LISTEN, "127.0.0.1:0"));
    let mut command = deskbell(project.path());
    command.envs(secret(&text));
    let serving = Serving::of(command).await;
    let line = *blocks(&text, "sh").concat().last().unwrap();
    let mut command = deskbell(project.path());
    command.envs(secret(&text)).args(line.split(' ').skip(1)).args(["--url", &serving.url()]);
    let ran = finish(&mut command).await;
    assert_eq!(ran.code, 0, "{line}: {}{}", ran.stdout, ran.stderr);
    let printed = next(&mut prints).await;
    assert!(text.contains(&format!("The app prints `{printed}`.")), "{printed}");
    assert_eq!(serving.terminate().await.0, 0);
}

/// The variable of the page's second secret.
fn secret(page: &str) -> Option<(&str, &str)> {
    let mut lines = blocks(page, "sh").concat().into_iter();
    lines.find(|line| line.starts_with("export APP_WEBHOOK_SECRET="))?[7..].split_once('=')
}
