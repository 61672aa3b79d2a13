//! `type = "slack"`.

use deskbell_config::{HttpUrl, SecretUrl, TemplateText};
use deskbell_store::deliveries::StartFrom;
use serde::{Deserialize, Serialize};

/// A message to a Slack channel: `text`, `blocks`, or both.
///
/// It may have neither where `events` is for alerts alone, which have a text of their own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct SlackConfig {
    /// The incoming webhook of the channel, `https://hooks.slack.com/services/…`: whoever knows it can
    /// post. It never shows.
    pub webhook_url: SecretUrl,
    /// The proxy to go through, `http://USER:PASSWORD@HOST:PORT`. Default: `None`, and the
    /// environment's (`HTTP_PROXY`) is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<HttpUrl>,
    /// A template that gives the text, in Slack's mrkdwn; with `blocks` it is what notifications show.
    /// `&`, `<` and `>` in values are escaped: nobody's name is a mention or a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<TemplateText>,
    /// A template that gives [blocks](https://docs.slack.dev/block-kit): a JSON list, or an object with
    /// `blocks`. Values are inside of strings, and are escaped for that; `| tojson` gives a whole JSON
    /// value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<TemplateText>,
    /// Where in the log it begins when it is new. Default: `now`.
    #[serde(default)]
    pub from: StartFrom,
}
