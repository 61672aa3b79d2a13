//! `type = "slack"`: a message to a Slack channel.

use deskbell_config::{Node, ReadError};
use deskbell_delivery::DeliveryConfig;
use serde::{Deserialize, Serialize};

use crate::config::{HttpUrl, SecretUrl, TemplateText};

/// A message to a Slack channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SlackConfig {
    /// The incoming webhook of the channel, `https://hooks.slack.com/services/…`; it never shows.
    pub webhook_url: SecretUrl,
    /// The proxy to go through, `http://USER:PASSWORD@HOST:PORT`. Default: `None`, and the
    /// environment's (`HTTP_PROXY`) is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<HttpUrl>,
    /// What it says. `None` where `events` is empty: alerts bear their own text.
    #[serde(flatten)]
    pub message: Option<SlackMessage>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SlackMessage {
    /// A template that gives the text, in Slack's markup.
    Text(TemplateText),
    /// A template that gives a JSON list of Slack's blocks.
    Blocks(TemplateText),
}

/// The keys as they stand in the file.
#[derive(Deserialize)]
pub(super) struct SlackKeys {
    webhook_url: SecretUrl,
    #[serde(default)]
    proxy: Option<HttpUrl>,
    #[serde(default)]
    text: Option<TemplateText>,
    #[serde(default)]
    blocks: Option<TemplateText>,
}

impl SlackConfig {
    /// Reads the keys of this type.
    pub(super) fn read(node: Node<'_>, delivery: &DeliveryConfig) -> Result<Self, ReadError> {
        let SlackKeys { webhook_url, proxy, text, blocks } = SlackKeys::deserialize(node)?;
        let is_for_alerts = delivery.is_for_alerts_alone();
        let message = match (text, blocks) {
            (Some(text), None) => Some(SlackMessage::Text(text)),
            (None, Some(blocks)) => Some(SlackMessage::Blocks(blocks)),
            (None, None) if is_for_alerts => None,
            (None, None) => {
                return Err(ReadError::new("a message needs `text` or `blocks`", node.bytes())
                    .with_help("for example text = \"New user: {{ user.full_name }}\""));
            }
            (Some(_), Some(_)) => {
                let bytes = node.get("blocks").unwrap_or(node).bytes();
                return Err(ReadError::new("`text` and `blocks` are one too many", bytes)
                    .with_help("a message has one of them"));
            }
        };
        Ok(Self { webhook_url, proxy, message })
    }
}
