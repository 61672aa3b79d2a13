//! How rows are counted, by whoever can read the database.

use futures_util::future::BoxFuture;

/// The number of rows of a user, by the user's id, or why they cannot be counted.
pub type CountRows<'a> = dyn Fn(String) -> BoxFuture<'a, Result<u64, String>> + Send + Sync + 'a;
