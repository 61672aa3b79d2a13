//! What an `http` destination is made of, and the mistakes that are told before the first event.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clerk_webhooks::{CannotSign, HeaderFamily, Secret, Signer};
use deskbell_config::HttpUrl;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use rustls::pki_types::CertificateDer;
use url::{Host, Url};

use super::guard::{NotAHost, Refused, Rules, judge};

const USER_AGENT_VALUE: &str = concat!("Deskbell/", env!("CARGO_PKG_VERSION"));
/// Headers that belong to the connection or to the body, or would turn the request into another.
const OURS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Both families, whichever is used: a receiver looks for either.
const SIGNATURE_PREFIXES: [&str; 2] = ["svix-", "webhook-"];

/// An `http` destination.
#[derive(Clone)]
pub struct HttpOptions {
    /// Where events are sent. A user name and password in it are sent as basic authentication.
    pub url: Url,
    /// What requests are signed with: `v1` with a `whsec_…` secret, `v1a` with a `whsk_…` one. With
    /// several, as during a rotation, a request bears a signature of each.
    pub secrets: Vec<RotatingSecret>,
    /// The names of the signature's headers.
    pub header_family: HeaderFamily,
    /// Headers to send beside them. A `content-type` or `user-agent` here takes the place of ours.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether the receiver may have an address of a private network.
    pub allow_private: bool,
    /// Host names, IP addresses and CIDRs that may have any address: the one way to loopback and
    /// link-local ones.
    pub allow_hosts: Vec<String>,
    /// The proxy to go through; `None` for none, whatever the environment says. It resolves the
    /// receiver's name, and so says where requests may go: of the rules for addresses, those alone
    /// hold that the URL itself breaks.
    pub proxy: Option<HttpUrl>,
    /// Certificate authorities to trust beside the system's, as DER.
    pub extra_authorities: Vec<CertificateDer<'static>>,
}

/// A secret that signs for ever, or until it has been rotated out.
#[derive(Debug, Clone)]
pub struct RotatingSecret {
    /// The secret.
    pub secret: Secret,
    /// From when on it is not used any more.
    pub until: Option<SystemTime>,
}

impl RotatingSecret {
    /// Whether it signs what is sent at this time.
    pub(crate) fn is_live(&self, seconds: u64) -> bool {
        self.until.is_none_or(|until| UNIX_EPOCH + Duration::from_secs(seconds) < until)
    }
}

impl From<Secret> for RotatingSecret {
    fn from(secret: Secret) -> Self {
        Self { secret, until: None }
    }
}

impl HttpOptions {
    /// A destination at this URL with one secret, and the default for everything else.
    #[must_use]
    pub fn new(url: Url, secret: Secret) -> Self {
        Self {
            url,
            secrets: vec![secret.into()],
            header_family: HeaderFamily::Svix,
            headers: Vec::new(),
            allow_private: false,
            allow_hosts: Vec::new(),
            proxy: None,
            extra_authorities: Vec::new(),
        }
    }

    /// The rules for the URL's host, after which an IP address there has been judged already.
    pub(super) fn rules(&self) -> Result<Rules, HttpChannelError> {
        let scheme = self.url.scheme();
        if !matches!(scheme, "http" | "https") {
            return Err(HttpChannelError::Scheme(scheme.to_owned()));
        }
        let host = self.url.host().ok_or(HttpChannelError::Url)?;
        // The URL standard takes some characters that a request's target cannot hold.
        self.url.as_str().parse::<http::Uri>().map_err(|_| HttpChannelError::Url)?;
        let rules = Rules::new(self.allow_private, &self.allow_hosts, &host)?;
        let address = match host {
            Host::Domain(_) => return Ok(rules),
            Host::Ipv4(address) => address.into(),
            Host::Ipv6(address) => address.into(),
        };
        judge(address, &rules)
            .map_err(|refused| HttpChannelError::Refused { host: host.to_string(), refused })?;
        Ok(rules)
    }

    /// That `localhost` is allowed where it is the URL's host: it is known before it is resolved that
    /// no request would be sent.
    ///
    /// # Errors
    /// [`HttpChannelError::Refused`]: no rule allows it.
    pub fn check_localhost(&self) -> Result<(), HttpChannelError> {
        let Some(Host::Domain(name)) = self.url.host() else { return Ok(()) };
        if !is_localhost(name) {
            return Ok(());
        }
        let rules = self.rules()?;
        let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
        judge(v4, &rules)
            .or_else(|refused| judge(v6, &rules).map_err(|_| refused))
            .map_err(|refused| HttpChannelError::Refused { host: name.to_owned(), refused })
    }

    /// That there is always a secret that can sign.
    pub(super) fn check_secrets(&self) -> Result<(), HttpChannelError> {
        Signer::with_secrets(self.secrets.iter().map(|rotating| &rotating.secret))?;
        if self.secrets.iter().all(|rotating| rotating.until.is_some()) {
            return Err(HttpChannelError::EverySecretEnds);
        }
        Ok(())
    }

    /// What every request bears beside its signature.
    pub(super) fn standing_headers(&self) -> Result<HeaderMap, HttpChannelError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            self.check_header(name)?;
            let mut value = value.clone();
            value.set_sensitive(true);
            headers.append(name, value);
        }
        for (name, value) in [(CONTENT_TYPE, "application/json"), (USER_AGENT, USER_AGENT_VALUE)] {
            headers.entry(name).or_insert(HeaderValue::from_static(value));
        }
        Ok(headers)
    }

    fn check_header(&self, name: &HeaderName) -> Result<(), HttpChannelError> {
        let text = name.as_str();
        let signs = SIGNATURE_PREFIXES.iter().any(|prefix| text.starts_with(prefix));
        if signs || OURS.contains(&text) {
            return Err(HttpChannelError::Header(name.clone()));
        }
        let has_credentials = !self.url.username().is_empty() || self.url.password().is_some();
        if *name == AUTHORIZATION && has_credentials {
            return Err(HttpChannelError::TwoCredentials);
        }
        Ok(())
    }
}

impl fmt::Debug for HttpOptions {
    /// Without what may be a secret: the URL's credentials, path and query, and headers' values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("HttpOptions")
            .field("origin", &self.url.origin().ascii_serialization())
            .field("secrets", &self.secrets)
            .field("header_family", &self.header_family)
            .field("headers", &names)
            .field("allow_private", &self.allow_private)
            .field("allow_hosts", &self.allow_hosts)
            .finish_non_exhaustive()
    }
}

/// Why there can be no such destination. No variant repeats what may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum HttpChannelError {
    /// Neither `http` nor `https`.
    #[error("the URL's scheme is `{0}`: it must be `http` or `https`")]
    Scheme(String),
    /// No host, or a character that a request cannot bear.
    #[error("the URL cannot be requested")]
    Url,
    /// An IP address in the URL that is never connected to under these rules.
    #[error("the URL's host {host} is {refused}")]
    Refused {
        /// The host.
        host: String,
        /// What it is.
        refused: Refused,
    },
    /// A mistake in `allow_hosts`.
    #[error(transparent)]
    AllowHosts(#[from] NotAHost),
    /// A header that is not the config's to set.
    #[error("the header `{0}` cannot be set: Deskbell sets it itself, or it is the connection's")]
    Header(HeaderName),
    /// Two values for one header.
    #[error("the URL holds a user name or password, and `headers` an `authorization`: keep one")]
    TwoCredentials,
    /// No secret, or one that only verifies.
    #[error(transparent)]
    Secret(#[from] CannotSign),
    /// Nothing would sign after the last one's end.
    #[error("every secret has an end: one must be without")]
    EverySecretEnds,
    /// The HTTP client, as where the system has no certificate authorities.
    #[error(
        "cannot prepare HTTPS: are the system's certificate authorities (ca-certificates) there?"
    )]
    Client(#[source] reqwest::Error),
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}
