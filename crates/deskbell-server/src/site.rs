//! The address that a browser knows this server by: whether a request came by TLS, and whether it
//! comes from a page of our own.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use deskbell_config::HttpUrl;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::client::Client;
use crate::client_address::AllowedClients;

/// The browser's own word for where a request comes from: <https://www.w3.org/TR/fetch-metadata/>.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What is known of our address.
#[derive(Debug)]
pub(crate) struct Site {
    /// The host and port of `public_url`.
    public: Option<Public>,
    clients: AllowedClients,
}

#[derive(Debug)]
struct Public {
    authority: String,
    is_https: bool,
}

/// A request that another site may have made in the name of whoever is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ForeignRequest {
    #[error("the request comes from another site")]
    OtherSite,
    #[error("the request has neither `Sec-Fetch-Site` nor `Origin`")]
    Unknown,
}

impl Site {
    pub(crate) fn new(public_url: Option<&HttpUrl>, clients: AllowedClients) -> Self {
        let public = public_url.map(|url| {
            let url = url.expose_secrets();
            let host = url.host_str().unwrap_or_default();
            let authority = match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            };
            Public { authority, is_https: url.scheme() == "https" }
        });
        Self { public, clients }
    }

    /// Whether the browser speaks TLS: to us, or to a proxy in front of us.
    pub(crate) fn is_secure(&self, head: &Parts) -> bool {
        if client(head).is_some_and(|client| client.is_tls) {
            return true;
        }
        let peer = client(head).map(|client| client.peer.ip());
        if self.clients.is_trusted_proxy(peer)
            && let Some(proto) = head.headers.get(FORWARDED_PROTO)
        {
            let first = proto.as_bytes().split(|byte| *byte == b',').next().unwrap_or_default();
            return first.trim_ascii().eq_ignore_ascii_case(b"https");
        }
        let public = self.public.as_ref().filter(|public| public.is_https);
        public.is_some_and(|public| host(head).eq_ignore_ascii_case(&public.authority))
    }

    /// Refuses what no page of ours can have sent.
    pub(crate) fn check_own(&self, head: &Parts) -> Result<(), ForeignRequest> {
        let is_own = match (text(&head.headers, &FETCH_SITE), text(&head.headers, &ORIGIN)) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => self.is_own_origin(origin, head),
            (None, None) => return Err(ForeignRequest::Unknown),
        };
        if is_own { Ok(()) } else { Err(ForeignRequest::OtherSite) }
    }

    fn is_own_origin(&self, origin: &str, head: &Parts) -> bool {
        let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let Some(authority) = authority.filter(|authority| !authority.is_empty()) else {
            return false;
        };
        let is_public = |public: &Public| authority.eq_ignore_ascii_case(&public.authority);
        authority.eq_ignore_ascii_case(host(head)) || self.public.as_ref().is_some_and(is_public)
    }

    /// What counts as one client: an address of IPv4, or the network of 64 bits that a site of IPv6 is
    /// given; behind proxies that are trusted.
    pub(crate) fn client(&self, head: &Parts) -> IpAddr {
        let peer = client(head).map(|client| client.peer.ip());
        match peer.map(|peer| self.clients.address_behind(peer, &head.headers)) {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::from([a, b, c, d, 0, 0, 0, 0])
            }
            Some(address) => address,
            None => Ipv4Addr::UNSPECIFIED.into(),
        }
    }
}

/// Whether a link of another site led here: the browser then leaves its cookies out.
pub(crate) fn is_led_from_elsewhere(headers: &HeaderMap) -> bool {
    matches!(text(headers, &FETCH_SITE), Some("cross-site" | "same-site"))
}

fn client(head: &Parts) -> Option<&Client> {
    head.extensions.get::<Arc<Client>>().map(|client| &**client)
}

/// The host and port that the request names.
fn host(head: &Parts) -> &str {
    let header = text(&head.headers, &HOST);
    header.or_else(|| head.uri.authority().map(Authority::as_str)).unwrap_or_default()
}

/// A header's value; what is no text is some text that is equal to nothing.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::Request;
    use tokio_util::sync::CancellationToken;

    use super::*;

    fn head(headers: &[(&str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::post("/sign-in"), |request, (name, value)| {
            request.header(*name, *value)
        });
        request.body(()).unwrap().into_parts().0
    }

    fn site(public_url: &str) -> Site {
        Site::new(public_url.parse().ok().as_ref(), AllowedClients::default())
    }

    #[test]
    fn only_a_page_of_ours_may_send() {
        let site = site("https://hooks.example.com:8443/base");
        let (other, unknown) = (Err(ForeignRequest::OtherSite), Err(ForeignRequest::Unknown));
        let host = ("host", "Box:3000");
        for (headers, expected) in [
            (&[host, ("sec-fetch-site", "same-origin")][..], Ok(())),
            (&[host, ("sec-fetch-site", "none")], Ok(())),
            (&[host, ("sec-fetch-site", "same-site")], other),
            (&[host, ("sec-fetch-site", "cross-site")], other),
            // The browser's own word goes before the origin.
            (&[host, ("sec-fetch-site", "cross-site"), ("origin", "http://box:3000")], other),
            (&[host, ("origin", "http://box:3000")], Ok(())),
            (&[host, ("origin", "https://box:3000")], Ok(())),
            (&[host, ("origin", "https://hooks.example.com:8443")], Ok(())),
            (&[host, ("origin", "https://hooks.example.com")], other),
            (&[host, ("origin", "http://box:3001")], other),
            (&[host, ("origin", "http://box:3000.evil.example")], other),
            (&[host, ("origin", "null")], other),
            (&[host, ("origin", "")], other),
            (&[("origin", "http://")], other),
            (&[host], unknown),
        ] {
            assert_eq!(site.check_own(&head(headers)), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_public_url_says_that_its_host_is_reached_by_tls() {
        let is_secure = |url: &str, host: &str| site(url).is_secure(&head(&[("host", host)]));
        assert!(is_secure("https://hooks.example.com", "Hooks.example.com"));
        assert!(!is_secure("https://hooks.example.com", "10.0.0.1:3000"));
        assert!(!is_secure("http://hooks.example.com", "hooks.example.com"));
        let forwarded = head(&[("host", "10.0.0.1:3000"), ("x-forwarded-proto", "https")]);
        assert!(!site("").is_secure(&forwarded), "anybody can say so");
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let site = site("");
        let seen = |peer: &str| {
            let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 5);
            let busy = Arc::new(crate::client::Busy::new(1));
            let mut head = head(&[]);
            let client = Client::new(peer, busy, false, CancellationToken::new());
            head.extensions.insert(Arc::new(client));
            site.client(&head).to_string()
        };
        assert_eq!(seen("203.0.113.5"), "203.0.113.5");
        assert_eq!(seen("::ffff:203.0.113.5"), "203.0.113.5");
        assert_eq!(seen("2001:db8:0:1:ffff::1"), "2001:db8:0:1::");
        assert_eq!(seen("2001:db8:0:2::1"), "2001:db8:0:2::");
        assert_eq!(site.client(&head(&[])).to_string(), "0.0.0.0");
    }
}
