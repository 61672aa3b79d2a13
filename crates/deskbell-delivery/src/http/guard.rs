//! Which addresses a destination may be at: a guard against requests into one's own network.
//!
//! A URL of the config may come from somebody else, and a public name may resolve to anything. So
//! the resolved address is judged, at every connection.

mod range;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Host;

pub(crate) use range::Range;

/// What the config allows beyond public addresses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    allow_private: bool,
    networks: Vec<IpNet>,
    /// Whether `allow_hosts` names the host that the addresses are of.
    host_is_named: bool,
}

/// An entry of `allow_hosts`: a host name, an address or a network, such as `hooks.internal`,
/// `10.0.0.7`, `[::1]` or `10.0.0.0/8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedHost {
    /// A network; an address is a network of one.
    Network(IpNet),
    /// A name, in lower case.
    Name(String),
}

/// A text that is no host name, no address and no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a host; expected a name, an address or a network, such as hooks.internal, 10.0.0.7 or \
     10.0.0.0/8"
)]
pub struct NotAHost(String);

impl Rules {
    /// The rules for addresses of this host.
    pub(crate) fn new(allow_private: bool, allow_hosts: &[AllowedHost], host: &Host<&str>) -> Self {
        let mut rules = Self { allow_private, ..Self::default() };
        for allowed in allow_hosts {
            match allowed {
                AllowedHost::Network(network) => rules.networks.push(*network),
                AllowedHost::Name(name) => rules.host_is_named |= is_name(host, name),
            }
        }
        rules
    }

    /// Whether something in the config allows this address, which lies in no public range.
    fn allow(&self, address: IpAddr, range: Range) -> bool {
        let by_host =
            self.host_is_named || self.networks.iter().any(|network| network.contains(&address));
        match range {
            Range::Private => self.allow_private || by_host,
            Range::Unusable => false,
            _ => by_host,
        }
    }
}

impl FromStr for AllowedHost {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let text = text.trim();
        let network = |address: IpAddr| Self::Network(address.to_canonical().into());
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Ok(network(address));
        }
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        match Host::parse(text) {
            Ok(Host::Domain(name)) if !name.contains('*') => {
                Ok(Self::Name(without_dot(&name).to_owned()))
            }
            Ok(Host::Ipv4(address)) => Ok(network(address.into())),
            _ => Err(NotAHost(text.to_owned())),
        }
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(one) if one.prefix_len() == one.max_prefix_len() => one.addr().fmt(f),
            Self::Network(network) => network.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for AllowedHost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for AllowedHost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn is_name(host: &Host<&str>, name: &str) -> bool {
    matches!(host, Host::Domain(host) if without_dot(host).eq_ignore_ascii_case(name))
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// An address that may not be connected to, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused(pub(crate) Range);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.0 {
            Range::Private => "a private address",
            Range::Loopback => "a loopback address",
            Range::LinkLocal => "a link-local address",
            Range::Metadata => "the address of a cloud's metadata service",
            Range::Reserved => "an address that is reserved for special use",
            Range::Unusable => "an address that no receiver can have",
        };
        let advice = match self.0 {
            Range::Private => "; set `allow_private = true`, or name the host in `allow_hosts`",
            Range::Unusable => "",
            _ => "; to allow it, name the host in `allow_hosts`",
        };
        write!(f, "{what}, which is refused{advice}")
    }
}

impl Error for Refused {}

/// Whether this address may be connected to. IPv4 within IPv6 is judged as the IPv4 address.
///
/// # Errors
/// [`Refused`]: it is not public, and no rule allows it.
pub(crate) fn judge(address: IpAddr, rules: &Rules) -> Result<(), Refused> {
    if let IpAddr::V6(v6) = address {
        let embedded = range::embedded(v6);
        if !embedded.is_empty() {
            return embedded.into_iter().try_for_each(|v4| judge_one(v4.into(), rules));
        }
    }
    judge_one(address, rules)
}

fn judge_one(address: IpAddr, rules: &Rules) -> Result<(), Refused> {
    match Range::of(address) {
        Some(range) if !rules.allow(address, range) => Err(Refused(range)),
        _ => Ok(()),
    }
}

/// Those of a host's addresses that may be connected to.
///
/// # Errors
/// [`Refused`]: none of them may; it tells of the first.
pub(crate) fn permitted(
    addresses: impl IntoIterator<Item = SocketAddr>,
    rules: &Rules,
) -> Result<Vec<SocketAddr>, Refused> {
    let mut refused = None;
    let mut permitted = Vec::new();
    for address in addresses {
        match judge(address.ip(), rules) {
            Ok(()) => permitted.push(address),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    match refused {
        Some(refused) if permitted.is_empty() => Err(refused),
        _ => Ok(permitted),
    }
}
