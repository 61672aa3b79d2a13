//! The URL of a mail server.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use deskbell_config::SmtpUrl;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use url::{Url, form_urlencoded};

use crate::ca_certificates::CaCertificates;

/// The ports where the URL names none: submission (RFC 6409), submissions (RFC 8314), and plain.
const PORT_STARTTLS: u16 = 587;
const PORT_TLS: u16 = 465;
const PORT_PLAIN: u16 = 25;

/// A mail server, and how to talk to it.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    pub(super) hello: ClientId,
}

/// How the connection is kept from others.
pub(super) enum Security {
    /// TLS from the first byte.
    Tls(TlsConnector, ServerName<'static>),
    /// TLS after STARTTLS, which the server must offer.
    StartTls(TlsParameters),
    /// Not at all: only where the URL says so.
    Plain,
}

/// A mail server's URL that cannot be used. It is not repeated: there may be a password in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum SmtpUrlError {
    /// A user without a password, or the other way round.
    #[error("the mail server's URL needs a user and a password, or neither")]
    HalfCredentials,
    /// An unknown parameter, or a value that it cannot have.
    #[error(
        "the mail server's URL has `{parameter}`: known are tls=required, tls=none (not with smtps) and hello=NAME"
    )]
    Parameter { parameter: String },
    /// A host that no certificate can be for.
    #[error("the mail server's URL has a host name that TLS cannot check")]
    Host(#[source] Box<dyn Error + Send + Sync>),
    #[error("failed to read the certificates for the mail server")]
    Certificates(#[source] Box<dyn Error + Send + Sync>),
}

impl Server {
    pub(super) fn parse(
        url: &SmtpUrl,
        ca_certificates: Option<&CaCertificates>,
    ) -> Result<Self, SmtpUrlError> {
        let url = url.expose_secrets();
        let tls_from_the_start = url.scheme() == "smtps";
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let (plain, hello) = parameters(url, tls_from_the_start)?;
        let (security, port) = match (tls_from_the_start, plain) {
            (true, _) => {
                let connector = connector(ca_certificates).map_err(SmtpUrlError::Certificates)?;
                let name = ServerName::try_from(host.clone())
                    .map_err(|error| SmtpUrlError::Host(error.into()))?;
                (Security::Tls(connector, name), PORT_TLS)
            }
            (false, false) => {
                let tls = tls_parameters(&host, ca_certificates)
                    .map_err(|error| SmtpUrlError::Certificates(error.into()))?;
                (Security::StartTls(tls), PORT_STARTTLS)
            }
            (false, true) => (Security::Plain, PORT_PLAIN),
        };
        let port = url.port().unwrap_or(port);
        Ok(Self { security, port, credentials: credentials(url)?, hello, host })
    }
}

/// Whether it is to be plain, and our name.
fn parameters(url: &Url, tls_from_the_start: bool) -> Result<(bool, ClientId), SmtpUrlError> {
    let (mut plain, mut hello) = (false, ClientId::default());
    for (name, value) in url.query_pairs() {
        match (name.as_ref(), value.as_ref()) {
            ("tls", "required") => plain = false,
            ("tls", "none") if !tls_from_the_start => plain = true,
            ("hello", name) if is_host_name(name) => hello = ClientId::Domain(name.to_owned()),
            (name, _) => return Err(SmtpUrlError::Parameter { parameter: name.to_owned() }),
        }
    }
    Ok((plain, hello))
}

fn is_host_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

fn credentials(url: &Url) -> Result<Option<Credentials>, SmtpUrlError> {
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(SmtpUrlError::HalfCredentials),
        (user, Some(password)) => Ok(Some(Credentials::new(decoded(user), decoded(password)))),
    }
}

/// Percent-decoded; a plus stays a plus.
fn decoded(text: &str) -> String {
    let pair = text.replace('+', "%2B").replace('&', "%26");
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    let Some((name, value)) = pairs.next() else { return String::new() };
    if pair.contains('=') { format!("{name}={value}") } else { name.into_owned() }
}

fn tls_parameters(
    host: &str,
    ca_certificates: Option<&CaCertificates>,
) -> Result<TlsParameters, lettre::transport::smtp::Error> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(authorities) = ca_certificates {
        builder = builder.add_root_certificate(Certificate::from_pem(authorities.pem())?);
    }
    builder.build_rustls()
}

/// TLS from the first byte, trusting whom [`tls_parameters`] trusts.
fn connector(
    ca_certificates: Option<&CaCertificates>,
) -> Result<TlsConnector, Box<dyn Error + Send + Sync>> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in ca_certificates.into_iter().flat_map(CaCertificates::certificates) {
        roots.add(certificate)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl fmt::Debug for Server {
    /// Without the user and the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let security = match self.security {
            Security::Tls(..) => "tls",
            Security::StartTls(_) => "starttls",
            Security::Plain => "plain",
        };
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &security)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        match Server::parse(&url.parse().unwrap(), None) {
            Ok(server) => {
                let user = server.credentials.is_some();
                format!("{} {} {user} {}", server.host, server.port, server.hello)
                    + if matches!(server.security, Security::Plain) { " plain" } else { "" }
            }
            Err(error) => error.to_string().chars().take(40).collect(),
        }
    }

    #[test]
    fn urls() {
        for (url, expected) in [
            ("smtp://mail.example.com", "mail.example.com 587 false [127.0.0.1]"),
            (
                "smtp://u:p@mail.example.com:2525?tls=required",
                "mail.example.com 2525 true [127.0.0.1]",
            ),
            ("smtps://u:p@mail.example.com", "mail.example.com 465 true [127.0.0.1]"),
            (
                "smtp://localhost:1025?tls=none&hello=me.example",
                "localhost 1025 false me.example plain",
            ),
            ("smtp://[::1]?tls=none", "::1 25 false [127.0.0.1] plain"),
            ("smtps://m.example?tls=none", "the mail server's URL has `tls`: known a"),
            ("smtp://m.example?tls=opportunistic", "the mail server's URL has `tls`: known a"),
            ("smtp://m.example?TLS=none", "the mail server's URL has `TLS`: known a"),
            ("smtp://u@m.example", "the mail server's URL needs a user and a"),
        ] {
            assert_eq!(shown(url), expected, "{url}");
        }
        for url in ["https://m.example", "smtp://", "mail.example.com"] {
            url.parse::<SmtpUrl>().expect_err(url);
        }
        assert_eq!(decoded("a%40b+c%26d%3De=f&g"), "a@b+c&d=e=f&g");
        let shown = format!("{:?}", Server::parse(&"smtp://me:hunter2@h".parse().unwrap(), None));
        assert!(!shown.contains("hunter2") && !shown.contains("me"), "{shown}");
    }
}
