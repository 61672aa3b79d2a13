use std::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;
use url::Url;

use super::*;

/// The rules for this host.
fn rules_of(host: &str, allow_private: bool, allow_hosts: &[&str]) -> Rules {
    let allow_hosts: Vec<_> = allow_hosts.iter().map(|text| text.parse().unwrap()).collect();
    let url = Url::parse(&format!("https://{host}/")).unwrap();
    Rules::new(allow_private, &allow_hosts, &url.host().unwrap())
}

fn range(text: &str) -> Option<Range> {
    judge(text.parse().unwrap(), &Rules::default()).err().map(|refused| refused.0)
}

#[test]
fn every_range_has_its_name() {
    for (range_wanted, addresses) in [
        (None, &["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.63.255.255"][..]),
        (None, &["100.128.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "11.0.0.0"]),
        (None, &["2606:4700:4700::1111", "2a00::1", "2001:200::1", "2001:4860:4860::8888"]),
        (None, &["::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "64:ff9b:1::1.1.1.1", "2002:101:101::1"]),
        (Some(Range::Private), &["10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255"]),
        (Some(Range::Private), &["192.168.0.1", "100.64.0.0", "100.127.255.255"]),
        (Some(Range::Private), &["fc00::", "fd12::1", "fdff:ffff::", "fec0::1"]),
        (Some(Range::Private), &["::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::a00:1"]),
        (Some(Range::Private), &["64:ff9b:1::10.0.0.1", "2002:a00:1::", "2002:c0a8:1:5::9"]),
        // Teredo: client 10.0.0.1, and server 10.0.0.1.
        (Some(Range::Private), &["2001:0:101:101:0:0:f5ff:fffe", "2001:0:a00:1:0:0:fefe:fefe"]),
        (Some(Range::Loopback), &["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"]),
        (Some(Range::Loopback), &["::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]),
        (Some(Range::Loopback), &["::ffff:0:127.0.0.1"]),
        (Some(Range::LinkLocal), &["169.254.0.0", "169.254.255.255", "fe80::1", "febf::1"]),
        (Some(Range::Metadata), &["169.254.169.254", "100.100.100.200", "168.63.129.16"]),
        (Some(Range::Metadata), &["192.0.0.192", "fd00:ec2::254", "fd20:ce::254"]),
        (Some(Range::Metadata), &["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"]),
        (Some(Range::Reserved), &["0.0.0.1", "0.255.255.255", "192.0.0.1", "192.0.2.1"]),
        (Some(Range::Reserved), &["192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.1"]),
        (Some(Range::Reserved), &["203.0.113.1", "240.0.0.1", "255.255.255.254"]),
        (Some(Range::Reserved), &["2001:db8::1", "2001:2::1", "2001:20::1", "3fff::1", "100::1"]),
        (Some(Range::Reserved), &["64:ff9b:1:a00::1", "4000::1", "5f00::1", "::2:0:0:1"]),
        (Some(Range::Unusable), &["0.0.0.0", "255.255.255.255", "224.0.0.1", "239.255.255.255"]),
        (Some(Range::Unusable), &["::", "ff02::1", "ff0e::1", "::ffff:0.0.0.0"]),
    ] {
        for address in addresses {
            assert_eq!(range(address), range_wanted, "{address}");
        }
    }
}

#[test]
fn what_the_config_allows() {
    let named = "hooks.internal";
    for (host, allow_private, allow_hosts, address, allowed) in [
        (named, true, &[][..], "10.0.0.1", true),
        (named, true, &[], "fd12::1", true),
        (named, true, &[], "100.64.0.1", true),
        (named, true, &[], "::ffff:10.0.0.1", true),
        (named, true, &[], "127.0.0.1", false),
        (named, true, &[], "::1", false),
        (named, true, &[], "169.254.1.1", false),
        (named, true, &[], "fe80::1", false),
        (named, true, &[], "169.254.169.254", false),
        (named, true, &[], "100.100.100.200", false),
        (named, true, &[], "fd00:ec2::254", false),
        (named, true, &[], "198.18.0.1", false),
        (named, false, &["10.0.0.0/8"], "10.9.9.9", true),
        (named, false, &["10.0.0.0/8"], "192.168.0.1", false),
        (named, false, &["10.0.0.1"], "10.0.0.1", true),
        (named, false, &["10.0.0.1"], "10.0.0.2", false),
        (named, false, &["127.0.0.1"], "127.0.0.1", true),
        (named, false, &["127.0.0.1"], "::ffff:127.0.0.1", true),
        (named, false, &["::ffff:127.0.0.1"], "127.0.0.1", true),
        (named, false, &["127.1"], "127.0.0.1", true),
        (named, false, &["::1"], "::1", true),
        (named, false, &["[::1]"], "::1", true),
        (named, false, &["::1"], "127.0.0.1", false),
        (named, false, &["fe80::/10"], "fe80::1", true),
        (named, false, &["169.254.169.254"], "169.254.169.254", true),
        (named, false, &["2002::/16"], "2002:a00:1::1", false),
        (named, false, &["198.18.0.0/15"], "198.18.0.1", true),
        (named, false, &["hooks.internal"], "127.0.0.1", true),
        (named, false, &["HOOKS.Internal."], "127.0.0.1", true),
        ("hooks.internal.", false, &["hooks.internal"], "127.0.0.1", true),
        (named, false, &["internal"], "127.0.0.1", false),
        (named, false, &["other.internal"], "127.0.0.1", false),
        (named, true, &["hooks.internal", "0.0.0.0/0", "::/0"], "0.0.0.0", false),
        (named, true, &["hooks.internal", "0.0.0.0/0", "::/0"], "ff02::1", false),
        (named, true, &["hooks.internal", "0.0.0.0/0", "::/0"], "::ffff:255.255.255.255", false),
    ] {
        let rules = rules_of(host, allow_private, allow_hosts);
        let found = judge(address.parse().unwrap(), &rules).is_ok();
        assert_eq!(found, allowed, "{host} {allow_private} {allow_hosts:?} {address}");
    }
}

#[test]
fn an_entry_that_is_no_host_is_named() {
    for text in ["", "*.internal", "https://example.com", "10.0.0.0/33", "a b", "a/24", "[::1"] {
        assert_eq!(text.parse::<AllowedHost>(), Err(NotAHost(text.to_owned())));
    }
    for (text, shown) in
        [("[::1]", "::1"), (" FD00::/8", "fd00::/8"), ("Hooks.Internal.", "hooks.internal")]
    {
        assert_eq!(text.parse::<AllowedHost>().unwrap().to_string(), shown);
    }
}

#[test]
fn a_host_is_refused_only_where_all_its_addresses_are() {
    let judged = |texts: &[&str]| {
        let addresses = texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0));
        permitted(addresses, &Rules::default()).map(|permitted| permitted.len())
    };
    assert_eq!(judged(&["10.0.0.1", "1.1.1.1", "::1"]), Ok(1));
    assert_eq!(judged(&["10.0.0.1", "::1"]), Err(Refused(Range::Private)));
    assert_eq!(judged(&[]), Ok(0));
}

#[test]
fn a_refusal_names_the_rule_and_the_key() {
    for (address, words) in [
        (
            "10.0.0.1",
            "a private address, which is refused; set `allow_private = true`, or name the host in `allow_hosts`",
        ),
        (
            "127.0.0.1",
            "a loopback address, which is refused; to allow it, name the host in `allow_hosts`",
        ),
        ("0.0.0.0", "an address that no receiver can have, which is refused"),
    ] {
        let refused = judge(address.parse().unwrap(), &Rules::default()).unwrap_err();
        assert_eq!(refused.to_string(), words);
    }
}

/// IPv6 addresses that lead to this IPv4 address.
fn embeddings(v4: Ipv4Addr, rest: u16) -> Vec<Ipv6Addr> {
    let [a, b, c, d] = v4.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let mut found = vec![
        Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
        Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, rest, rest, rest, rest, rest),
        Ipv6Addr::new(0x2001, 0, 0x0101, 0x0101, rest, rest, !high, !low),
        Ipv6Addr::new(0x2001, 0, high, low, rest, rest, 0xfefe, 0xfefe),
    ];
    // `::` and `::1` are addresses of their own.
    if u32::from(v4) > 1 {
        found.push(Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low));
    }
    found
}

/// Any address, and more of those that matter.
fn any_v4() -> impl Strategy<Value = Ipv4Addr> {
    let first = prop_oneof![any::<u8>(), Just(10), Just(127), Just(169), Just(192), Just(100)];
    let second = prop_oneof![any::<u8>(), Just(254), Just(168), Just(0), Just(100)];
    (first, second, any::<u8>(), any::<u8>()).prop_map(|(a, b, c, d)| Ipv4Addr::new(a, b, c, d))
}

proptest! {
    #[test]
    fn an_embedded_address_is_judged_as_itself(
        v4 in any_v4(),
        rest: u16,
        allow_private: bool,
        allow_hosts in proptest::sample::subsequence(
            vec!["127.0.0.0/8", "10.0.0.0/9", "169.254.0.0/16", "example.com", "other.example"], 0..3,
        ),
    ) {
        let rules = rules_of("example.com", allow_private, &allow_hosts);
        let verdict = judge(v4.into(), &rules);
        for v6 in embeddings(v4, rest) {
            prop_assert_eq!(judge(v6.into(), &rules), verdict, "{} in {}", v4, v6);
        }
    }
}
