//! The Clerk instance that a source was found to belong to.

use crate::Seq;

/// The instance of a source whose config names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInstance {
    /// Its id, `ins_…`.
    pub instance_id: String,
    /// The event that settled it. Events up to there may be of any instance.
    pub since: Seq,
}
