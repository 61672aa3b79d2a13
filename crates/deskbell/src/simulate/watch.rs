//! What observes a simulation while it runs.

use deskbell_devtools::Hint;
use deskbell_sim::{Failures, Progress};

pub(crate) trait Watch {
    fn progress(&self, progress: &Progress);
    /// Attempts have failed, and none was acked so far: called once, with what that means.
    fn no_ack_yet(&self, failures: &Failures, hint: Option<&Hint>);
    /// The mirror was looked at, and so many entities differ.
    fn drift(&self, entities: usize);
}
