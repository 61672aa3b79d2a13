//! `[server]`: where we listen, who may come, and what a client may cost.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;

use deskbell_config::{ConfigError, Environment, HttpUrl, SecretText};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::client_address::AllowedClients;
use crate::listen::ListenAddress;
use crate::tls::TlsConfig;

/// Sets the address to listen on, before the file.
const LISTEN_VARIABLE: &str = "DESKBELL_LISTEN";
/// Sets the admin token where the file has none.
const ADMIN_TOKEN_VARIABLE: &str = "DESKBELL_ADMIN_TOKEN";
/// Characters of an admin token that nobody guesses.
const ADMIN_TOKEN_CHARS_MIN: usize = 32;
/// Sets the port where nothing else says where to listen, as platforms do.
const PORT_VARIABLE: &str = "PORT";

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// The address to listen on. The variable `DESKBELL_LISTEN` goes before it. Default:
    /// `0.0.0.0:$PORT` where the variable `PORT` is set, else `127.0.0.1:3000`.
    #[serde(
        deserialize_with = "listen",
        serialize_with = "shown",
        skip_serializing_if = "Option::is_none"
    )]
    pub listen: Option<ListenAddress>,
    /// An address of its own for everything but webhooks: the admin API, the pages and `/metrics`. Default:
    /// the same as `listen`.
    #[serde(
        deserialize_with = "listen",
        serialize_with = "shown",
        skip_serializing_if = "Option::is_none"
    )]
    pub admin_listen: Option<ListenAddress>,
    /// The address of this server as Clerk reaches it. Default: unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<HttpUrl>,
    /// Opens everything that is not public: `Authorization: Bearer TOKEN`. Default: the variable
    /// `DESKBELL_ADMIN_TOKEN`; else none, and no `/metrics`.
    #[serde(deserialize_with = "admin_token", skip_serializing_if = "Option::is_none")]
    pub admin_token: Option<SecretText>,
    /// Bytes in one body; a larger one is answered with 413. Default: 1 MiB.
    pub body_bytes_max: usize,
    /// Networks that may post events; others are answered with 403. Default: none, which is any.
    pub allowed_ips: Vec<Network>,
    /// Networks of proxies whose `X-Forwarded-For` says who the client is. Default: none.
    pub trusted_proxies: Vec<Network>,
    /// Serves HTTPS with this certificate. Default: none, and plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsConfig>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: None,
            admin_listen: None,
            public_url: None,
            admin_token: None,
            body_bytes_max: 1 << 20,
            allowed_ips: Vec::new(),
            trusted_proxies: Vec::new(),
            tls: None,
        }
    }
}

impl ServerConfig {
    /// The address to listen on.
    #[must_use]
    pub fn listen(&self) -> ListenAddress {
        let default = || SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)).into();
        self.listen.clone().unwrap_or_else(default)
    }

    /// The address of everything but webhooks, where it is another one.
    #[must_use]
    pub fn admin_listen(&self) -> Option<ListenAddress> {
        self.admin_listen.clone().filter(|address| *address != self.listen())
    }

    /// The scheme of our URLs.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Who may post events.
    #[must_use]
    pub fn allowed_clients(&self) -> AllowedClients {
        let networks = |list: &[Network]| list.iter().map(|network| network.0).collect();
        AllowedClients {
            allowed_ips: networks(&self.allowed_ips),
            trusted_proxies: networks(&self.trusted_proxies),
        }
    }

    /// Takes the address to listen on from the environment, where that says it.
    ///
    /// # Errors
    /// A variable that names no address.
    pub fn take_address(&mut self, environment: &Environment) -> Result<(), ConfigError> {
        if let Some(text) = environment.get(LISTEN_VARIABLE) {
            let address = text.trim().parse::<ListenAddress>();
            let wrong = |error| ConfigError::new(format!("{LISTEN_VARIABLE}: {error}"), None);
            self.listen = Some(address.map_err(wrong)?);
        } else if self.listen.is_none()
            && let Some(text) = environment.of_process(PORT_VARIABLE)
        {
            let port = text.trim().parse::<u16>().map_err(|_| {
                let help =
                    "set it to a number up to 65535, or unset it and say `listen` in [server]";
                ConfigError::new(
                    format!("{PORT_VARIABLE}: `{text}` is not a port"),
                    help.to_owned(),
                )
            })?;
            self.listen = Some(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into());
        }
        self.listen = Some(self.listen());
        Ok(())
    }

    /// Takes the admin token from the environment, where the file has none; a warning about a token that
    /// is too short.
    ///
    /// # Errors
    /// The variable has a text that is no token.
    pub fn take_admin_token(
        &mut self,
        environment: &Environment,
    ) -> Result<Option<String>, ConfigError> {
        if self.admin_token.is_none()
            && let Some(text) = environment.get(ADMIN_TOKEN_VARIABLE)
        {
            let wrong = |error| ConfigError::new(format!("{ADMIN_TOKEN_VARIABLE}: {error}"), None);
            check_admin_token(&text).map_err(wrong)?;
            self.admin_token = Some(text.into());
        }
        let token = self.admin_token.as_ref();
        let is_short = |token: &SecretText| token.expose().chars().count() < ADMIN_TOKEN_CHARS_MIN;
        Ok(token.is_some_and(is_short).then(|| {
            format!(
                "the admin token has fewer than {ADMIN_TOKEN_CHARS_MIN} characters and will be refused \
                 in the next minor release; make another one: openssl rand -hex 32"
            )
        }))
    }

    /// Has relative paths begin at the directory of the config file.
    pub fn resolve(&mut self, directory: &Path) {
        if let Some(tls) = &mut self.tls {
            tls.cert = directory.join(&tls.cert);
            tls.key = directory.join(&tls.key);
        }
    }
}

fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ListenAddress>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

fn shown<S: Serializer>(address: &Option<ListenAddress>, serializer: S) -> Result<S::Ok, S::Error> {
    match address {
        Some(address) => serializer.collect_str(address),
        None => serializer.serialize_none(),
    }
}

fn admin_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretText>, D::Error> {
    let token = SecretText::deserialize(deserializer)?;
    check_admin_token(token.expose()).map_err(serde::de::Error::custom)?;
    Ok(Some(token))
}

/// Whether any client can send the token as it is.
fn check_admin_token(token: &str) -> Result<(), &'static str> {
    if token.contains(|character: char| character.is_whitespace() || character.is_control()) {
        return Err(
            "the admin token has white space in it or around it; take it out (a file that ends \
             with a line break has some too), or make another one: openssl rand -hex 32",
        );
    }
    Ok(())
}

/// A network as a CIDR, such as `10.0.0.0/8`; an address alone is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(pub IpNet);

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let text = text.trim();
        let alone = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse().or_else(|_| alone()).map(Self).map_err(|_| {
            serde::de::Error::custom(format_args!(
                "`{text}` is not a network; write a CIDR, for example 10.0.0.0/8 or 2001:db8::/32"
            ))
        })
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(token: &str) -> Environment {
        Environment::Fixed([(ADMIN_TOKEN_VARIABLE.to_owned(), token.to_owned())].into())
    }

    #[test]
    fn the_admin_token_comes_from_the_environment_if_the_file_has_none() {
        let long = "a".repeat(ADMIN_TOKEN_CHARS_MIN);
        let mut config = ServerConfig::default();
        assert_eq!(config.take_admin_token(&environment(&long)).unwrap(), None);
        assert_eq!(config.admin_token, Some(long.as_str().into()));
        config.take_admin_token(&environment("another")).unwrap();
        assert_eq!(config.admin_token, Some(long.as_str().into()), "the file goes before");
        let spaced = ServerConfig::default().take_admin_token(&environment("a b")).unwrap_err();
        assert!(spaced.to_string().contains("DESKBELL_ADMIN_TOKEN: the admin token has white"));
        let mut config = ServerConfig::default();
        config.take_admin_token(&Environment::Fixed([].into())).unwrap();
        assert_eq!(config.admin_token, None);
    }

    #[test]
    fn a_short_admin_token_is_warned_about() {
        let short = "a".repeat(ADMIN_TOKEN_CHARS_MIN - 1);
        let mut config = ServerConfig { admin_token: Some(short.into()), ..Default::default() };
        let warning = config.take_admin_token(&Environment::Fixed([].into())).unwrap().unwrap();
        assert!(warning.contains("fewer than 32 characters and will be refused"), "{warning}");
    }

    #[test]
    fn an_address_of_its_own_is_another_one() {
        let address = |text: &str| text.parse().ok();
        let config =
            |listen, admin_listen| ServerConfig { listen, admin_listen, ..Default::default() };
        let (public, own) = ("127.0.0.1:3000", "127.0.0.1:3001");
        assert_eq!(config(address(public), None).admin_listen(), None);
        assert_eq!(config(address(public), address(public)).admin_listen(), None);
        assert_eq!(config(None, address(public)).admin_listen(), None, "the default one");
        assert_eq!(config(address(public), address(own)).admin_listen(), address(own));
    }
}
