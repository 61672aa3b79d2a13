//! "Was this you?"

use super::mailbox::{Email, Mailbox};
use super::recipe::Recipe;

/// The emails for a new session each, in the order of their texts.
async fn emails(sessions: &[&[&str]], count: usize) -> Vec<Email> {
    let mailbox = Mailbox::start().await;
    let recipe = Recipe::new("new-device", &[("SMTP_URL", mailbox.url.clone())]);
    let serving = recipe.serve().await;
    for session in sessions {
        let set = session.iter().flat_map(|set| ["--set", set]);
        let arguments: Vec<_> = ["session.created", "--add"].into_iter().chain(set).collect();
        recipe.trigger(&serving, &arguments).await;
    }
    mailbox.emails(count).await;
    assert_eq!(serving.terminate().await.0, 0);
    let mut emails = mailbox.emails(count).await;
    emails.sort_by(|one, other| one.text.cmp(&other.text));
    emails
}

#[tokio::test]
async fn what_the_readme_shows_arrives() {
    let mailbox = Mailbox::start().await;
    let recipe = Recipe::new("new-device", &[("SMTP_URL", mailbox.url.clone())]);
    let serving = recipe.serve().await;
    recipe.follow_readme(&serving).await;
    let [email] = &mailbox.emails(1).await[..] else { panic!("one email") };
    assert_eq!(recipe.shown(), [&*email.printed]);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn what_is_missing_is_unknown() {
    let emails = emails(
        &[
            &["data.latest_activity=null"],
            &["data.latest_activity.city=null", "data.user.first_name=null"],
        ],
        2,
    )
    .await;
    let [unknown, nameless] = &emails[..] else { panic!("two emails: {emails:?}") };
    assert!(nameless.text.starts_with("Hello,\n"), "{}", nameless.text);
    assert!(nameless.text.contains("Place:  SE\n"), "{}", nameless.text);
    for line in ["Device: unknown browser on unknown device", "Place:  unknown", "IP:     unknown"]
    {
        assert!(unknown.text.lines().any(|one| one == line), "{line}: {}", unknown.text);
    }
}

#[tokio::test]
async fn the_primary_address_is_told_and_nobody_of_whom_nothing_is_known() {
    let second = r#"data.user.email_addresses.1={"id":"idn_2","email_address":"second@x.dev"}"#;
    let emails = emails(
        &[
            &["data.user=null"],
            // The session that a sign-up begins with.
            &["data.created_at=1767603862999"],
            &[second, "data.user.primary_email_address_id=idn_2"],
        ],
        1,
    )
    .await;
    let [email] = &emails[..] else { panic!("one email: {emails:?}") };
    assert_eq!(email.to, "second@x.dev");
}
