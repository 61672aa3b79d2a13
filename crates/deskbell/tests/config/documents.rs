//! The configs in the documents.

use super::{SECRET, environment, load};

/// Every TOML block in the documents is a config, with its commented-out keys too.
#[test]
fn the_configs_in_the_documents_are_good() {
    for document in [
        include_str!("../../../../README.md"),
        include_str!("../../../../docs/alerts.md"),
        include_str!("../../../../docs/destinations.md"),
        include_str!("../../../../docs/replicas.md"),
        include_str!("../../../../docs/operation.md"),
        include_str!("../../../../docs/proxies.md"),
    ] {
        let blocks: Vec<_> = document.split("```toml\n").skip(1).collect();
        assert!(!blocks.is_empty());
        for block in blocks {
            let block = block.split("```").next().unwrap();
            let all_keys = block.replace("\n# ", "\n");
            for text in [block, &all_keys] {
                assert_is_good(text);
            }
        }
    }
}

fn assert_is_good(text: &str) {
    let environment = environment(&[
        ("CLERK_WEBHOOK_SIGNING_SECRET", SECRET),
        ("DESKBELL_ADMIN_TOKEN", "t0ken"),
        ("DATABASE_URL", "postgres://app:pw@localhost/app"),
        ("APP_WEBHOOK_SECRET", SECRET),
        ("CRM_SIGNING_SECRET", SECRET),
        ("APP_NEW_SECRET", SECRET),
        ("PAGER_SECRET", SECRET),
        ("APP_API_TOKEN", "Bearer t0ken"),
        ("RESEND_API_KEY", "re_123"),
        ("SMTP_URL", "smtp://me:pw@mail.example:587"),
        ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/B0/x"),
        ("LOOPS_API_KEY", "loops_123"),
    ]);
    load(text, &environment).unwrap_or_else(|error| panic!("{error}\n{text}"));
}
