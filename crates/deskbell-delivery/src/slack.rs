//! Slack, through an incoming webhook: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

mod config;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use deskbell_config::{Fault, TemplateText};
use deskbell_expr::json;
use deskbell_store::deliveries::StartFrom;
use http::{Method, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use tokio::time::Instant;
use url::Url;

pub use self::config::SlackConfig;
use crate::api::{Api, ApiReply, ApiRequest, receiver};
use crate::attempt::{Attempt, Outcome};
use crate::channel::{Channel, ChannelConfig, ChannelError, Delivery};
use crate::delivery_config::DeliveryConfig;
use crate::filter::view;
use crate::notice::Notice;
use crate::off_workers::off_workers;
use crate::template::{CheckFailure, Escape, Template, slack};

/// Slack's words for a webhook that will never work again.
const GONE: &[&str] =
    &["no_service", "invalid_token", "no_team", "team_disabled", "no_active_hooks"];

/// Posts a message for an event.
pub struct SlackChannel {
    api: Api,
    url: Url,
    text: Option<Template>,
    blocks: Option<Template>,
}

impl ChannelConfig for SlackConfig {
    fn validate(&self, delivery: &DeliveryConfig) -> Result<(), Fault> {
        if self.text.is_none() && self.blocks.is_none() && !delivery.is_for_alerts_alone() {
            return Err(Fault::at(Vec::new(), "set `text`, `blocks`, or both")
                .with_help("for example text = \"New user: {{ user.full_name }}\""));
        }
        Ok(())
    }

    fn start(&self) -> StartFrom {
        self.from
    }

    fn receiver(&self) -> String {
        receiver(self.webhook_url.expose_secrets())
    }

    fn channel(&self, destination: &str) -> Result<Arc<dyn Channel>, ChannelError> {
        Ok(Arc::new(SlackChannel::new(destination, self)?))
    }
}

impl SlackChannel {
    /// Compiles the templates and sets the client up. Nothing is sent yet.
    ///
    /// # Errors
    /// What of the config cannot be used.
    pub fn new(destination: &str, config: &SlackConfig) -> Result<Self, ChannelError> {
        let url = config.webhook_url.expose_secrets().clone();
        if url.path().len() <= 1 {
            // The URL is not repeated: it is a secret.
            return Err(
                "`webhook_url` is not of the form https://hooks.slack.com/services/…".into()
            );
        }
        let compile = |key, text: &Option<TemplateText>, escape| {
            let text = text.as_ref();
            text.map(|text| Template::of_key(destination, key, text, escape)).transpose()
        };
        let text = compile("text", &config.text, Escape::Slack)?;
        let blocks = compile("blocks", &config.blocks, Escape::SlackBlocks)?;
        let api = Api::new("Slack", url.path().into(), config.proxy.as_ref())?;
        Ok(Self { api, url, text, blocks })
    }

    /// The message, given how its templates are rendered, or why there can be none.
    fn message(
        &self,
        render: impl Fn(&Template) -> Result<String, String>,
    ) -> Result<Json, String> {
        if self.text.is_none() && self.blocks.is_none() {
            return Err("this destination takes only alerts".to_owned());
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
            return Err("the message is empty".to_owned());
        }
        Ok(message)
    }

    /// What follows from a reply. Slack says what is wrong in one word.
    fn outcome(&self, reply: &ApiReply) -> Outcome {
        if reply.status.is_success() {
            return Outcome::Delivered;
        }
        let word = String::from_utf8_lossy(&reply.body);
        let reason = self.api.reason(reply, &word);
        match reply.status {
            StatusCode::GONE => Outcome::Gone { reason },
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => reply.retry(reason),
            status if status.is_client_error() && GONE.contains(&word.trim()) => {
                Outcome::Gone { reason }
            }
            status if status.is_client_error() => Outcome::Reject { reason },
            _ => reply.retry(reason),
        }
    }
}

#[async_trait]
impl Channel for SlackChannel {
    fn check(&self, event_types: &[&str]) -> Vec<CheckFailure> {
        if self.text.is_none() && self.blocks.is_none() {
            return Vec::new();
        }
        CheckFailure::all(event_types, |sample| {
            self.message(|template| template.render_sample(sample)).err()
        })
    }

    fn unknown_paths(&self, event_types: &[&str]) -> Vec<String> {
        let templates = self.text.iter().chain(&self.blocks);
        templates.flat_map(|template| template.unknown_paths(event_types)).collect()
    }

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
        self.api.attempt(request, deadline, |reply| self.outcome(reply)).await
    }
}

fn of_notice(notice: &Notice) -> Json {
    json!({ "text": format!("*{}*\n{}", slack(&notice.subject), slack(&notice.text)) })
}

/// A message with these blocks. An error has the position in the text, and not the text.
fn with_blocks(text: &str) -> Result<Json, String> {
    serde_json::from_str::<&RawValue>(text).map_err(|error| {
        format!("`blocks` is not valid JSON at line {}, column {}", error.line(), error.column())
    })?;
    // A value that somebody nested too deep in it shall not cost the message.
    let blocks = json::tree(text);
    match blocks {
        Json::Array(_) => Ok(json!({ "blocks": blocks })),
        Json::Object(_) => Ok(blocks),
        _ => Err("expected `blocks` to be a JSON list or object".to_owned()),
    }
}

impl fmt::Debug for SlackChannel {
    /// Without the URL's path, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackChannel").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}
