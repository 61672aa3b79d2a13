//! Addresses that are not connected to, as a name or in the URL.

use deskbell_delivery::{HttpChannel, HttpConfig, HttpError, Outcome};

use super::support::{LONG, Receiver, attempt, config, retry_reason};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

fn refused(url: &str, allow_private: bool) -> Option<String> {
    let allow_hosts = Vec::new();
    match HttpChannel::new(&HttpConfig { allow_hosts, allow_private, ..config(url) }) {
        Ok(_) => None,
        Err(error @ HttpError::Refused { .. }) => Some(error.to_string()),
        Err(error) => panic!("{url}: {error}"),
    }
}

#[test]
fn however_an_address_is_spelt() {
    for (what, urls) in [
        (
            "loopback",
            &[
                "http://127.0.0.1",
                "http://0x7f.1",
                "http://0x7F000001",
                "http://2130706433",
                "http://017700000001",
                "http://0177.0.0.1",
                "http://127.1",
                "http://127.0.0.1.",
                "http://127.0.0.1:8080/path",
                "http://user@127.0.0.1",
                "http:\\\\127.0.0.1",
                "http://①②⑦.0.0.1",
                "http://%31%32%37.0.0.1",
                "http://[::1]",
                "http://[0:0:0:0:0:0:0:1]",
                "http://[::ffff:127.0.0.1]",
                "http://[::ffff:7f00:1]",
                "http://[64:ff9b::127.0.0.1]",
            ][..],
        ),
        ("metadata", &["http://169.254.169.254/latest/meta-data", "http://2852039166"]),
        ("link-local", &["http://169.254.0.1", "http://[fe80::1]"]),
        ("no receiver", &["http://0", "http://0.0.0.0", "http://[::]", "http://255.255.255.255"]),
    ] {
        for url in urls {
            for allow_private in [false, true] {
                let error = refused(url, allow_private).unwrap_or_else(|| panic!("{url}"));
                assert!(error.contains(what), "{url}: {error}");
            }
        }
    }
}

#[test]
fn a_private_address_has_a_switch() {
    for url in ["http://10.0.0.1", "https://192.168.1.1/x", "http://[fd12::1]", "http://10.1"] {
        let error = refused(url, false).unwrap();
        assert!(error.contains("`allow_private = true`"), "{error}");
        assert_eq!(refused(url, true), None);
    }
    assert_eq!(refused("https://1.1.1.1", false), None);
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_resolves_to() {
    let receiver = Receiver::answering(OK).await;
    for (host, allow_private, allow_hosts) in [
        ("localhost", false, &[][..]),
        ("localhost", true, &["other.example", "10.0.0.0/8"]),
        ("LOCALHOST", true, &["127.0.0.2"]),
    ] {
        let url = format!("http://{host}:{}/?token=t0ken", receiver.address.port());
        let allow_hosts = allow_hosts.iter().map(|text| text.parse().unwrap()).collect();
        let config = HttpConfig { allow_private, allow_hosts, ..config(&url) };
        let attempt = attempt(&HttpChannel::new(&config).unwrap(), LONG).await;
        let wanted = format!(
            "the host {} resolves to a loopback address, which is refused; to allow it, name the host in `allow_hosts`",
            host.to_lowercase()
        );
        assert_eq!(retry_reason(&attempt), wanted);
    }
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test]
async fn a_name_or_network_that_is_allowed_is_connected_to() {
    for allowed in ["localhost", "127.0.0.0/8", "127.0.0.1"] {
        let receiver = Receiver::answering(OK).await;
        let url = format!("http://localhost:{}/", receiver.address.port());
        let allow_hosts = vec![allowed.parse().unwrap()];
        let config = HttpConfig { allow_hosts, ..config(&url) };
        let attempt = attempt(&HttpChannel::new(&config).unwrap(), LONG).await;
        assert_eq!(attempt.outcome, Outcome::Delivered, "{allowed}");
    }
}
