//! Slack, through an incoming webhook: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use std::fmt;

use async_trait::async_trait;
use deskbell_config::{HttpUrl, SecretText};
use deskbell_expr::json;
use http::{Method, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use tokio::time::Instant;
use url::Url;

use crate::api::{Api, ApiReply, ApiRequest, ClientError};
use crate::attempt::{Attempt, Outcome};
use crate::channel::{Channel, Delivery};
use crate::filter::view;
use crate::notice::Notice;
use crate::off_workers::off_workers;
use crate::template::{CheckFailure, Escape, Template, TemplateError, TemplateText, slack};

/// Slack's words for a webhook that will never work again.
const GONE: &[&str] =
    &["no_service", "invalid_token", "no_team", "team_disabled", "no_active_hooks"];

/// What a Slack destination is. It has `text`, `blocks`, or both: then the text is what
/// notifications show. With neither it carries alerts only.
#[derive(Debug, Clone)]
pub struct SlackOptions {
    /// The incoming webhook's URL: whoever knows it can post.
    pub webhook_url: SecretText,
    /// The message in Slack's mrkdwn. `&`, `<` and `>` in values are escaped: no one's name is a
    /// mention or a link.
    pub text: Option<TemplateText>,
    /// [Blocks](https://docs.slack.dev/block-kit): a JSON list, or an object with `blocks`. Values
    /// stand inside of strings, and are escaped for that; `| tojson` gives a whole JSON value.
    pub blocks: Option<TemplateText>,
    /// The proxy to go through; `None` for none, whatever the environment says.
    pub proxy: Option<HttpUrl>,
}

/// Options that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SlackOptionsError {
    /// The webhook's URL. It is not repeated: it is a secret.
    #[error("the webhook's URL is not of the form https://hooks.slack.com/services/…")]
    Url,
    /// A template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Posts a message for an event.
pub struct SlackChannel {
    api: Api,
    url: Url,
    text: Option<Template>,
    blocks: Option<Template>,
}

impl SlackChannel {
    /// Compiles the templates and sets the client up. Nothing is sent yet.
    ///
    /// # Errors
    /// [`SlackOptionsError`] names what will not do.
    pub fn new(options: SlackOptions) -> Result<Self, SlackOptionsError> {
        let SlackOptions { webhook_url, text, blocks, proxy } = options;
        let url = Url::parse(webhook_url.expose().trim()).map_err(|_| SlackOptionsError::Url)?;
        if !matches!(url.scheme(), "http" | "https") || url.path().len() <= 1 {
            return Err(SlackOptionsError::Url);
        }
        let text =
            text.map(|text| Template::compile(text.name, &text.text, Escape::Slack)).transpose()?;
        let blocks = blocks
            .map(|text| Template::compile(text.name, &text.text, Escape::SlackBlocks))
            .transpose()?;
        let api = Api::new("Slack", url.path().into(), proxy.as_ref())?;
        Ok(Self { api, url, text, blocks })
    }

    /// Renders the templates with the catalog's samples of these types, and tells what fails.
    #[must_use]
    pub fn check(&self, event_types: &[&str]) -> Vec<CheckFailure> {
        if self.text.is_none() && self.blocks.is_none() {
            return Vec::new();
        }
        let failure = |event_type: &&str| {
            let message = deskbell_expr::on_sample(event_type, |_, view| {
                self.message(|template| template.render_sample(view))
            });
            let reason = message?.err()?;
            Some(CheckFailure { event_type: (*event_type).to_owned(), reason })
        };
        event_types.iter().filter_map(failure).collect()
    }

    /// The templates' paths that no sample and no description of events of these types has, in words.
    #[must_use]
    pub fn unknown_paths(&self, event_types: &[&str]) -> Vec<String> {
        let templates = self.text.iter().chain(&self.blocks);
        templates.flat_map(|template| template.unknown_paths(event_types)).collect()
    }

    /// The message, given how its templates are rendered, or why there can be none.
    fn message(
        &self,
        render: impl Fn(&Template) -> Result<String, String>,
    ) -> Result<Json, String> {
        if self.text.is_none() && self.blocks.is_none() {
            return Err("this destination carries alerts only".to_owned());
        }
        let mut message = match self.blocks.as_ref().map(&render).transpose()? {
            None => json!({}),
            Some(blocks) => with_blocks(&blocks)?,
        };
        let text = self.text.as_ref().map(&render).transpose()?;
        let text = text.filter(|text| !text.trim().is_empty());
        if let Some(text) = text {
            message["text"] = text.into();
        }
        let has = |name| message.get(name).is_some();
        if !has("text") && !has("blocks") && !has("attachments") {
            return Err("the message came to nothing".to_owned());
        }
        Ok(message)
    }

    /// What follows from a reply. Slack says what is wrong in one word.
    fn outcome(&self, reply: &ApiReply) -> Outcome {
        if reply.status.is_success() {
            return Outcome::Delivered;
        }
        let word = self.api.words(&String::from_utf8_lossy(&reply.body));
        let reason = match word.as_str() {
            "" => format!("Slack answered {}", reply.status.as_u16()),
            word => format!("Slack answered {}: {word}", reply.status.as_u16()),
        };
        match reply.status {
            StatusCode::GONE => Outcome::Gone { reason },
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => reply.retry(reason),
            status if status.is_client_error() && GONE.contains(&word.as_str()) => {
                Outcome::Gone { reason }
            }
            status if status.is_client_error() => Outcome::Reject { reason },
            _ => reply.retry(reason),
        }
    }
}

#[async_trait]
impl Channel for SlackChannel {
    async fn attempt(&self, delivery: &Delivery, deadline: Instant) -> Attempt {
        let message = match Notice::of(&delivery.event) {
            Some(notice) => Ok(of_notice(&notice)),
            None => off_workers(|| {
                let view = view(&delivery.event);
                self.message(|template| {
                    template.render(Some(&view)).map_err(|error| error.to_string())
                })
            }),
        };
        let body = match message {
            Ok(message) => message,
            Err(reason) => return Attempt::rejected(reason),
        };
        let request = ApiRequest {
            method: Method::POST,
            url: self.url.clone(),
            authorization: None,
            idempotency_key: None,
            body: &body,
        };
        match self.api.send(request, deadline).await {
            Ok(reply) => {
                let outcome = self.outcome(&reply);
                reply.attempt(outcome)
            }
            Err(attempt) => attempt,
        }
    }
}

fn of_notice(notice: &Notice) -> Json {
    json!({ "text": format!("*{}*\n{}", slack(&notice.subject), slack(&notice.text)) })
}

/// A message with these blocks. Where in a text JSON breaks is told; the text is not.
fn with_blocks(text: &str) -> Result<Json, String> {
    serde_json::from_str::<&RawValue>(text).map_err(|error| {
        format!("`blocks` is no JSON at line {}, column {}", error.line(), error.column())
    })?;
    // A value that somebody nested too deep in it shall not cost the message.
    let blocks = json::tree(text);
    match blocks {
        Json::Array(_) => Ok(json!({ "blocks": blocks })),
        Json::Object(_) => Ok(blocks),
        _ => Err("`blocks` is neither a list nor an object".to_owned()),
    }
}

impl fmt::Debug for SlackChannel {
    /// Without the URL's path, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackChannel").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}
