//! People are told of a destination that is disabled, through another one.

use deskbell_sim::receiver::{Receiver, Reply};
use serde_json::Value;

use crate::support::{SECRET, Serving, directory, run, within};

#[tokio::test]
async fn a_slack_channel_hears_of_a_destination_that_is_gone() {
    let gone = Receiver::start(|_| Reply::Status(410)).await.unwrap();
    let slack = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let directory = directory();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[alerts]\nto = [\"ops\"]\n\n\
         [[destination]]\nname = \"crm\"\ntype = \"http\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n\
         allow_hosts = [\"127.0.0.1\"]\n\n\
         [[destination]]\nname = \"ops\"\ntype = \"slack\"\nwebhook_url = \"{}services/T/B/x\"\nevents = []\n",
        gone.url(),
        slack.url(),
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let serving = Serving::start(directory.path()).await;
    let trigger = ["trigger", "user.created", "--url", &serving.url()];
    assert_eq!(run(directory.path(), &trigger).await.code, 0);
    within(slack.wait_for(1)).await;
    assert_eq!(serving.terminate().await.0, 0);
    let [message] = &slack.received()[..] else { panic!("one notice, and no event") };
    let message: Value = serde_json::from_slice(&message.body).unwrap();
    let text = message["text"].as_str().unwrap();
    for wanted in ["crm is disabled", "410 Gone", "deskbell destinations enable crm"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(gone.count(), 1);
}
