//! Where events come from.

use async_trait::async_trait;
use miette::Diagnostic;

use super::message::Message;

/// Where events come from: each one once, in order, from where the feed began.
#[async_trait]
pub trait Feed: Send {
    /// The next event, or that the connection is gone or back. It goes on where it was.
    ///
    /// # Errors
    /// Asking again would not help.
    async fn next(&mut self) -> Result<FeedItem, FeedError>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedItem {
    Message(Message),
    /// The connection is gone; it is tried again.
    Lost {
        reason: String,
    },
    /// These cannot be read, and are left out.
    Unreadable {
        messages: usize,
    },
    /// It is back, and nothing was missed.
    Restored,
    /// It is back, and the log is another one, which was restored or made anew: it goes on with what
    /// comes now.
    Replaced,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum FeedError {
    #[error("--from: expected a URL such as https://hooks.example.com, or clerk")]
    Url,
    #[error("cannot reach {server}: {reason}")]
    #[diagnostic(help("check the URL, and that `deskbell serve` runs there"))]
    Unreachable { server: String, reason: String },
    #[error("{server} does not accept the token")]
    #[diagnostic(help(
        "create one on the server's machine: deskbell tokens create --role reader --name NAME"
    ))]
    Unauthorized { server: String },
    #[error("{server}: {detail}")]
    #[diagnostic(help(
        "a token with the role reader sees payloads: deskbell tokens create --role reader --name NAME"
    ))]
    Forbidden { server: String, detail: String },
    #[error("{server} gave an unexpected answer ({status}): is it a `deskbell serve`?")]
    #[diagnostic(help(
        "--from takes the address of the admin routes, `admin_listen` in its config"
    ))]
    Unexpected { server: String, status: u16 },
    #[error("{server} refused: {detail}")]
    Refused { server: String, detail: String },
    #[error("there is no event with the message id {id}")]
    #[diagnostic(help("`deskbell events list` shows message ids"))]
    NoEvent { id: String },
    #[error("this Clerk instance has no webhooks yet")]
    #[diagnostic(help("open Configure > Webhooks in Clerk's dashboard once"))]
    NoWebhooks,
    #[error("cannot log in to Clerk's sender")]
    #[diagnostic(help(
        "check CLERK_SECRET_KEY; where it is right, listen to a deployed Deskbell instead: --from URL"
    ))]
    Login(#[source] clerk_api::sender::SessionError),
    #[error("cannot read the messages of Clerk's sender")]
    Sender(#[source] clerk_api::sender::ReadError),
    #[error("cannot set up the connection")]
    Client(#[from] reqwest::Error),
}
