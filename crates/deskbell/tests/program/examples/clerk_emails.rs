//! Clerk's own emails, through a mail server.

use serde_json::Value;

use super::mailbox::Mailbox;
use super::recipe::Recipe;

#[tokio::test]
async fn they_arrive_as_clerk_wrote_them_and_those_that_clerk_sends_do_not() {
    let mailbox = Mailbox::start().await;
    let recipe = Recipe::new("clerk-emails", &[("SMTP_URL", mailbox.url.clone())]);
    let serving = recipe.serve().await;
    // The sample is one that Clerk delivers.
    recipe.trigger(&serving, &["email.created"]).await;
    recipe.trigger(&serving, &["user.created"]).await;
    recipe.follow_readme(&serving).await;
    let [email] = &mailbox.emails(1).await[..] else { panic!("one email") };
    assert_eq!(recipe.shown(), [&*email.printed]);
    let sample = clerk_webhooks::catalog::find("email.created").unwrap().sample;
    let sample: Value = serde_json::from_str(sample).unwrap();
    let written = |key: &str| sample["data"][key].as_str().unwrap().trim().to_owned();
    assert_eq!(email.to, written("to_email_address"));
    assert_eq!(email.subject, written("subject"));
    assert_eq!(email.html, written("body"));
    assert_eq!(email.text, written("body_plain"));
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(mailbox.emails(1).await.len(), 1);
    assert_eq!((recipe.delivered(1).await, recipe.delivered(2).await), (vec![], vec![]));
    assert_eq!(recipe.delivered(3).await, [("clerk-emails".to_owned(), 1)]);
}
