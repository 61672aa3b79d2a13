//! The sessions of browsers, and one-time codes.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::Connection;

use super::SqliteStore;
use crate::access_token::TokenHash;
use crate::browser_sessions::{
    BrowserSession, BrowserSessions, NewBrowserSession, USED_EVERY_MS, addable_ms,
};
use crate::{StoreError, rows};

const ENDED: &str = "DELETE FROM browser_sessions
     WHERE expires_at_ms <= ?1 OR used_at_ms + idle_max_ms <= ?1";

const CREATE: &str = "INSERT INTO browser_sessions
         (hash, token_name, role, used_at_ms, idle_max_ms, expires_at_ms)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

const FIND: &str = "SELECT token_name, role, expires_at_ms, used_at_ms FROM browser_sessions
     WHERE hash = ?1 AND expires_at_ms > ?2 AND used_at_ms + idle_max_ms > ?2";

#[async_trait]
impl BrowserSessions for SqliteStore {
    async fn create_session(&self, session: &NewBrowserSession) -> Result<i64, StoreError> {
        let mut connection = self.connection().await?;
        let now_ms = self.clock.now_ms();
        let expires_at_ms = now_ms + session.lifetime_ms();
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(ENDED).bind(now_ms).execute(&mut *transaction).await?;
        sqlx::query(CREATE)
            .bind(session.hash.as_bytes())
            .bind(&session.token_name)
            .bind(session.role.as_str())
            .bind(now_ms)
            .bind(session.idle_max_ms())
            .bind(expires_at_ms)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(expires_at_ms)
    }

    async fn find_session(&self, hash: &TokenHash) -> Result<Option<BrowserSession>, StoreError> {
        let now_ms = self.clock.now_ms();
        let find = sqlx::query(FIND).bind(hash.as_bytes()).bind(now_ms);
        let Some(row) = find.fetch_optional(&self.readers).await? else { return Ok(None) };
        let used_at_ms: i64 = sqlx::Row::try_get(&row, 3)?;
        if now_ms - used_at_ms >= USED_EVERY_MS {
            sqlx::query("UPDATE browser_sessions SET used_at_ms = ?2 WHERE hash = ?1")
                .bind(hash.as_bytes())
                .bind(now_ms)
                .execute(&mut *self.connection().await?)
                .await?;
        }
        Ok(Some(rows::browser_session(&row)?))
    }

    async fn end_session(&self, hash: &TokenHash) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM browser_sessions WHERE hash = ?1")
            .bind(hash.as_bytes())
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(())
    }

    async fn end_sessions_of(&self, token_name: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM browser_sessions WHERE token_name = ?1")
            .bind(token_name)
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(())
    }

    async fn create_sign_in_code(
        &self,
        hash: &TokenHash,
        lifetime: Duration,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        let now_ms = self.clock.now_ms();
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("DELETE FROM sign_in_codes WHERE expires_at_ms <= ?1")
            .bind(now_ms)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO sign_in_codes (hash, expires_at_ms) VALUES (?1, ?2)")
            .bind(hash.as_bytes())
            .bind(now_ms + addable_ms(lifetime))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn redeem_sign_in_code(&self, hash: &TokenHash) -> Result<bool, StoreError> {
        let redeemed =
            sqlx::query("DELETE FROM sign_in_codes WHERE hash = ?1 AND expires_at_ms > ?2")
                .bind(hash.as_bytes())
                .bind(self.clock.now_ms())
                .execute(&mut *self.connection().await?)
                .await?;
        Ok(redeemed.rows_affected() == 1)
    }
}
