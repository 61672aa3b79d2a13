//! Tokens that open admin routes.

use async_trait::async_trait;

use super::SqliteStore;
use crate::access_token::TokenHash;
use crate::access_tokens::{AccessTokens, NewToken, StoredToken};
use crate::{StoreError, rows};

#[async_trait]
impl AccessTokens for SqliteStore {
    async fn create_token(&self, token: &NewToken) -> Result<bool, StoreError> {
        let created = sqlx::query(
            "INSERT INTO access_tokens (name, role, hash, created_at_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(&token.name)
        .bind(token.role.as_str())
        .bind(token.hash.as_bytes())
        .bind(self.clock.now_ms())
        .execute(&mut *self.connection().await?)
        .await?;
        Ok(created.rows_affected() == 1)
    }

    async fn tokens(&self) -> Result<Vec<StoredToken>, StoreError> {
        let all = "SELECT name, role, created_at_ms FROM access_tokens ORDER BY name";
        let rows = sqlx::query(all).fetch_all(&self.readers).await?;
        rows::each(&rows, rows::stored_token)
    }

    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError> {
        let revoked = sqlx::query("DELETE FROM access_tokens WHERE name = ?1")
            .bind(name)
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(revoked.rows_affected() == 1)
    }

    async fn find_token(&self, hash: &TokenHash) -> Result<Option<StoredToken>, StoreError> {
        let find = "SELECT name, role, created_at_ms FROM access_tokens WHERE hash = ?1";
        let row = sqlx::query(find).bind(hash.as_bytes()).fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(rows::stored_token).transpose()?)
    }
}
