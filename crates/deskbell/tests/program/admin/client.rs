//! A client with the admin token.

use std::path::Path;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::support::{Serving, deskbell, directory, http_client, within};

pub(super) const TOKEN: &str = "an-admin-token-of-more-than-32-characters";
/// Endpoints of tests are on this machine.
const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n\n\
    [endpoints]\nallow_hosts = [\"127.0.0.1\"]\n\n\
    [mirror]\nenabled = true\n\n";

/// A directory with a config that lets endpoints be made, with these further sections.
pub(super) fn configured(more: &str) -> TempDir {
    let directory = directory();
    std::fs::write(directory.path().join("deskbell.toml"), format!("{CONFIG}{more}")).unwrap();
    directory
}

/// Starts it with an admin token in its environment.
pub(super) async fn start(directory: &Path) -> (Serving, Client) {
    let mut command = deskbell(directory);
    command.env("DESKBELL_ADMIN_TOKEN", TOKEN);
    let serving = Serving::of(command).await;
    let base = format!("http://{}", serving.address);
    (serving, Client { base, http: http_client() })
}

#[derive(Clone)]
pub(super) struct Client {
    pub(super) base: String,
    http: reqwest::Client,
}

impl Client {
    /// The answer, which is a success.
    pub(super) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(self.request(Method::GET, path)).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// Asks until the answer is so.
    pub(super) async fn until(&self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut look = tokio::time::interval(Duration::from_millis(50));
        within(async {
            loop {
                look.tick().await;
                let answer = self.get(path).await;
                if is_so(&answer) {
                    break answer;
                }
            }
        })
        .await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send(Method::POST, path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// The status, and the answer.
    pub(super) async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(method, path).header("content-type", "application/json");
        self.ask(request.body(body.to_string())).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(TOKEN)
    }

    async fn ask(&self, request: RequestBuilder) -> (u16, Value) {
        let reply = request.send().await.unwrap();
        let status = reply.status().as_u16();
        let body = reply.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}
