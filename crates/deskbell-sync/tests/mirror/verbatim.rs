//! What SQLite keeps as it was written.

use super::support::{Mirror, stored};

#[tokio::test]
async fn numbers_survive_as_they_were_written() {
    let mut mirror = Mirror::new().await;
    let body = r#"{"type":"user.created","data":{"id":"user_1","public_metadata":{"n":12345678901234567890.10,"e":1E400}}}"#;
    mirror.apply(&[stored("msg_1", "user.created", 1, body)]).await;
    let pool =
        sqlx::SqlitePool::connect(&mirror.options.database.url.with_password()).await.unwrap();
    let (metadata, raw): (String, String) =
        sqlx::query_as("SELECT public_metadata, raw FROM clerk_users")
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!(metadata, r#"{"n":12345678901234567890.10,"e":1E400}"#);
    assert_eq!(raw, r#"{"id":"user_1","public_metadata":{"n":12345678901234567890.10,"e":1E400}}"#);
}
