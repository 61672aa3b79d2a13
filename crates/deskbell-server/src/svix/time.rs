//! Times of requests and replies.

use std::time::Duration;

use deskbell_admin::Timestamp;
use deskbell_store::clock;

pub(super) fn now() -> Timestamp {
    Timestamp(clock::now_ms())
}

pub(super) fn earlier(moment: Timestamp, by: Duration) -> Timestamp {
    Timestamp(moment.0.saturating_sub(clock::whole_ms(by)))
}
