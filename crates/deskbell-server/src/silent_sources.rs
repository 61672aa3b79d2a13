//! Which sources keep `/readyz?strict` from saying yes, since no events come from them.

use std::fmt;

use async_trait::async_trait;

/// Knows whose silence is alarmed.
#[async_trait]
pub trait SilentSources: fmt::Debug + Send + Sync + 'static {
    /// Each source whose silence is alarmed, with the beginning of the silence in milliseconds since the
    /// Unix epoch. None where it is not known.
    async fn silent(&self) -> Vec<(String, i64)>;
}

#[async_trait]
impl SilentSources for () {
    async fn silent(&self) -> Vec<(String, i64)> {
        Vec::new()
    }
}
