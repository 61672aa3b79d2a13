//! Why a request had no answer, in plain words: never the URL, a header or somebody's address.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use rustls::CertificateError;

use super::client::CONNECT_TIMEOUT;
use super::guard::Refused;

/// What to say of a request to `host` that failed.
pub(super) fn words(error: &reqwest::Error, host: &str) -> String {
    let causes = || causes(error);
    if let Some(refused) = causes().find_map(|cause| cause.downcast_ref::<Refused>()) {
        return format!("the host {host} resolves to {refused}");
    }
    if error.is_dns() {
        return format!("the host name {host} could not be resolved");
    }
    if let Some(tls) = causes().find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return of_tls(tls, host);
    }
    // The innermost is the system's; the ones around it bear it.
    let io = causes().filter_map(|cause| cause.downcast_ref::<io::Error>()).last();
    if error.is_connect() {
        return of_connect(error, io);
    }
    if let Some(http) = causes().find_map(|cause| cause.downcast_ref::<hyper::Error>())
        && let Some(words) = of_http(http)
    {
        return words;
    }
    match io.map(io::Error::kind) {
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe) => {
            "the receiver reset the connection before it answered".to_owned()
        }
        Some(ErrorKind::UnexpectedEof) => CLOSED.to_owned(),
        Some(ErrorKind::TimedOut) => "the connection to the receiver was lost".to_owned(),
        _ => "the connection failed before the receiver answered".to_owned(),
    }
}

/// Whether the connection ended before the receiver answered.
pub(super) fn is_without_answer(error: &reqwest::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let is_end = |cause: &(dyn Error + 'static)| {
        let io = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        let http = cause.downcast_ref::<hyper::Error>();
        matches!(io, Some(BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
            || http.is_some_and(|e| e.is_incomplete_message() || e.is_canceled() || e.is_closed())
    };
    !error.is_connect() && !error.is_timeout() && causes(error).any(is_end)
}

/// What to say where the deadline came first.
pub(super) fn no_answer(within: Duration) -> String {
    format!("no answer within {}", in_words(within))
}

const CLOSED: &str = "the receiver closed the connection before it answered";

fn of_connect(error: &reqwest::Error, io: Option<&io::Error>) -> String {
    if error.is_timeout() {
        return format!("no connection within {}", in_words(CONNECT_TIMEOUT));
    }
    let words = match io.map(io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => {
            "the connection was refused: nothing listens at that port"
        }
        Some(ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted) => {
            "the receiver reset the connection while it was being made"
        }
        Some(ErrorKind::UnexpectedEof) => "the receiver closed the connection during the handshake",
        Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
            "there is no route to the receiver"
        }
        _ => "the connection could not be made",
    };
    words.to_owned()
}

fn of_http(error: &hyper::Error) -> Option<String> {
    let words = if error.is_parse_too_large() {
        "the headers of the receiver's answer are too large"
    } else if error.is_parse() {
        "the receiver's answer is not HTTP"
    } else if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        CLOSED
    } else {
        return None;
    };
    Some(words.to_owned())
}

fn of_tls(error: &rustls::Error, host: &str) -> String {
    let rustls::Error::InvalidCertificate(certificate) = error else {
        return match error {
            rustls::Error::InvalidMessage(_) => {
                "the TLS handshake failed: the receiver does not speak TLS at that port".to_owned()
            }
            rustls::Error::AlertReceived(_) => {
                "the TLS handshake failed: the receiver refused it".to_owned()
            }
            _ => "the TLS handshake failed".to_owned(),
        };
    };
    let what = match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet (or this machine's clock is wrong)"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            return format!("the receiver's TLS certificate is not for {host}");
        }
        CertificateError::Revoked => "it has been revoked",
        CertificateError::UnknownIssuer => "no trusted authority issued it",
        _ => "it is not valid",
    };
    format!("the receiver's TLS certificate is not trusted: {what}")
}

/// The error and everything beneath it. What an [`io::Error`] wraps is its inner error, which its
/// `source` would pass over.
fn causes<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let first: &(dyn Error + 'static) = error;
    std::iter::successors(Some(first), |&cause| {
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => cause.source(),
        }
    })
}

/// `15 s`, `300 ms`: rounded, since what is left of a deadline is always a little less than it was.
fn in_words(duration: Duration) -> String {
    if duration < Duration::from_millis(995) {
        return format!("{} ms", (duration.as_secs_f64() * 100.0).round() * 10.0);
    }
    let tenths = (duration.as_secs_f64() * 10.0).round() / 10.0;
    format!("{tenths} s")
}
