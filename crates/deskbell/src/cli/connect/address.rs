//! The address that `connect` is given: where Clerk shall send.

use deskbell_devtools::is_local_host;
use deskbell_server::SourceConfig;
use url::Url;

use super::error::Error;

/// The endpoint's URL. One without a path gets the first of the source. A simulated sender reaches this machine.
pub(super) fn endpoint_url(
    given: &Url,
    source: &SourceConfig,
    is_simulated: bool,
) -> Result<Url, Error> {
    let mut url = given.clone();
    url.set_fragment(None);
    if !is_simulated {
        if url.scheme() != "https" {
            return Err(Error::NotHttps);
        }
        if url.host().is_none_or(|host| is_local_host(&host)) {
            return Err(Error::Local);
        }
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::Password);
    }
    if url.path() == "/"
        && let Some(path) = source.path.first()
    {
        url.set_path(path);
    }
    if !source.path.iter().any(|path| path == url.path()) {
        errln!(
            "warning: {} is not a path of the source {}, which has {}; this works only if a proxy \
             changes the path",
            url.path(),
            source.name,
            source.path.join(", ")
        );
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_clerk_can_reach_is_taken() {
        let source = SourceConfig::default();
        let of = |url: &str, is_simulated| {
            endpoint_url(&url.parse().unwrap(), &source, is_simulated).map(|url| url.to_string())
        };
        for (url, expected) in [
            ("https://hooks.example.com", Some("https://hooks.example.com/api/webhooks")),
            ("https://hooks.example.com/a#b", Some("https://hooks.example.com/a")),
            ("https://hooks.example.com/a?b=c", Some("https://hooks.example.com/a?b=c")),
            ("http://hooks.example.com/", None),
            ("https://localhost:3000/", None),
            ("https://127.0.0.1/", None),
            ("https://192.168.0.7/", None),
            ("https://[::1]/", None),
            ("https://me:pw@hooks.example.com/", None),
        ] {
            assert_eq!(of(url, false).ok().as_deref(), expected, "{url}");
        }
        let simulated = of("http://127.0.0.1:3000", true).unwrap();
        assert_eq!(simulated, "http://127.0.0.1:3000/api/webhooks");
    }
}
