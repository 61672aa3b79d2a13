//! What a consumer of the log says of itself, for other processes to read.

/// What a consumer last said of itself. The store does not read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerReport {
    /// In the consumer's own words.
    pub body: String,
    /// When, by the store's clock, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}
