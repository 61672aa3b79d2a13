//! A proxy of the config.

use deskbell_delivery::{HttpChannel, HttpConfig, Outcome};

use super::support::{LONG, Receiver, SECRET, attempt, secrets};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn it_is_asked_for_the_receiver_whose_name_it_resolves() {
    let (proxy, mut requests) = Receiver::recording(OK).await;
    let url = "http://receiver.invalid/hook";
    let proxy_url = format!("http://ada:pa55@{}", proxy.address).parse().unwrap();
    let config = HttpConfig {
        proxy: Some(proxy_url),
        ..HttpConfig::new(url.parse().unwrap(), secrets(&[SECRET]))
    };
    let channel = HttpChannel::new(&config).unwrap();
    assert_eq!(attempt(&channel, LONG).await.outcome, Outcome::Delivered);
    let request = requests.recv().await.unwrap();
    assert_eq!(request.target, url);
    assert!(request.header("proxy-authorization").starts_with("Basic "));
}

#[test]
fn an_address_in_the_url_is_judged_all_the_same() {
    let url = "http://169.254.169.254/latest".parse().unwrap();
    let proxy = Some("http://127.0.0.1:3128".parse().unwrap());
    let config = HttpConfig { proxy, ..HttpConfig::new(url, secrets(&[SECRET])) };
    let refused = HttpChannel::new(&config).unwrap_err().to_string();
    assert!(refused.contains("169.254.169.254"), "{refused}");
}
