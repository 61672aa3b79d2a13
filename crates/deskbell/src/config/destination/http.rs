//! `type = "http"`: a signed request to a web address.

use deskbell_config::{Node, ReadError};
use rand::Rng;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use url::Host;

use super::endpoint_secret::Secrets;
use super::{EndpointSecret, Headers, SignatureVersion};
use crate::config::HttpUrl;

/// A signed request to a web address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HttpConfig {
    /// Where requests go: `https://…`, or `http://…`.
    pub url: HttpUrl,
    /// What they are signed with: one secret (the key `secret`), or several during a rotation (the
    /// key `secrets`), and then each makes a signature until its time is over. At least one has no
    /// such time.
    pub secrets: Vec<EndpointSecret>,
    /// The names of the headers that bear the signature. Default: `svix`.
    pub header_family: HeaderFamily,
    /// The kind of signature, which every secret then has to be for. Default: that of each secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureVersion>,
    /// Headers beside those of the request itself. Default: none. Values never show.
    #[serde(skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// Whether the addresses of private networks may be reached (`10.0.0.0/8`, `192.168.0.0/16`,
    /// `fd00::/8` and so on). Default: `false`. Loopback and link-local addresses take
    /// `allow_hosts`.
    pub allow_private: bool,
    /// Host names, addresses and networks (CIDR) that may be reached all the same, whatever is
    /// there. A name means itself alone: there are no wildcards. Default: none.
    pub allow_hosts: Vec<String>,
    /// The proxy to go through, `http://USER:PASSWORD@HOST:PORT`. Default: `None`, and the
    /// environment's (`HTTP_PROXY`) is not used. A proxy
    /// resolves names itself: `allow_private` and `allow_hosts` then hold for an address in `url` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy: Option<HttpUrl>,
}

/// The names of the headers that bear a signature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderFamily {
    /// `svix-id`, `svix-timestamp`, `svix-signature`.
    #[default]
    Svix,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`.
    Webhook,
}

/// The keys as they stand in the file.
#[derive(Deserialize)]
pub(super) struct HttpKeys {
    url: HttpUrl,
    #[serde(default)]
    secret: Option<Secrets>,
    #[serde(default)]
    secrets: Option<Vec<Secrets>>,
    #[serde(default)]
    header_family: HeaderFamily,
    #[serde(default)]
    signature: Option<SignatureVersion>,
    #[serde(default)]
    headers: Headers,
    #[serde(default)]
    allow_private: bool,
    #[serde(default)]
    allow_hosts: Vec<AllowedHost>,
    #[serde(default)]
    proxy: Option<HttpUrl>,
}

impl HttpConfig {
    /// Reads the keys of this type.
    pub(super) fn read(node: Node<'_>) -> Result<Self, ReadError> {
        let keys = HttpKeys::deserialize(node)?;
        let secrets = secrets(node, keys.secret, keys.secrets)?;
        check_signature(node, &secrets, keys.signature)?;
        Ok(Self {
            url: keys.url,
            secrets,
            header_family: keys.header_family,
            signature: keys.signature,
            headers: keys.headers,
            allow_private: keys.allow_private,
            allow_hosts: keys.allow_hosts.into_iter().map(|host| host.0).collect(),
            proxy: keys.proxy,
        })
    }
}

fn secrets(
    node: Node<'_>,
    one: Option<Secrets>,
    several: Option<Vec<Secrets>>,
) -> Result<Vec<EndpointSecret>, ReadError> {
    let at = |key| node.get(key).unwrap_or(node).bytes();
    if one.is_some() && several.is_some() {
        return Err(ReadError::new("`secret` and `secrets` are one too many", at("secret"))
            .with_help("put all of them into `secrets`"));
    }
    let key = if one.is_some() { "secret" } else { "secrets" };
    let secrets: Vec<_> =
        one.into_iter().chain(several.into_iter().flatten()).flat_map(|entry| entry.0).collect();
    if secrets.is_empty() {
        return Err(ReadError::new("a secret to sign with is missing here", at("secrets"))
            .with_help(format!(
                "here is a fresh one, which the receiver needs too:\n{}",
                fresh()
            )));
    }
    if secrets.iter().all(|secret| secret.until.is_some()) {
        return Err(ReadError::new(
            "every secret here has a time after which it is not used",
            at(key),
        )
        .with_help("leave `until` out for the one that stays"));
    }
    Ok(secrets)
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

fn check_signature(
    node: Node<'_>,
    secrets: &[EndpointSecret],
    wanted: Option<SignatureVersion>,
) -> Result<(), ReadError> {
    let Some(wanted) = wanted else { return Ok(()) };
    let Some(other) = secrets.iter().find(|secret| secret.version != wanted) else {
        return Ok(());
    };
    let bytes = node.get("signature").unwrap_or(node).bytes();
    let message = format!("a secret here is for `{}`, not for `{wanted}`", other.version);
    Err(ReadError::new(message, bytes).with_help(
        "whsec_… is for v1, and whsk_… for v1a; without `signature` each secret makes its own kind",
    ))
}

/// A host name, an address, or a network.
struct AllowedHost(String);

impl<'de> Deserialize<'de> for AllowedHost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_network = text.parse::<ipnet::IpNet>().is_ok();
        let is_address = text.parse::<std::net::IpAddr>().is_ok();
        let is_name = matches!(Host::parse(&text), Ok(Host::Domain(name)) if !name.contains('*'));
        if is_network || is_address || is_name {
            return Ok(Self(text));
        }
        Err(D::Error::custom(format_args!(
            "`{text}` is no host; write a name, an address or a network, such as \
             hooks.internal, 10.0.0.7 or 10.0.0.0/8"
        )))
    }
}
