//! How a client reaches Clerk, and its limits.

use std::fmt;
use std::time::Duration;

use url::{Host, Url};

/// Clerk's Backend API.
pub const BASE_URL: &str = "https://api.clerk.com/v1";
/// How long one attempt may take, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of an answer: 500 objects with metadata of the greatest size that Clerk allows take about 20 MiB.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// Attempts of a request that fails with 5xx, without a connection, or without an answer in time.
const ATTEMPTS_MAX: u32 = 4;
/// The delay before the second attempt; it doubles with each further one.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(500);
/// The longest delay between two attempts.
const RETRY_DELAY_MAX: Duration = Duration::from_secs(10);

/// How a client reaches Clerk, and its limits. [`ClientOptions::default`] is right for Clerk itself.
#[derive(Clone)]
pub struct ClientOptions {
    /// Where the API is: by default [`BASE_URL`]. Only a loopback address may be `http`, since the key is sent to it.
    pub base_url: Url,
    /// Where Clerk's sender is: by default where the instance's region has it. For tests; only a loopback address may
    /// be `http`, since tokens are sent to it.
    pub sender_url: Option<Url>,
    /// How long one attempt may take, from connecting to the last byte: by default 30 s.
    pub timeout: Duration,
    /// Bytes of an answer: by default 32 MiB. A larger one is an error.
    pub answer_bytes_max: usize,
    /// Attempts of a request that fails with 5xx, without a connection, or without an answer in time: by default 4.
    pub attempts_max: u32,
    /// The delay before the second attempt: by default 500 ms. It doubles with each further one, and up to half of it
    /// is taken off at random.
    pub retry_delay_min: Duration,
    /// The longest delay between two attempts: by default 10 s.
    pub retry_delay_max: Duration,
    /// The proxy to go through, if there is one. Those of the environment (`HTTPS_PROXY`) are not used.
    pub proxy: Option<Url>,
    /// Certificate authorities that are trusted beside those of the system, in PEM.
    pub ca_certificates_pem: Vec<u8>,
}

/// Why there can be no such client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("expected an `https` address of Clerk's API; only loopback addresses may be `http`")]
    NotHttps,
    #[error("expected an address of Clerk's API without a user name, a password or a query")]
    Address,
    /// The HTTP client, as where the system has no certificate authorities.
    #[error("failed to set up the HTTP client")]
    Http(#[source] reqwest::Error),
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            base_url: BASE_URL.parse().expect("the constant is a URL"),
            sender_url: None,
            timeout: TIMEOUT,
            answer_bytes_max: ANSWER_BYTES_MAX,
            attempts_max: ATTEMPTS_MAX,
            retry_delay_min: RETRY_DELAY_MIN,
            retry_delay_max: RETRY_DELAY_MAX,
            proxy: None,
            ca_certificates_pem: Vec::new(),
        }
    }
}

impl ClientOptions {
    pub(crate) fn check(&self) -> Result<(), ClientError> {
        [Some(&self.base_url), self.sender_url.as_ref()].into_iter().flatten().try_for_each(check)
    }
}

/// That a key or a token may be sent to this address.
fn check(url: &Url) -> Result<(), ClientError> {
    let is_safe = match url.scheme() {
        "https" => true,
        "http" => url.host().is_some_and(|host| is_loopback(&host)),
        _ => false,
    };
    if !is_safe {
        return Err(ClientError::NotHttps);
    }
    let has_more = !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some();
    if has_more { Err(ClientError::Address) } else { Ok(()) }
}

/// Without the proxy's address, which may have a password in it.
impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("timeout", &self.timeout)
            .field("answer_bytes_max", &self.answer_bytes_max)
            .field("attempts_max", &self.attempts_max)
            .finish_non_exhaustive()
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(domain) => *domain == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_goes_to_https_alone() {
        for (url, expected) in [
            (BASE_URL, true),
            ("https://clerk.example/v1/", true),
            ("http://127.0.0.1:9/v1", true),
            ("http://[::1]/v1", true),
            ("http://localhost/v1", true),
            ("http://api.clerk.com/v1", false),
            ("http://localhost.example/v1", false),
            ("ftp://localhost/v1", false),
            ("https://me:secret@clerk.example/v1", false),
            ("https://clerk.example/v1?key=1", false),
        ] {
            let options = ClientOptions { base_url: url.parse().unwrap(), ..Default::default() };
            assert_eq!(options.check().is_ok(), expected, "{url}");
            let sender_url = Some(url.parse().unwrap());
            let options = ClientOptions { sender_url, ..Default::default() };
            assert_eq!(options.check().is_ok(), expected, "{url} of the sender");
        }
    }
}
