//! Who a request comes from, proxies seen through, and whether it may come.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// Each proxy adds the address that it was called from at the end.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Who may post to the sources' paths.
#[derive(Debug, Clone, Default)]
pub struct AllowedClients {
    /// The networks that events may come from; empty: any.
    pub allowed_ips: Vec<IpNet>,
    /// The networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// A client that must not post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAllowed {
    #[error("{0} is not in `allowed_ips`")]
    Address(IpAddr),
    #[error(
        "{0} is not in `allowed_ips`; it sent X-Forwarded-For: if it is your proxy, add it to \
         `trusted_proxies`"
    )]
    PerhapsProxy(IpAddr),
    #[error("the X-Forwarded-For of the proxy {0} does not name its client's address")]
    Unreadable(IpAddr),
    #[error("unknown client address")]
    Unknown,
}

impl AllowedClients {
    /// Refuses who is in none of the allowed networks.
    pub(crate) fn check(
        &self,
        peer: Option<IpAddr>,
        headers: &HeaderMap,
    ) -> Result<(), NotAllowed> {
        if self.allowed_ips.is_empty() {
            return Ok(());
        }
        let peer = peer.ok_or(NotAllowed::Unknown)?.to_canonical();
        let client = self.client(peer, headers)?;
        if contain(&self.allowed_ips, client) {
            return Ok(());
        }
        let is_untrusted_proxy = client == peer && headers.contains_key(FORWARDED_FOR);
        Err(match is_untrusted_proxy && !contain(&self.trusted_proxies, peer) {
            true => NotAllowed::PerhapsProxy(client),
            false => NotAllowed::Address(client),
        })
    }

    /// Whether this is a proxy whose word about its client is believed.
    pub(crate) fn is_trusted_proxy(&self, peer: Option<IpAddr>) -> bool {
        peer.is_some_and(|peer| contain(&self.trusted_proxies, peer.to_canonical()))
    }

    /// The client's address; the proxy's own where it names none.
    pub(crate) fn address_behind(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        self.client(peer, headers).unwrap_or(peer)
    }

    /// The first address from the right that is no proxy of ours: what stands left of it is what
    /// that client said of itself.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, NotAllowed> {
        let mut client = peer;
        let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
        let hops = lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for hop in hops {
            if !contain(&self.trusted_proxies, client) {
                break;
            }
            client = address(hop).ok_or(NotAllowed::Unreadable(client))?;
        }
        Ok(client)
    }
}

fn contain(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// An entry of the header: an address, with a port where the proxy writes one.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|address: std::net::SocketAddr| address.ip());
    let address: IpAddr = text.parse().ok().or_else(bare).or_else(with_port)?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(allowed: &[&str], proxies: &[&str]) -> AllowedClients {
        let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        AllowedClients { allowed_ips: networks(allowed), trusted_proxies: networks(proxies) }
    }

    fn headers(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (FORWARDED_FOR, line.parse().unwrap())).collect()
    }

    #[test]
    fn without_a_list_anybody_may_come() {
        assert_eq!(rules(&[], &[]).check(None, &headers(&["nonsense"])), Ok(()));
    }

    #[test]
    fn the_client_is_the_first_from_the_right_that_is_no_proxy() {
        let rules = rules(&["203.0.113.0/24", "2001:db8::/32"], &["10.0.0.0/8", "192.0.2.7/32"]);
        let not_allowed = |text: &str| Err(NotAllowed::Address(text.parse().unwrap()));
        let proxy = |text: &str| Err(NotAllowed::PerhapsProxy(text.parse().unwrap()));
        let unreadable = |text: &str| Err(NotAllowed::Unreadable(text.parse().unwrap()));
        for (peer, lines, wanted) in [
            ("203.0.113.5", &[][..], Ok(())),
            ("::ffff:203.0.113.5", &[], Ok(())),
            ("2001:db8::1", &[], Ok(())),
            ("198.51.100.1", &[], not_allowed("198.51.100.1")),
            // What a client that is not allowed claims about itself is ignored.
            ("198.51.100.1", &["203.0.113.5"], proxy("198.51.100.1")),
            ("10.0.0.1", &["203.0.113.5"], Ok(())),
            ("10.0.0.1", &["203.0.113.5:49152"], Ok(())),
            ("10.0.0.1", &["[2001:db8::1]:443"], Ok(())),
            ("10.0.0.1", &["[2001:db8::1]"], Ok(())),
            ("10.0.0.1", &["203.0.113.5, 192.0.2.7"], Ok(())),
            ("10.0.0.1", &["203.0.113.5", "192.0.2.7, 10.1.1.1"], Ok(())),
            ("10.0.0.1", &["203.0.113.5, 198.51.100.1"], not_allowed("198.51.100.1")),
            ("10.0.0.1", &["203.0.113.5", "198.51.100.1"], not_allowed("198.51.100.1")),
            ("10.0.0.1", &["203.0.113.5, unknown"], unreadable("10.0.0.1")),
            ("10.0.0.1", &[""], unreadable("10.0.0.1")),
            // All of them are proxies, or the proxy names nobody.
            ("10.0.0.1", &["10.0.0.2"], not_allowed("10.0.0.2")),
            ("10.0.0.1", &[], not_allowed("10.0.0.1")),
        ] {
            let peer = Some(peer.parse().unwrap());
            assert_eq!(rules.check(peer, &headers(lines)), wanted, "{peer:?} {lines:?}");
        }
        assert_eq!(rules.check(None, &headers(&["203.0.113.5"])), Err(NotAllowed::Unknown));
    }
}
