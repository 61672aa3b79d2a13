//! `type = "http"`.

use std::net::{Ipv4Addr, Ipv6Addr};

use clerk_webhooks::HeaderFamily;
use deskbell_config::{Fault, HttpUrl, Step};
use deskbell_store::deliveries::StartFrom;
use http::header::AUTHORIZATION;
use rand::Rng;
use serde::{Deserialize, Serialize};
use url::Host;

use super::error::HttpError;
use super::guard::{AllowedHost, Rules, judge};
use super::headers::Headers;
use super::secret::{EndpointSecrets, SignatureVersion};
use crate::ca_certificates::CaCertificates;

/// A signed request to a web address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct HttpConfig {
    /// Where requests go: `https://…`, or `http://…`. A user name and password in it are sent as basic
    /// authentication.
    pub url: HttpUrl,
    /// What requests are signed with: one secret (the key `secret`), or several during a rotation (the
    /// key `secrets`), and then each makes a signature until its time is over. At least one has no
    /// such time.
    #[serde(default, alias = "secret")]
    pub secrets: EndpointSecrets,
    /// The names of the signature's headers. Default: `svix`.
    #[serde(default = "svix", with = "FamilyName")]
    pub header_family: HeaderFamily,
    /// The kind of signature, which every secret then has to be for. Default: that of each secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureVersion>,
    /// Headers beside those of the request itself; a `user-agent` replaces ours. Default: none. Values
    /// never show.
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// Whether the addresses of private networks may be reached (`10.0.0.0/8`, `192.168.0.0/16`,
    /// `fd00::/8` and so on). Default: `false`. Loopback and link-local addresses take
    /// `allow_hosts`.
    #[serde(default)]
    pub allow_private: bool,
    /// Host names, addresses and networks (CIDR) that may be reached all the same, whatever is
    /// there. A name means itself alone: there are no wildcards. Default: none.
    #[serde(default)]
    pub allow_hosts: Vec<AllowedHost>,
    /// The proxy to go through, `http://USER:PASSWORD@HOST:PORT`. Default: `None`, and the
    /// environment's (`HTTP_PROXY`) is not used. A proxy resolves names itself: `allow_private` and
    /// `allow_hosts` then hold for an address in `url` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<HttpUrl>,
    /// A PEM file of certificate authorities to trust beside the system's; a path relative to the
    /// config file. Default: `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_certificates: Option<CaCertificates>,
    /// Where in the log it begins when it is new. Default: `now`.
    #[serde(default)]
    pub from: StartFrom,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "HeaderFamily", rename_all = "snake_case")]
enum FamilyName {
    Svix,
    Webhook,
}

fn svix() -> HeaderFamily {
    HeaderFamily::Svix
}

impl HttpConfig {
    /// A destination at this URL with these secrets, and the default for everything else.
    #[must_use]
    pub fn new(url: HttpUrl, secrets: EndpointSecrets) -> Self {
        Self {
            url,
            secrets,
            header_family: svix(),
            signature: None,
            headers: Headers::default(),
            allow_private: false,
            allow_hosts: Vec::new(),
            proxy: None,
            ca_certificates: None,
            from: StartFrom::default(),
        }
    }

    /// Whether the keys fit together.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let at = |key, message: &str| Fault::at(vec![Step::Key(key)], message);
        let EndpointSecrets(secrets) = &self.secrets;
        if secrets.is_empty() {
            let help = format!("add this new one, and give it to the receiver too:\n{}", fresh());
            return Err(at("secrets", "the key `secret` is missing here").with_help(help));
        }
        if secrets.iter().all(|secret| secret.until.is_some()) {
            let message = "every secret here has an `until`";
            return Err(
                at("secrets", message).with_help("at least one secret must have no `until`")
            );
        }
        let is_another = |wanted| secrets.iter().find(move |secret| secret.version != wanted);
        if let Some(wanted) = self.signature
            && let Some(other) = is_another(wanted)
        {
            let message = format!("a secret here is for `{}`, not for `{wanted}`", other.version);
            return Err(at("signature", &message).with_help(
                "whsec_… is for v1, and whsk_… for v1a; without `signature` each secret makes its \
                 own kind",
            ));
        }
        let url = self.url.expose_secrets();
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        if has_credentials && self.headers.contains(&AUTHORIZATION) {
            let message = "both `url` and `headers` have credentials";
            return Err(at("headers", message).with_help("set them in one of the two"));
        }
        Ok(())
    }

    /// The rules for the URL's host, after which an IP address there has been judged already.
    pub(super) fn rules(&self) -> Result<Rules, HttpError> {
        let url = self.url.expose_secrets();
        let host = url.host().ok_or(HttpError::Url)?;
        // The URL standard takes some characters that a request's target cannot hold.
        url.as_str().parse::<http::Uri>().map_err(|_| HttpError::Url)?;
        let rules = Rules::new(self.allow_private, &self.allow_hosts, &host);
        let address = match host {
            Host::Domain(_) => return Ok(rules),
            Host::Ipv4(address) => address.into(),
            Host::Ipv6(address) => address.into(),
        };
        judge(address, &rules)
            .map_err(|refused| HttpError::Refused { host: host.to_string(), refused })?;
        Ok(rules)
    }

    /// That `localhost` is allowed where it is the URL's host: it is known before it is resolved that
    /// no request would be sent.
    pub(super) fn check_localhost(&self) -> Result<(), HttpError> {
        let Some(Host::Domain(name)) = self.url.expose_secrets().host() else { return Ok(()) };
        if !is_localhost(name) {
            return Ok(());
        }
        let rules = self.rules()?;
        let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
        judge(v4, &rules)
            .or_else(|refused| judge(v6, &rules).map_err(|_| refused))
            .map_err(|refused| HttpError::Refused { host: name.to_owned(), refused })
    }
}

/// A line for the config with a new secret.
fn fresh() -> String {
    // Six bits a character: 24 bytes in base64.
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut random = rand::rng();
    let key: String =
        (0..32).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect();
    format!("secret = \"whsec_{key}\"")
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}
