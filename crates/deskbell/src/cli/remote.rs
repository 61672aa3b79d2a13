//! `--server URL --token T`: the same answers, over the admin API of a running `deskbell serve`.

use std::time::Duration;

use clap::Args;
use deskbell_devtools::without_password;
use miette::Diagnostic;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::exit;

/// How long an answer is waited for.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of an answer, at most.
const REPLY_BYTES_MAX: usize = 64 << 20;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Another server")]
pub(super) struct RemoteArguments {
    /// Ask the `deskbell serve` at this URL instead of the event log of this machine's config.
    #[arg(long, value_name = "URL", requires = "token")]
    server: Option<Url>,
    /// Token for that server (`deskbell tokens create`).
    #[arg(long, value_name = "T", env = "DESKBELL_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum RemoteError {
    #[error("--server: expected a URL such as https://hooks.example.com")]
    Url,
    #[error("--token: expected a token without white space or control characters")]
    Token,
    #[error("cannot reach {server}")]
    Unreachable { server: String, source: reqwest::Error },
    #[error("the server does not accept the token")]
    #[diagnostic(help(
        "run `deskbell tokens list` on the server's machine, or create another one"
    ))]
    Unauthorized,
    #[error("{detail}")]
    Forbidden {
        detail: String,
        #[help]
        help: &'static str,
    },
    #[error("{detail}")]
    Refused { detail: String },
    #[error("{server} gave an unexpected answer ({status}): is it a `deskbell serve`?")]
    Unexpected { server: String, status: StatusCode },
}

/// What problem details say.
#[derive(serde::Deserialize)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

/// A client of a server's admin API.
#[derive(Debug)]
pub(super) struct Remote {
    server: Url,
    token: String,
    client: Client,
}

impl RemoteArguments {
    /// The server to ask; `None` for the local store.
    pub(super) fn remote(&self) -> Result<Option<Remote>, exit::Failure> {
        let (Some(server), Some(token)) = (&self.server, &self.token) else { return Ok(None) };
        if !matches!(server.scheme(), "http" | "https") || !server.has_host() {
            return Err(exit::Failure::usage(RemoteError::Url));
        }
        let is_plain = |character: char| character.is_ascii_graphic();
        if token.is_empty() || !token.chars().all(is_plain) {
            return Err(exit::Failure::usage(RemoteError::Token));
        }
        // A redirect would send the token elsewhere.
        let client = Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(exit::Failure::failed)?;
        let (server, token) = (server.clone(), token.clone());
        Ok(Some(Remote { server, token, client }))
    }
}

impl Remote {
    /// The answer to a GET of these path segments, with this query.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, exit::Failure> {
        match self.find(path, query).await? {
            Ok(found) => Ok(found),
            Err(detail) => Err(exit::Failure::failed_with_help(RemoteError::Refused { detail })),
        }
    }

    /// As [`get`](Self::get); what the server says instead where there is no such thing.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Result<T, String>, exit::Failure> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.client.request(Method::GET, url)).await
    }

    /// The answer to a POST with this body.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, exit::Failure> {
        let body = serde_json::to_vec(body).map_err(exit::Failure::failed)?;
        let request = self.client.request(Method::POST, self.url(path));
        let request = request.header("content-type", "application/json").body(body);
        match self.send(request).await? {
            Ok(found) => Ok(found),
            Err(detail) => Err(exit::Failure::failed_with_help(RemoteError::Refused { detail })),
        }
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }

    async fn send<T: DeserializeOwned>(
        &self,
        request: RequestBuilder,
    ) -> Result<Result<T, String>, exit::Failure> {
        let server = || without_password(&self.server);
        let unreachable = |source: reqwest::Error| {
            let source = source.without_url();
            exit::Failure::failed(RemoteError::Unreachable { server: server(), source })
        };
        let mut reply = request.bearer_auth(&self.token).send().await.map_err(unreachable)?;
        let status = reply.status();
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > REPLY_BYTES_MAX {
                break;
            }
        }
        let unexpected = || {
            exit::Failure::failed_with_help(RemoteError::Unexpected { server: server(), status })
        };
        if status.is_success() {
            // An answer without a body is `null`.
            let body = if body.is_empty() { b"null".to_vec() } else { body };
            return serde_json::from_slice(&body).map(Ok).map_err(|_| unexpected());
        }
        let problem = serde_json::from_slice::<Problem>(&body).map_err(|_| unexpected())?;
        let detail = problem.detail.or(problem.title).ok_or_else(unexpected)?;
        match status {
            StatusCode::UNAUTHORIZED => {
                Err(exit::Failure::failed_with_help(RemoteError::Unauthorized))
            }
            StatusCode::FORBIDDEN => {
                let help = "use a token with a role that allows it";
                Err(exit::Failure::failed_with_help(RemoteError::Forbidden { detail, help }))
            }
            StatusCode::NOT_FOUND => Ok(Err(detail)),
            _ => Err(exit::Failure::failed_with_help(RemoteError::Refused { detail })),
        }
    }
}

/// For an answer that says nothing.
pub(super) type Nothing = Option<Value>;
