//! Small writes beside the log: consumers' tokens, and the mark that shows that writing works.

use sqlx::SqliteConnection;

use crate::FencingToken;

/// Gives out the next token for this consumer.
pub(super) async fn next_token(
    connection: &mut SqliteConnection,
    consumer: &str,
) -> Result<FencingToken, sqlx::Error> {
    let token = sqlx::query_scalar(
        "INSERT INTO consumers (name, token) VALUES (?1, 1)
         ON CONFLICT (name) DO UPDATE SET token = token + 1
         RETURNING token",
    )
    .bind(consumer)
    .fetch_one(connection)
    .await?;
    Ok(FencingToken::new(token))
}

/// Commits a change to one row, to see whether the disk takes it.
pub(super) async fn write_a_mark(
    connection: &mut SqliteConnection,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE log SET checked_at_ms = ?1").bind(now_ms).execute(connection).await?;
    Ok(())
}
