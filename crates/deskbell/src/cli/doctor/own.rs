//! Our own server: where it is by the config, and what it says.

use std::time::Duration;

use deskbell_devtools::diagnosis::NamedSecret;
use deskbell_devtools::doctor::Own;
use url::Url;

use crate::cli::Context;
use crate::cli::trigger::local;
use crate::cli::verify::of_config;
use crate::config::{Config, Loaded};

/// How long the server may take to say whether it is ready.
const READY_TIMEOUT: Duration = Duration::from_secs(10);

/// What the config says.
#[derive(Default)]
pub(super) struct Local {
    pub(super) url: Option<Url>,
    pub(super) secrets: Vec<NamedSecret>,
    /// Where our own server is what is asked about.
    pub(super) own: Option<Own>,
}

/// Reads the config, and asks the server where `is_subject`. Without that, a config that cannot be
/// read says nothing.
pub(super) async fn look(context: &Context, is_subject: bool) -> Local {
    let loaded = match context.load_config() {
        Ok(loaded) => loaded,
        Err(error) if is_subject => {
            let own = Some(Own { config: Err(error.to_string()), ready: None });
            return Local { own, ..Local::default() };
        }
        Err(_) => return Local::default(),
    };
    let secrets = of_config(&loaded.config).collect();
    if !is_subject {
        return Local { secrets, ..Local::default() };
    }
    let url = url(&loaded.config);
    let ready = match &url {
        Some(url) => ready(url).await,
        None => None,
    };
    Local { url, secrets, own: Some(Own { config: Ok(origin(&loaded)), ready }) }
}

fn origin(loaded: &Loaded) -> String {
    match loaded.warnings.len() {
        0 => "valid".to_owned(),
        1 => "valid, with a warning: run `deskbell config check`".to_owned(),
        count => format!("valid, with {count} warnings: run `deskbell config check`"),
    }
}

/// The address of the first source: the public one, where it is known.
fn url(config: &Config) -> Option<Url> {
    let path = config.sources.first()?.path.first()?;
    match &config.server.public_url {
        Some(public) => public.expose_secrets().join(&path.to_string()).ok(),
        None => local(config).ok(),
    }
}

/// What `/readyz` says; `None` where nothing listens, which other checks say.
async fn ready(url: &Url) -> Option<Result<String, String>> {
    let url = url.join("/readyz?strict").ok()?;
    let http = reqwest::Client::builder().timeout(READY_TIMEOUT).build().ok()?;
    let response = http.get(url).send().await.ok()?;
    let status = response.status();
    let body = response.text().await.unwrap_or_default();
    let said = format!("/readyz: {} {}", status.as_u16(), body.trim());
    Some(if status.is_success() { Ok(said) } else { Err(said) })
}
