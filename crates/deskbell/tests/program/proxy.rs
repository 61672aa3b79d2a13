//! Proxies of the environment: they are not for what Deskbell sends.

use deskbell_sim::receiver::{Receiver, Reply};

use super::support::{Serving, deskbell, directory, run, within};

/// Nobody listens there.
const PROXY: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn a_message_to_slack_goes_past_the_proxy_of_the_environment() {
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let receiver = Receiver::start(move |_| {
        let _ = arrived.send(());
        Reply::Status(200)
    });
    let receiver = receiver.await.unwrap();
    let directory = directory();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[[destination]]\nname = \"team\"\n\
         type = \"slack\"\nwebhook_url = \"{}services/T/B/X\"\ntext = \"Hello\"\n",
        receiver.url()
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let mut command = deskbell(directory.path());
    command.env("HTTP_PROXY", PROXY).env("http_proxy", PROXY).env("ALL_PROXY", PROXY);
    let serving = Serving::of(command).await;
    let url = serving.url();
    let ran = run(directory.path(), &["trigger", "--sample", "user.created", "--url", &url]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    within(arrivals.recv()).await.unwrap();
    assert_eq!(serving.terminate().await.0, 0);
}
