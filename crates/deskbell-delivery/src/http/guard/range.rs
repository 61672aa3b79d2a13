//! The ranges of addresses that are not public, after IANA's registries of special-purpose addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    /// A private network, or a provider's own (CGNAT, which overlay networks use too).
    Private,
    /// This machine.
    Loopback,
    /// This link.
    LinkLocal,
    /// Where clouds tell a machine its credentials.
    Metadata,
    /// Documentation, benchmarks, protocols, and what has not been given to anybody.
    Reserved,
    /// No host's: unspecified, multicast, broadcast.
    Unusable,
}

/// Metadata services of clouds (AWS and most others, Alibaba, Azure's platform, Oracle).
const METADATA_V4: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];
/// The same by IPv6 (AWS, Google).
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

impl Range {
    /// `None` where the address is public. IPv4 within IPv6 is [`embedded`]'s.
    pub(crate) fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Option<Self> {
        if METADATA_V4.contains(&address) {
            return Some(Self::Metadata);
        }
        if address.is_unspecified() || address.is_broadcast() || address.is_multicast() {
            return Some(Self::Unusable);
        }
        match address.octets() {
            [127, ..] => Some(Self::Loopback),
            [169, 254, ..] => Some(Self::LinkLocal),
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => {
                Some(Self::Private)
            }
            // "This network", protocol assignments, 6to4 relays, benchmarks, documentation, and
            // class E.
            [0, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18..=19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [240..=255, ..] => Some(Self::Reserved),
            _ => None,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Option<Self> {
        if METADATA_V6.contains(&address) {
            return Some(Self::Metadata);
        }
        if address.is_unspecified() || address.is_multicast() {
            return Some(Self::Unusable);
        }
        if address.is_loopback() {
            return Some(Self::Loopback);
        }
        match address.segments() {
            [0xfe80..=0xfebf, ..] => Some(Self::LinkLocal),
            // Unique local, and the older site-local.
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Some(Self::Private),
            // Protocol assignments and benchmarks, documentation.
            [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Some(Self::Reserved),
            [0x2000..=0x3fff, ..] => None,
            // Nothing else has been given out as global unicast.
            _ => Some(Self::Reserved),
        }
    }
}

/// The IPv4 addresses that packets to an IPv6 address go to, or by: none for plain IPv6.
pub(crate) fn embedded(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        // `::` and `::1` are not IPv4-compatible.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        // IPv4-compatible, IPv4-mapped, IPv4-translated.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => {
            vec![v4(high, low)]
        }
        // NAT64: the well-known prefix, and the one for local use. Longer forms of that one do not
        // tell where the IPv4 address is, and stay reserved.
        [0x64, 0xff9b, 0 | 1, 0, 0, 0, high, low] => vec![v4(high, low)],
        // 6to4.
        [0x2002, high, low, ..] => vec![v4(high, low)],
        // Teredo: the server, and the client inverted.
        [0x2001, 0, server_high, server_low, _, _, high, low] => {
            vec![v4(server_high, server_low), v4(!high, !low)]
        }
        _ => Vec::new(),
    }
}
