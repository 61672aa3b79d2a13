//! `[server]`: where we listen, and what a client may cost.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Deserializer, Serialize};

use super::Token;

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// The address to listen on. Default: `127.0.0.1:3000`.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// Opens `/metrics`: `Authorization: Bearer TOKEN`. Default: none, and no such page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_token: Option<Token>,
    /// Bytes in one body; a larger one is answered with 413. Default: 1 MiB.
    pub body_bytes_max: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
            admin_token: None,
            body_bytes_max: 1 << 20,
        }
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| {
        serde::de::Error::custom(format_args!(
            "`{text}` is not an address to listen on; write IP:PORT, for example 127.0.0.1:3000"
        ))
    })
}
