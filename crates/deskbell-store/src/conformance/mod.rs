//! What every backend must do, as tests: a topic a file, run against each backend in every run.
//!
//! A backend's test file implements [`Backend`] and calls [`conformance_tests!`](crate::conformance_tests).

pub mod append;
pub mod consumers;
pub mod duplicates;
pub mod read;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{NewEvent, Store};

/// A backend under test.
#[async_trait]
pub trait Backend: Send + Sync {
    /// A new, empty store that no other test sees.
    async fn create(&self) -> Arc<dyn Store>;

    /// Closes the store and opens it again, as a process that starts anew would.
    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store>;
}

/// An event of the source `clerk` with this message id.
#[must_use]
pub fn event(message_id: &str) -> NewEvent {
    event_from("clerk", message_id)
}

/// An event with this message id that came by this source.
#[must_use]
pub fn event_from(source: &str, message_id: &str) -> NewEvent {
    NewEvent {
        source: source.into(),
        message_id: message_id.to_owned(),
        event_type: "user.updated".to_owned(),
        subject: Some("user_1".to_owned()),
        occurred_at_ms: 1_654_012_591_835,
        instance_id: Some("ins_1".to_owned()),
        payload: format!(r#"{{"type":"user.updated","n":"{message_id}"}}"#).into(),
    }
}

/// `count` events with message ids of their own.
#[must_use]
pub fn events(prefix: &str, count: usize) -> Vec<NewEvent> {
    (0..count).map(|n| event(&format!("{prefix}_{n}"))).collect()
}

/// Makes one test of each requirement. The argument is an expression that makes the [`Backend`].
#[macro_export]
macro_rules! conformance_tests {
    ($backend:expr) => {
        $crate::conformance_tests!(@topic $backend, append:
            events_are_numbered_in_order, every_field_comes_back, payloads_are_kept_byte_for_byte,
            a_batch_larger_than_a_statement, an_empty_batch_is_nothing,
            a_store_keeps_its_log_and_its_id, a_closed_store_says_so, readers_are_woken);
        $crate::conformance_tests!(@topic $backend, duplicates:
            a_message_is_stored_once, a_message_twice_in_a_batch_is_stored_once,
            duplicates_do_not_consume_numbers, each_duplicate_leaves_a_replay_request,
            the_same_id_from_two_sources_is_two_events, duplicates_are_known_after_a_restart,
            concurrent_appends_store_each_message_once);
        $crate::conformance_tests!(@topic $backend, read:
            a_reader_gets_everything_in_order, the_limits_hold, a_large_event_is_read_alone,
            the_message_at_a_place, a_reader_beside_a_writer_sees_no_gap);
        $crate::conformance_tests!(@topic $backend, consumers:
            tokens_grow_also_over_a_restart, consumers_have_tokens_of_their_own,
            a_store_that_works_is_writable);
    };
    (@topic $backend:expr, $topic:ident: $($name:ident),+) => {
        mod $topic {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    $crate::conformance::$topic::$name(&$backend).await;
                }
            )+
        }
    };
}
