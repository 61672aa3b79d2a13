//! The HTTP client of one destination: its connections, and where they may go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use deskbell_config::HttpUrl;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;

use super::guard::{Rules, permitted};
use super::reused::NoteConnections;
use crate::api::with_proxy;

/// How long it may take to connect: a part of the deadline, so that an address which swallows
/// packets is told from a slow receiver, and the host's next address has its turn.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Unused connections that are kept; any further one is closed.
const IDLE_CONNECTIONS_MAX: usize = 16;
/// How often a connection of HTTP/2 that is in use is asked whether it lives, and how long it has
/// for the answer; after that its requests fail, and the next one connects anew.
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(10);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(5);
/// What a receiver may send by HTTP/2 before we have read it: little more than is kept of a reply.
const HTTP2_WINDOW_BYTES: u32 = 64 << 10;
/// The largest headers of a reply by HTTP/2; larger ones fail the attempt.
const HTTP2_HEADERS_BYTES_MAX: u32 = 64 << 10;

/// The clients of one destination.
pub(super) struct Clients {
    /// Keeps connections for the next request.
    pub(super) keeping: Client,
    /// Makes a connection for each request, for those that a kept one has failed.
    pub(super) fresh: Client,
}

impl Clients {
    pub(super) fn build(
        rules: Rules,
        authorities: &[CertificateDer<'_>],
        proxy: Option<&HttpUrl>,
    ) -> reqwest::Result<Self> {
        let rules = Arc::new(rules);
        let keeping = build(Arc::clone(&rules), authorities, proxy, IDLE_CONNECTIONS_MAX)?;
        Ok(Self { keeping, fresh: build(rules, authorities, proxy, 0)? })
    }
}

/// A client that goes straight to the receiver, or through the proxy of the config: no redirects, no
/// proxy of the environment, no cookies.
fn build(
    rules: Arc<Rules>,
    authorities: &[CertificateDer<'_>],
    proxy: Option<&HttpUrl>,
    idle_connections_max: usize,
) -> reqwest::Result<Client> {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been quicker: then its provider is the one.
        let _ = ring::default_provider().install_default();
    }
    let authorities = authorities
        .iter()
        .map(|certificate| Certificate::from_der(certificate))
        .collect::<reqwest::Result<Vec<_>>>()?;
    let builder = with_proxy(Client::builder(), proxy)?;
    let builder = match proxy {
        // The one name that is resolved here is the proxy's.
        Some(_) => builder,
        None => builder.dns_resolver(Guarded { rules }),
    };
    builder
        .tls_certs_merge(authorities)
        .connector_layer(NoteConnections)
        .redirect(Policy::none())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(idle_connections_max)
        .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
        .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
        .http2_initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .http2_initial_connection_window_size(HTTP2_WINDOW_BYTES * 16)
        .http2_max_header_list_size(HTTP2_HEADERS_BYTES_MAX)
        .build()
}

/// The system's resolver, less the addresses that are refused. Every new connection asks it, so
/// that a name which resolves to something else later is judged again.
struct Guarded {
    rules: Arc<Rules>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.rules);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses: Addrs = Box::new(permitted(found, &rules)?.into_iter());
            Ok(addresses)
        })
    }
}
