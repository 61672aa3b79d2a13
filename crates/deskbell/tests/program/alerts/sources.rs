//! Requests that fail verification in numbers.

use deskbell_sim::{Scenario, World};

use super::Hook;
use crate::program::support::{Serving, directory, http_client, send};

#[tokio::test]
async fn a_wrong_secret_is_told_in_numbers_and_a_scanner_is_not() {
    let (hook, directory) = (Hook::start().await, directory());
    hook.configure(directory.path(), "", "");
    let config = std::fs::read_to_string(directory.path().join("deskbell.toml")).unwrap();
    let other = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXJvdGhlcg==";
    let config = format!(
        "{config}\n[[source]]\nname = \"clerk\"\npath = \"/api/webhooks\"\nsigning_secrets = \"{other}\"\n"
    );
    std::fs::write(directory.path().join("deskbell.toml"), config).unwrap();
    let serving = Serving::start(directory.path()).await;
    let (http, url) = (http_client(), serving.url());
    // Fewer than are worth an alert, without any signature.
    for _ in 0..9 {
        let reply = http.post(&url).body("{}").send().await.unwrap();
        assert!(reply.status().is_client_error());
    }
    // Ten that were signed with another secret.
    for message in World::new(&Scenario::new(7, 10)).take(10) {
        assert_ne!(send(&http, &url, &message).await, Some(200));
    }
    let alert = hook.alerts(1).await.remove(0);
    let data = &alert["data"];
    assert_eq!((&data["kind"], &data["state"]), (&"source.refused".into(), &"firing".into()));
    assert_eq!((&data["source"], &data["destination"]), (&"clerk".into(), &().into()));
    assert_eq!(data["subject"], "clerk: 10 requests were rejected (no_match)");
    assert_eq!(data["counts"]["refused_requests"], 10);
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(hook.ids().len(), 1, "the scanner's are not told");
}
