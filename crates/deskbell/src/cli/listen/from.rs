//! Where the events come from.

use std::str::FromStr;
use std::sync::Arc;

use deskbell_devtools::listen::{Feed, FeedError, Filter, Message, SenderFeed, ServerFeed, Start};
use deskbell_devtools::without_password;
use miette::Diagnostic;
use url::Url;

use super::super::local_url::local_url;
use super::super::{Context, connect, exit};
use crate::config::Config;

const CLERK: &str = "clerk";

/// What `--from` names.
#[derive(Debug, Clone)]
pub(super) enum From {
    Server(Url),
    Clerk,
}

impl FromStr for From {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == CLERK {
            return Ok(Self::Clerk);
        }
        let url = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.map(Self::Server).ok_or("expected a URL such as https://hooks.example.com, or clerk")
    }
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("there is no token for {server}")]
    #[diagnostic(help(
        "pass --token, or set DESKBELL_TOKEN, or the server's DESKBELL_ADMIN_TOKEN; on the server's machine: deskbell tokens create --role reader --name NAME"
    ))]
    NoToken { server: String },
    #[error("the config does not say where its server can be asked")]
    #[diagnostic(help("pass --from URL"))]
    NoServer,
}

pub(super) struct Source<'a> {
    pub(super) from: Option<From>,
    pub(super) token: Option<String>,
    pub(super) filter: Arc<Filter>,
    pub(super) start: Start,
    pub(super) replays: &'a [String],
}

pub(super) struct Opened {
    pub(super) feed: Box<dyn Feed>,
    /// As it is shown.
    pub(super) name: String,
    pub(super) replays: Vec<Message>,
}

impl Source<'_> {
    pub(super) async fn open(self, context: &Context) -> Result<Opened, exit::Failure> {
        match self.from.clone() {
            Some(From::Clerk) => self.clerk(context).await,
            Some(From::Server(url)) => {
                let token = self.token.clone();
                let no_token =
                    || exit::Failure::usage(Error::NoToken { server: without_password(&url) });
                let token = token.ok_or_else(no_token)?;
                self.server(url, token).await
            }
            None => {
                let config = config(context)?;
                let no_server = || exit::Failure::usage(Error::NoServer);
                let url = local(&config).ok_or_else(no_server)?;
                let configured = config.server.admin_token.as_ref();
                let configured = configured.map(|token| token.expose().to_owned());
                let no_token =
                    || exit::Failure::usage(Error::NoToken { server: without_password(&url) });
                let token = self.token.clone().or(configured).ok_or_else(no_token)?;
                self.server(url, token).await
            }
        }
    }

    async fn server(self, url: Url, token: String) -> Result<Opened, exit::Failure> {
        let name = without_password(&url);
        let feed = ServerFeed::open(url, token, self.filter, self.start).await.map_err(failure)?;
        let mut replays = Vec::new();
        for id in self.replays {
            replays.push(feed.find(id).await.map_err(failure)?);
        }
        Ok(Opened { feed: Box::new(feed), name, replays })
    }

    async fn clerk(self, context: &Context) -> Result<Opened, exit::Failure> {
        let mut config = config(context)?;
        let source = config.sources.first_mut();
        let source = source.ok_or_else(|| exit::Failure::usage(Error::NoServer))?;
        let client = connect::client(source, &context.environment)?;
        let feed = SenderFeed::open(client, self.filter, self.start).await.map_err(failure)?;
        let mut replays = Vec::new();
        for id in self.replays {
            replays.push(feed.find(id).await.map_err(failure)?);
        }
        Ok(Opened { feed: Box::new(feed), name: "Clerk's sender".to_owned(), replays })
    }
}

/// The config, whatever secrets its destinations lack.
fn config(context: &Context) -> Result<Config, exit::Failure> {
    let file = context.config_file.as_deref();
    Ok(Config::load_to_read(file, &context.environment)?.config)
}

fn failure(error: FeedError) -> exit::Failure {
    exit::Failure::failed_with_help(error)
}

/// The admin routes of the server of this config, on this machine.
fn local(config: &Config) -> Option<Url> {
    let address = config.server.admin_listen().unwrap_or_else(|| config.server.listen());
    local_url(config, address, "").ok()
}
