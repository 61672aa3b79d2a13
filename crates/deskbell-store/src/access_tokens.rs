//! Tokens that open admin routes, as a store keeps them.

use async_trait::async_trait;

use crate::StoreError;
use crate::access_token::{TokenHash, TokenRole};

/// A token to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// By what people know it.
    pub name: String,
    pub role: TokenRole,
    pub hash: TokenHash,
}

/// A token in the store, less its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    pub name: String,
    pub role: TokenRole,
    /// In milliseconds since the Unix epoch.
    pub created_at_ms: i64,
}

/// The store's tokens.
#[async_trait]
pub trait AccessTokens: Send + Sync + 'static {
    /// Stores a token; `false`, and nothing is stored, if there is one of this name.
    ///
    /// # Errors
    /// Nothing was stored.
    async fn create_token(&self, token: &NewToken) -> Result<bool, StoreError>;

    /// All tokens, by name.
    ///
    /// # Errors
    /// The store could not be read.
    async fn tokens(&self) -> Result<Vec<StoredToken>, StoreError>;

    /// Deletes the token of this name; `false` if there is none. It opens nothing from then on.
    ///
    /// # Errors
    /// It was perhaps not deleted.
    async fn revoke_token(&self, name: &str) -> Result<bool, StoreError>;

    /// The token with this hash.
    ///
    /// # Errors
    /// The store could not be read.
    async fn find_token(&self, hash: &TokenHash) -> Result<Option<StoredToken>, StoreError>;
}
