//! Where the server of a config is reached on this machine.

use std::net::Ipv4Addr;

use deskbell_server::ListenAddress;
use url::{ParseError, Url};

use crate::config::Config;

/// The URL of a path at an address that the server listens on.
pub(super) fn local_url(
    config: &Config,
    mut address: ListenAddress,
    path: &str,
) -> Result<Url, ParseError> {
    if let ListenAddress::Socket(address) = &mut address
        && address.ip().is_unspecified()
    {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    Url::parse(&format!("{}://{address}{path}", config.server.scheme()))
}
