//! The clock, for the extractors: they are the edge.

use std::time::SystemTime;

pub(crate) fn now() -> SystemTime {
    #[expect(
        clippy::disallowed_methods,
        reason = "an extractor is called by the framework, which passes no time"
    )]
    SystemTime::now()
}
