//! What is on this machine and its network.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

/// Names that lead to this machine or its network, whoever is asked.
const LOCAL_NAMES: &[&str] = &["localhost", "local", "internal", "lan", "home.arpa", "test"];

/// Resolves names, and refuses those that lead beyond this machine's network.
#[derive(Debug)]
pub(crate) struct LocalOnly;

#[derive(Debug, thiserror::Error)]
#[error("{name} leads to {address}, which is not on this machine or its network")]
struct NotLocal {
    name: String,
    address: IpAddr,
}

impl Resolve for LocalOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let name = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name, 0)).await?.collect();
            if found.is_empty() {
                return Err(io::Error::from(io::ErrorKind::NotFound).into());
            }
            match found.iter().find(|address| !is_local(address.ip())) {
                Some(address) => {
                    Err(NotLocal { name: name.to_owned(), address: address.ip() }.into())
                }
                None => Ok(Box::new(found.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether a host is this machine or on its network. Where a name leads is not looked at.
#[must_use]
pub fn is_local_host(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => is_local(IpAddr::V4(*address)),
        Host::Ipv6(address) => is_local(IpAddr::V6(*address)),
        Host::Domain(name) => is_local_name(name),
    }
}

fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => is_local_v6(address),
    }
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    if let Some(address) = address.to_ipv4_mapped() {
        return is_local(IpAddr::V4(address));
    }
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
}

/// Whether a name can be one of this network's: a bare one, such as that of a container, or one of the
/// endings that are nobody's.
fn is_local_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let ends = |end: &&str| name == **end || name.ends_with(&format!(".{end}"));
    !name.contains('.') || LOCAL_NAMES.iter().any(ends)
}
