//! Sessions of browsers end by themselves, and a one-time code begins one of them.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Backend;
use crate::{AccessToken, BrowserSession, NewBrowserSession, Store, TokenHash, TokenRole};

const MINUTE: Duration = Duration::from_secs(60);
const IDLE_MAX: Duration = Duration::from_secs(30 * 60);
const LIFETIME: Duration = Duration::from_secs(12 * 3_600);

async fn begin(store: &dyn Store, token_name: &str, role: TokenRole) -> (TokenHash, i64) {
    let hash = AccessToken::random().hash();
    let token_name = token_name.to_owned();
    let (idle_max, lifetime) = (IDLE_MAX, LIFETIME);
    let session = NewBrowserSession { hash, token_name, role, idle_max, lifetime };
    (hash, store.create_session(&session).await.unwrap())
}

async fn is_open(store: &dyn Store, hash: &TokenHash) -> bool {
    store.find_session(hash).await.unwrap().is_some()
}

pub async fn a_session_is_found_until_it_is_ended(backend: &dyn Backend) {
    let store = backend.create().await;
    let start_ms = store.now_ms().await.unwrap();
    let (hash, expires_at_ms) = begin(&*store, "ops", TokenRole::Admin).await;
    assert_eq!(expires_at_ms, start_ms + 12 * 3_600_000);
    let (other, _) = begin(&*store, "app", TokenRole::Viewer).await;
    let store = backend.reopen(store).await;
    let session =
        BrowserSession { token_name: "ops".to_owned(), role: TokenRole::Admin, expires_at_ms };
    assert_eq!(store.find_session(&hash).await.unwrap(), Some(session));
    assert!(!is_open(&*store, &AccessToken::random().hash()).await);
    store.end_session(&hash).await.unwrap();
    store.end_session(&hash).await.unwrap();
    assert!(!is_open(&*store, &hash).await);
    let other = store.find_session(&other).await.unwrap().unwrap();
    assert_eq!((&*other.token_name, other.role), ("app", TokenRole::Viewer));
}

pub async fn a_session_that_is_not_used_ends(backend: &dyn Backend) {
    let store = backend.create().await;
    let (hash, _) = begin(&*store, "ops", TokenRole::Admin).await;
    backend.advance(IDLE_MAX - Duration::from_millis(1));
    assert!(is_open(&*store, &hash).await, "it is used just in time");
    backend.advance(IDLE_MAX - Duration::from_millis(1));
    assert!(is_open(&*store, &hash).await, "once more");
    backend.advance(IDLE_MAX);
    assert!(!is_open(&*store, &hash).await);
    assert!(!is_open(&*store, &hash).await, "looking does not bring it back");
}

pub async fn a_session_ends_however_much_it_is_used(backend: &dyn Backend) {
    let store = backend.create().await;
    let (hash, expires_at_ms) = begin(&*store, "ops", TokenRole::Admin).await;
    let step = 10 * MINUTE - Duration::from_millis(1);
    while store.now_ms().await.unwrap() + 10 * 60_000 < expires_at_ms {
        assert!(is_open(&*store, &hash).await);
        backend.advance(step);
    }
    assert!(is_open(&*store, &hash).await);
    let left_ms = expires_at_ms - store.now_ms().await.unwrap();
    backend.advance(Duration::from_millis(u64::try_from(left_ms).unwrap() - 1));
    assert!(is_open(&*store, &hash).await);
    backend.advance(Duration::from_millis(1));
    assert!(!is_open(&*store, &hash).await);
}

pub async fn use_within_a_minute_is_not_written(backend: &dyn Backend) {
    let store = backend.create().await;
    let (hash, _) = begin(&*store, "ops", TokenRole::Admin).await;
    backend.advance(MINUTE - Duration::from_millis(1));
    assert!(is_open(&*store, &hash).await);
    backend.advance(IDLE_MAX - MINUTE + Duration::from_millis(1));
    assert!(!is_open(&*store, &hash).await, "as if it had not been used since it began");
}

pub async fn sessions_end_with_their_token(backend: &dyn Backend) {
    let store = backend.create().await;
    let (first, _) = begin(&*store, "ops", TokenRole::Admin).await;
    let (second, _) = begin(&*store, "ops", TokenRole::Admin).await;
    let (other, _) = begin(&*store, "ops2", TokenRole::Admin).await;
    store.end_sessions_of("ops").await.unwrap();
    store.end_sessions_of("nobody").await.unwrap();
    assert!(!is_open(&*store, &first).await && !is_open(&*store, &second).await);
    assert!(is_open(&*store, &other).await);
}

pub async fn a_code_is_used_once_by_one_of_many(backend: &dyn Backend) {
    let store = backend.create().await;
    for _ in 0..5 {
        let (code, other) = (AccessToken::random().hash(), AccessToken::random().hash());
        store.create_sign_in_code(&code, 15 * MINUTE).await.unwrap();
        store.create_sign_in_code(&other, 15 * MINUTE).await.unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..4 {
            let store = Arc::clone(&store);
            tasks.spawn(async move { store.redeem_sign_in_code(&code).await.unwrap() });
        }
        let redeemed = tasks.join_all().await;
        assert_eq!(redeemed.iter().filter(|redeemed| **redeemed).count(), 1);
        assert!(!store.redeem_sign_in_code(&code).await.unwrap(), "it is used up");
        assert!(store.redeem_sign_in_code(&other).await.unwrap());
    }
}

pub async fn a_code_that_is_too_old_is_refused(backend: &dyn Backend) {
    let store = backend.create().await;
    let codes = [1, 2].map(|_| AccessToken::random().hash());
    for code in &codes {
        store.create_sign_in_code(code, 15 * MINUTE).await.unwrap();
    }
    backend.advance(15 * MINUTE - Duration::from_millis(1));
    assert!(store.redeem_sign_in_code(&codes[0]).await.unwrap());
    backend.advance(Duration::from_millis(1));
    assert!(!store.redeem_sign_in_code(&codes[1]).await.unwrap());
    assert!(!store.redeem_sign_in_code(&AccessToken::random().hash()).await.unwrap());
}
