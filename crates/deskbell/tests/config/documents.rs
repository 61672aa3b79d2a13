//! The configs in the documents.

use std::fs;
use std::path::Path;

use super::{SECRET, environment, load};

/// Every TOML block in the documents is a config, with its commented-out keys too.
#[test]
fn the_configs_in_the_documents_are_good() {
    let mut count = 0;
    for document in documents() {
        for block in document.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let all_keys = block.replace("\n# ", "\n");
            for text in [block, &all_keys] {
                assert_is_good(text);
            }
            count += 1;
        }
    }
    assert!(count >= 20, "{count}");
}

/// `README.md`, the skill, and the pages under `docs/`.
fn documents() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = fs::read_dir(root.join("docs")).unwrap().map(|page| page.unwrap().path());
    let others = ["README.md", "skills/clerk-webhooks-rust/SKILL.md"].map(|path| root.join(path));
    pages.chain(others).map(|path| fs::read_to_string(path).unwrap()).collect()
}

fn assert_is_good(text: &str) {
    let environment = environment(&[
        ("CLERK_WEBHOOK_SIGNING_SECRET", SECRET),
        ("CLERK_SECRET_KEY", "sk_test_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("DESKBELL_ADMIN_TOKEN", "t0ken"),
        ("DESKBELL_SECRET_KEY", "0123456789abcdef0123456789abcdef"),
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
