//! Tokens are found by their hash until they are revoked.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::Backend;
use crate::{AccessToken, NewToken, StoredToken, TokenRole};

fn new(name: &str, role: TokenRole, token: &AccessToken) -> NewToken {
    NewToken { name: name.to_owned(), role, hash: token.hash() }
}

fn named(tokens: &[StoredToken]) -> Vec<(&str, TokenRole)> {
    tokens.iter().map(|token| (token.name.as_str(), token.role)).collect()
}

pub async fn a_token_is_found_until_it_is_revoked(backend: &dyn Backend) {
    let store = backend.create().await;
    let (app, ops) = (AccessToken::random(), AccessToken::random());
    assert_eq!(store.tokens().await.unwrap(), []);
    assert!(store.create_token(&new("ops", TokenRole::Admin, &ops)).await.unwrap());
    backend.advance(Duration::from_secs(1));
    assert!(store.create_token(&new("app", TokenRole::Reader, &app)).await.unwrap());
    let store = backend.reopen(store).await;
    let tokens = store.tokens().await.unwrap();
    assert_eq!(named(&tokens), [("app", TokenRole::Reader), ("ops", TokenRole::Admin)]);
    assert_eq!(tokens[0].created_at_ms, tokens[1].created_at_ms + 1_000);
    let found = store.find_token(&app.hash()).await.unwrap();
    assert_eq!(found.as_ref(), Some(&tokens[0]));
    assert_eq!(store.find_token(&AccessToken::random().hash()).await.unwrap(), None);
    assert!(store.revoke_token("app").await.unwrap());
    assert!(!store.revoke_token("app").await.unwrap(), "it is gone");
    assert_eq!(store.find_token(&app.hash()).await.unwrap(), None);
    assert_eq!(named(&store.tokens().await.unwrap()), [("ops", TokenRole::Admin)]);
}

pub async fn a_name_is_taken_once(backend: &dyn Backend) {
    let store = backend.create().await;
    let (first, second) = (AccessToken::random(), AccessToken::random());
    assert!(store.create_token(&new("app", TokenRole::Viewer, &first)).await.unwrap());
    assert!(!store.create_token(&new("app", TokenRole::Admin, &second)).await.unwrap());
    assert_eq!(store.find_token(&second.hash()).await.unwrap(), None, "nothing was stored");
    assert_eq!(named(&store.tokens().await.unwrap()), [("app", TokenRole::Viewer)]);
    assert!(store.revoke_token("app").await.unwrap());
    assert!(store.create_token(&new("app", TokenRole::Admin, &second)).await.unwrap());
}
