//! What came in.

/// A request that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRequest {
    pub method: String,
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    pub body: String,
    /// Which request it is, from 1.
    pub number: usize,
}
