//! Tokens that open admin routes.

use async_trait::async_trait;

use super::PostgresStore;
use super::append::text;
use crate::access_token::TokenHash;
use crate::access_tokens::{AccessTokens, NewToken, StoredToken};
use crate::{StoreError, rows};

#[async_trait]
impl AccessTokens for PostgresStore {
    async fn create_token(&self, token: &NewToken) -> Result<bool, StoreError> {
        let created = sqlx::query(
            "INSERT INTO deskbell.access_tokens (name, role, hash, created_at_ms)
             VALUES ($1, $2, $3, coalesce($4::bigint, deskbell.now_ms()))
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(text(&token.name))
        .bind(token.role.as_str())
        .bind(token.hash.as_bytes())
        .bind(self.clock.manual_ms())
        .execute(&*self.pools)
        .await?;
        Ok(created.rows_affected() == 1)
    }

    async fn tokens(&self) -> Result<Vec<StoredToken>, StoreError> {
        let all = "SELECT name, role, created_at_ms FROM deskbell.access_tokens ORDER BY name";
        let rows = sqlx::query(all).fetch_all(&*self.pools).await?;
        rows::each(&rows, rows::stored_token)
    }

    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError> {
        let revoked = sqlx::query("DELETE FROM deskbell.access_tokens WHERE name = $1")
            .bind(text(name))
            .execute(&*self.pools)
            .await?;
        Ok(revoked.rows_affected() == 1)
    }

    async fn find_token(&self, hash: &TokenHash) -> Result<Option<StoredToken>, StoreError> {
        let find = "SELECT name, role, created_at_ms FROM deskbell.access_tokens WHERE hash = $1";
        let row = sqlx::query(find).bind(hash.as_bytes()).fetch_optional(&*self.pools).await?;
        Ok(row.as_ref().map(rows::stored_token).transpose()?)
    }
}
