//! The keys of a source about Clerk's webhook sender.

use deskbell_config::{Environment, Fault, HttpUrl, Step};
use serde::{Deserialize, Serialize};

/// Where the sender is, in tests.
const SENDER_URL_VARIABLE: &str = "CLERK_SENDER_URL";

/// How events come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceMode {
    /// Clerk's sender posts them.
    #[default]
    Push,
    /// They are fetched from the sender's record: no public URL is needed.
    Pull,
}

/// What `deskbell serve` does about the source's endpoint in Clerk's sender.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SenderConfig {
    /// Whether it looks at the endpoint now and then, and alerts about what is wrong. Default: `false`.
    pub watch: bool,
    /// Whether it enables an endpoint that the sender has disabled. Default: `false`.
    pub re_enable: bool,
}

impl SenderConfig {
    pub(crate) fn check(self, mode: SourceMode) -> Result<(), Fault> {
        if self.watch && mode == SourceMode::Pull {
            let at = vec![Step::Key("sender"), Step::Key("watch")];
            return Err(Fault::at(at, "a source with `mode = \"pull\"` has no endpoint to watch")
                .with_help("remove `sender`, or `mode = \"pull\"`"));
        }
        if self.re_enable && !self.watch {
            let at = vec![Step::Key("sender"), Step::Key("re_enable")];
            return Err(Fault::at(at, "`re_enable` needs `watch = true`")
                .with_help("write sender = { watch = true, re_enable = true }"));
        }
        Ok(())
    }
}

/// What needs the secret key of a source that has none.
pub(crate) fn check_key(mode: SourceMode, sender: SenderConfig) -> Result<(), Fault> {
    let (at, what) = match (mode, sender.watch) {
        (SourceMode::Pull, _) => (vec![Step::Key("mode")], "`mode = \"pull\"`"),
        (_, true) => (vec![Step::Key("sender"), Step::Key("watch")], "`watch = true`"),
        _ => return Ok(()),
    };
    Err(Fault::at(at, format!("{what} needs the secret key of the Clerk instance")).with_help(
        "in the Clerk dashboard open Configure > API keys and copy the secret key, which begins with \
         sk_; then set `secret_key` in this [[source]], or CLERK_SECRET_KEY if it is the only one",
    ))
}

/// The sender's address of the environment, where it has one.
pub(crate) fn url_of(environment: &Environment) -> Option<Result<HttpUrl, String>> {
    let text = environment.get(SENDER_URL_VARIABLE)?;
    Some(text.parse().map_err(|error| format!("{SENDER_URL_VARIABLE} is not used: {error}")))
}
