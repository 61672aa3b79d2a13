//! The sessions of browsers, and one-time codes.

use std::time::Duration;

use async_trait::async_trait;

use super::PostgresStore;
use super::append::text;
use crate::access_token::TokenHash;
use crate::browser_sessions::{
    BrowserSession, BrowserSessions, NewBrowserSession, USED_EVERY_MS, addable_ms,
};
use crate::{StoreError, rows};

const CREATE: &str = "WITH clock AS MATERIALIZED (
         SELECT coalesce($1::bigint, deskbell.now_ms()) AS now_ms
     ), ended AS (
         DELETE FROM deskbell.browser_sessions USING clock
         WHERE expires_at_ms <= now_ms OR used_at_ms + idle_max_ms <= now_ms
     )
     INSERT INTO deskbell.browser_sessions
         (hash, token_name, role, used_at_ms, idle_max_ms, expires_at_ms)
     SELECT $2, $3, $4, now_ms, $5, now_ms + $6 FROM clock
     RETURNING expires_at_ms";

/// Both parts see the session as it was when the statement began.
const FIND: &str = "WITH clock AS MATERIALIZED (
         SELECT coalesce($1::bigint, deskbell.now_ms()) AS now_ms
     ), used AS (
         UPDATE deskbell.browser_sessions SET used_at_ms = now_ms FROM clock
         WHERE hash = $2 AND expires_at_ms > now_ms AND used_at_ms + idle_max_ms > now_ms
             AND used_at_ms + $3 <= now_ms
     )
     SELECT token_name, role, expires_at_ms FROM deskbell.browser_sessions, clock
     WHERE hash = $2 AND expires_at_ms > now_ms AND used_at_ms + idle_max_ms > now_ms";

const CREATE_CODE: &str = "WITH clock AS MATERIALIZED (
         SELECT coalesce($1::bigint, deskbell.now_ms()) AS now_ms
     ), ended AS (
         DELETE FROM deskbell.sign_in_codes USING clock WHERE expires_at_ms <= now_ms
     )
     INSERT INTO deskbell.sign_in_codes (hash, expires_at_ms) SELECT $2, now_ms + $3 FROM clock";

/// Of two that delete one row, the second waits for the first, and finds none.
const REDEEM_CODE: &str = "DELETE FROM deskbell.sign_in_codes
     WHERE hash = $1 AND expires_at_ms > coalesce($2::bigint, deskbell.now_ms())";

#[async_trait]
impl BrowserSessions for PostgresStore {
    async fn create_session(&self, session: &NewBrowserSession) -> Result<i64, StoreError> {
        let create = sqlx::query_scalar(CREATE)
            .bind(self.clock.manual_ms())
            .bind(session.hash.as_bytes())
            .bind(text(&session.token_name))
            .bind(session.role.as_str())
            .bind(session.idle_max_ms())
            .bind(session.lifetime_ms());
        Ok(create.fetch_one(&*self.pools).await?)
    }

    async fn find_session(&self, hash: &TokenHash) -> Result<Option<BrowserSession>, StoreError> {
        let find = sqlx::query(FIND)
            .bind(self.clock.manual_ms())
            .bind(hash.as_bytes())
            .bind(USED_EVERY_MS);
        let row = find.fetch_optional(&*self.pools).await?;
        Ok(row.as_ref().map(rows::browser_session).transpose()?)
    }

    async fn end_session(&self, hash: &TokenHash) -> Result<(), StoreError> {
        let end = "DELETE FROM deskbell.browser_sessions WHERE hash = $1";
        sqlx::query(end).bind(hash.as_bytes()).execute(&*self.pools).await?;
        Ok(())
    }

    async fn end_sessions_of(&self, token_name: &str) -> Result<(), StoreError> {
        let end = "DELETE FROM deskbell.browser_sessions WHERE token_name = $1";
        sqlx::query(end).bind(text(token_name)).execute(&*self.pools).await?;
        Ok(())
    }

    async fn create_sign_in_code(
        &self,
        hash: &TokenHash,
        lifetime: Duration,
    ) -> Result<(), StoreError> {
        sqlx::query(CREATE_CODE)
            .bind(self.clock.manual_ms())
            .bind(hash.as_bytes())
            .bind(addable_ms(lifetime))
            .execute(&*self.pools)
            .await?;
        Ok(())
    }

    async fn redeem_sign_in_code(&self, hash: &TokenHash) -> Result<bool, StoreError> {
        let redeem = sqlx::query(REDEEM_CODE).bind(hash.as_bytes()).bind(self.clock.manual_ms());
        Ok(redeem.execute(&*self.pools).await?.rows_affected() == 1)
    }
}
