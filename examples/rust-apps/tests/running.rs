//! An app that runs, and requests to it.

use std::process::Stdio;

use clerk_webhooks::{HeaderFamily, Secret, Signer};
use reqwest::header::{ACCEPT, AUTHORIZATION, COOKIE};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::tokens;

/// The programs. Every test runs for each.
pub(crate) const APPS: [&str; 2] =
    [env!("CARGO_BIN_EXE_axum-app"), env!("CARGO_BIN_EXE_actix-app")];
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// It ends when it is dropped.
pub(crate) struct Running {
    process: Child,
    url: String,
    client: Client,
}

impl Running {
    pub(crate) async fn start(program: &str, directory: &TempDir) -> Self {
        let mut process = Command::new(program)
            .env_clear()
            .env("LISTEN", "127.0.0.1:0")
            .env("DATABASE", directory.path().join("app.db"))
            .env("CLERK_WEBHOOK_SIGNING_SECRET", SECRET)
            .env("CLERK_JWT_KEY", include_str!("keys/instance.pub.pem").replace('\n', "\\n"))
            .env("CLERK_FRONTEND_API_URL", tokens::ISSUER)
            .env("AUTHORIZED_PARTIES", "http://localhost:3000, https://app.example")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the app listens");
        let url = line.strip_prefix("listening on ").unwrap().to_owned();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        Self { process, url, client: client.build().unwrap() }
    }

    /// Kills it, as a power failure would.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await.unwrap();
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub(crate) async fn page(&self, path: &str) -> Response {
        self.request(Method::GET, path).header(ACCEPT, "text/html,*/*").send().await.unwrap()
    }

    pub(crate) async fn with_bearer(&self, path: &str, token: &str) -> Response {
        let request = self.request(Method::GET, path);
        request.header(AUTHORIZATION, format!("Bearer {token}")).send().await.unwrap()
    }

    pub(crate) async fn with_cookies(&self, path: &str, cookies: &str) -> Response {
        self.request(Method::GET, path).header(COOKIE, cookies).send().await.unwrap()
    }

    /// What the signed-in user sees at `/dashboard`.
    pub(crate) async fn dashboard(&self) -> String {
        let token = tokens::valid();
        self.with_bearer("/dashboard", &token).await.text().await.unwrap()
    }

    /// Sends a webhook as Clerk does.
    pub(crate) async fn webhook(&self, id: &str, body: &str) -> StatusCode {
        self.webhook_signed_for(id, body, body).await
    }

    /// Sends a webhook with the signature of another body.
    pub(crate) async fn webhook_signed_for(
        &self,
        id: &str,
        signed: &str,
        body: &str,
    ) -> StatusCode {
        let signer = Signer::new(&Secret::parse(SECRET).unwrap()).unwrap();
        let headers = signer.sign(id, tokens::now(), signed.as_bytes());
        let request = self.request(Method::POST, "/api/webhooks");
        let request = request.headers(headers.to_map(HeaderFamily::Svix).unwrap());
        request.body(body.to_owned()).send().await.unwrap().status()
    }
}
