//! A proxy of the config.

use deskbell_delivery::{HttpChannel, HttpOptions, Outcome};
use url::Url;

use super::support::{LONG, Receiver, SECRET, attempt, secret};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn it_is_asked_for_the_receiver_whose_name_it_resolves() {
    let (proxy, mut requests) = Receiver::recording(OK).await;
    let url = Url::parse("http://receiver.invalid/hook").unwrap();
    let proxy_url = format!("http://ada:pa55@{}", proxy.address).parse().unwrap();
    let options =
        HttpOptions { proxy: Some(proxy_url), ..HttpOptions::new(url.clone(), secret(SECRET)) };
    let channel = HttpChannel::new(options).unwrap();
    assert_eq!(attempt(&channel, LONG).await.outcome, Outcome::Delivered);
    let request = requests.recv().await.unwrap();
    assert_eq!(request.target, url.as_str());
    assert!(request.header("proxy-authorization").starts_with("Basic "));
}

#[test]
fn an_address_in_the_url_is_judged_all_the_same() {
    let url = Url::parse("http://169.254.169.254/latest").unwrap();
    let proxy = Some("http://127.0.0.1:3128".parse().unwrap());
    let options = HttpOptions { proxy, ..HttpOptions::new(url, secret(SECRET)) };
    let refused = HttpChannel::new(options).unwrap_err().to_string();
    assert!(refused.contains("169.254.169.254"), "{refused}");
}
