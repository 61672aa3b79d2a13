//! What becomes of a value on its way into a text.

use std::borrow::Cow;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Error, Output, State, Value, escape_formatter};

use super::meter::charge_value;

/// Where a template's values go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    Text,
    Html,
    /// A list of email addresses: a value is a word in it, and never a further address.
    Address,
    /// Slack's text.
    Slack,
    /// The inside of JSON strings that are Slack's text.
    SlackBlocks,
}

impl Escape {
    pub(super) fn write(
        self,
        out: &mut Output<'_>,
        state: &State<'_, '_>,
        value: &Value,
    ) -> Result<(), Error> {
        if value.is_undefined() || value.is_none() {
            return Ok(());
        }
        // What a block captures does not go through the output's limit.
        charge_value(state, value)?;
        if value.kind() == ValueKind::Bool {
            // As JSON and conditions write it, not as Python does.
            return Ok(out.write_str(if value.is_true() { "true" } else { "false" })?);
        }
        if let (true, Some(safe)) = (value.is_safe(), value.as_str()) {
            return Ok(out.write_str(safe)?);
        }
        let text = || value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match self {
            Self::Html => escape_formatter(out, state, value),
            Self::Slack if state.auto_escape() == AutoEscape::None => Ok(out.write_str(&text())?),
            _ => Ok(out.write_str(&self.apply(&text()))?),
        }
    }

    /// A text as it may stand in the output, for all but HTML.
    pub(super) fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Text | Self::Html => Cow::Borrowed(text),
            Self::Address => Cow::Owned(address_word(text)),
            Self::Slack => slack(text),
            Self::SlackBlocks => Cow::Owned(inside_json_string(&slack(text))),
        }
    }
}

/// The three characters that mean something to Slack, as
/// <https://docs.slack.dev/messaging/formatting-message-text> has it: without them there are no
/// links, mentions or channels.
pub(crate) fn slack(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}

fn inside_json_string(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Without the characters that part addresses from each other or from names, and without control
/// characters.
fn address_word(text: &str) -> String {
    let blank = |c: char| c.is_control() || matches!(c, ',' | ';' | '<' | '>' | '"' | '\\');
    text.chars().map(|c| if blank(c) { ' ' } else { c }).collect()
}
