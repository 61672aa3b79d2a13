//! How a URL is connected to: the store's, and everybody else's who has a database on PostgreSQL.

use std::net::IpAddr;

use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// What the server's list of connections shows.
const APPLICATION_NAME: &str = "deskbell";

/// How to connect to the database at this URL, `postgres://user:password@host:port/database`.
///
/// `?sslmode=` says how far TLS is asked for: `disable`; `prefer` (the default: where the server
/// offers it, but not on this machine's loopback, which nobody listens to); `require` (always,
/// whoever the server is); `verify-ca` and `verify-full` (and its certificate is checked, by the
/// usual authorities or by `&sslrootcert=FILE`). `&sslcert=FILE&sslkey=FILE` shows one of ours.
///
/// # Errors
/// The URL is none, or has an option that is not known.
pub fn postgres_connect_options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options: PgConnectOptions = url.parse()?;
    let options = match options.get_application_name() {
        Some(_) => options,
        None => options.application_name(APPLICATION_NAME),
    };
    // The driver leaves out TCP_NODELAY, and what is larger than a record of TLS waits for the
    // other side's delayed acknowledgement then: on the loopback 40 ms a batch, for nothing.
    let for_nothing = matches!(options.get_ssl_mode(), PgSslMode::Prefer) && is_loopback(&options);
    Ok(if for_nothing { options.ssl_mode(PgSslMode::Disable) } else { options })
}

fn is_loopback(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> String {
        format!("{:?}", postgres_connect_options(url).unwrap().get_ssl_mode())
    }

    #[test]
    fn the_loopback_needs_no_tls_unless_it_is_asked_for() {
        for host in ["localhost", "127.0.0.1:5433", "127.9.9.9", "[::1]"] {
            assert_eq!(mode(&format!("postgres://me@{host}/db")), "Disable", "{host}");
            assert_eq!(mode(&format!("postgres://me@{host}/db?sslmode=require")), "Require");
            let checked = format!("postgres://me@{host}/db?sslmode=verify-full");
            assert_eq!(mode(&checked), "VerifyFull");
        }
        for host in ["db.internal", "10.0.0.1", "localhost.example.com", "[2001:db8::1]"] {
            assert_eq!(mode(&format!("postgres://me@{host}/db")), "Prefer", "{host}");
        }
    }
}
