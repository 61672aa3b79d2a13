//! What every backend must do, as tests: a topic a file, run against each backend in every run.
//!
//! A backend's test file implements [`Backend`] and calls [`conformance_tests!`](crate::conformance_tests).

pub mod append;
pub mod arrivals;
pub mod attempts;
pub mod audit;
pub mod claims;
pub mod commands;
pub mod consumers;
pub mod dead_letters;
pub mod destinations;
pub mod duplicates;
pub mod endpoints;
pub mod erasure;
pub mod heads;
pub mod ordering;
pub mod read;
pub mod refusals;
pub mod removal;
pub mod replay;
pub mod retention;
pub mod routing;
pub mod sessions;
pub mod settling;
pub mod subjects;
pub mod tokens;
pub mod work;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Command, CommandId, NewEvent, Origin, Store};

/// A backend under test.
#[async_trait]
pub trait Backend: Send + Sync {
    /// A new, empty store that no other test sees.
    async fn create(&self) -> Arc<dyn Store>;

    /// As [`create`](Self::create), one that indexes user references, so that they can be erased.
    async fn create_indexing_user_refs(&self) -> Arc<dyn Store>;

    /// Closes the store and opens it again, as a process that starts anew would.
    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store>;

    /// Advances the clock of its stores, which does not move otherwise.
    fn advance(&self, by: Duration);

    /// Enqueues a command as `deskbell` beside the running program does.
    async fn enqueue_command(&self, store: &dyn Store, command: &Command) -> CommandId;
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
        origin: Origin::Webhook,
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
            events_are_numbered_in_order, every_field_comes_back, where_an_event_comes_from_is_kept,
            payloads_are_kept_byte_for_byte,
            ids_of_the_greatest_length_find_room, a_batch_larger_than_a_statement, an_empty_batch_is_nothing,
            a_store_keeps_its_log_and_its_id, a_closed_store_says_so, readers_are_woken);
        $crate::conformance_tests!(@topic $backend, duplicates:
            a_message_is_stored_once, a_message_twice_in_a_batch_is_stored_once,
            duplicates_do_not_consume_numbers, each_duplicate_leaves_a_replay_request,
            the_same_id_from_two_sources_is_two_events, duplicates_are_known_after_a_restart,
            concurrent_appends_store_each_message_once);
        $crate::conformance_tests!(@topic $backend, read:
            a_reader_gets_everything_in_order, the_limits_hold, a_large_event_is_read_alone,
            the_message_at_a_place, an_event_is_found_by_its_message,
            a_reader_beside_a_writer_sees_no_gap);
        $crate::conformance_tests!(@topic $backend, consumers:
            tokens_grow_also_over_a_restart, consumers_have_tokens_of_their_own,
            a_lease_is_renewed, a_store_that_works_is_writable,
            what_a_consumer_says_of_itself_is_read_back,
            the_first_instance_of_a_source_is_kept);
        $crate::conformance_tests!(@topic $backend, destinations:
            a_new_one_starts_where_it_is_told, a_known_one_keeps_its_state, health_comes_back,
            health_is_changed_where_it_is_still_known, dead_letters_are_added_up,
            backlogs_are_counted, what_is_pending_is_counted_so_far, an_unknown_one_has_no_work);
        $crate::conformance_tests!(@topic $backend, routing:
            what_is_routed_can_be_claimed, a_checkpoint_elsewhere_stops_the_batch,
            an_older_router_is_told_off, a_batch_routed_twice_changes_nothing,
            destinations_at_one_place_share_a_batch, unwanted_events_say_why,
            who_waits_is_woken, what_is_enqueued_is_added_once, what_is_absent);
        $crate::conformance_tests!(@topic $backend, claims:
            nobody_else_gets_what_is_claimed, a_lease_that_ends_lets_others_in,
            nothing_is_claimed_for_a_destination_that_is_paused, the_limits_of_a_claim, the_longest_due_comes_first, the_next_due_time,
            what_is_released_is_due_again, the_next_one_is_scheduled_now_where_none_is_due,
            destinations_have_claims_of_their_own,
            a_restart_gives_everything_back, nothing_is_handed_out_twice);
        $crate::conformance_tests!(@topic $backend, settling:
            delivered_is_done, a_retry_waits_its_time, a_late_settlement_is_left_alone,
            a_late_settlement_counts_where_nobody_asked, a_claim_is_settled_once,
            attempts_are_kept, long_replies_are_cut, given_back_without_an_attempt,
            a_large_batch_of_every_kind);
        $crate::conformance_tests!(@topic $backend, ordering:
            one_of_a_subject_at_a_time, a_retry_holds_up_its_subject,
            a_dead_letter_lets_the_next_go, events_without_a_subject_go_in_any_order,
            the_order_can_be_changed, an_earlier_one_that_comes_back_goes_first,
            a_revived_one_waits_for_what_is_under_way);
        $crate::conformance_tests!(@topic $backend, replay:
            a_dead_letter_comes_back_with_a_new_schedule, what_was_delivered_can_be_sent_again,
            what_is_pending_is_due_at_once, a_message_sent_again_revives_its_dead_letters,
            only_the_newest_router_acts, requests_are_acted_on_once_and_in_pieces,
            the_first_event_since_a_time);
        $crate::conformance_tests!(@topic $backend, dead_letters:
            they_are_listed_with_their_event, they_are_listed_in_pages,
            they_are_listed_by_destination_and_time);
        $crate::conformance_tests!(@topic $backend, refusals:
            refused_requests_are_added_up, many_add_at_once);
        $crate::conformance_tests!(@topic $backend, arrivals:
            the_newest_of_each_source, a_page_goes_on_where_the_last_one_ended);
        $crate::conformance_tests!(@topic $backend, tokens:
            a_token_is_found_until_it_is_revoked, a_name_is_taken_once);
        $crate::conformance_tests!(@topic $backend, sessions:
            a_session_is_found_until_it_is_ended, a_session_that_is_not_used_ends,
            a_session_ends_however_much_it_is_used, use_within_a_minute_is_not_written,
            sessions_end_with_their_token, a_code_is_used_once_by_one_of_many,
            a_code_that_is_too_old_is_refused);
        $crate::conformance_tests!(@topic $backend, audit:
            the_newest_entry_comes_first, pages_have_each_entry_once);
        $crate::conformance_tests!(@topic $backend, endpoints:
            endpoints_are_listed_by_id, who_knows_the_last_version_changes_it,
            of_many_who_change_one_a_single_one_does, the_revision_grows_with_each_change);
        $crate::conformance_tests!(@topic $backend, heads:
            every_field_comes_back_but_the_payload, pages_have_each_event_once,
            sources_and_types_are_filtered, what_was_pruned_has_no_payload,
            chosen_events_are_found, duplicates_are_counted_also_when_they_are_gone);
        $crate::conformance_tests!(@topic $backend, attempts:
            the_newest_come_first_with_their_event, one_attempt_is_found,
            pages_have_each_attempt_once, attempts_are_counted_over_time, counting_has_an_end,
            events_are_found_by_state, deliveries_are_counted_by_state);
        $crate::conformance_tests!(@topic $backend, removal:
            it_goes_with_all_that_belongs_to_it, one_of_its_name_begins_anew,
            what_is_claimed_is_lost_with_it);
        $crate::conformance_tests!(@topic $backend, commands:
            commands_are_taken_in_order, a_completed_command_keeps_its_outcome,
            the_program_itself_enqueues_too, the_latest_progress_is_kept);
        $crate::conformance_tests!(@topic $backend, subjects:
            the_newest_come_first, what_is_not_indexed_yet_is_found, pages_go_on_before_a_place,
            the_bytes_of_a_page_are_limited, events_about_nothing_are_passed_over,
            a_log_from_before_the_index_is_searched_in_stretches,
            an_event_that_is_pruned_is_not_found, the_index_survives_a_restart,
            many_index_at_once_and_each_event_once);
        $crate::conformance_tests!(@topic $backend, retention:
            an_old_payload_goes_and_its_event_stays,
            an_old_event_goes_with_all_that_belongs_to_it, an_open_delivery_is_not_passed,
            a_checkpoint_is_not_passed, a_reader_outside_is_not_passed,
            what_is_pending_for_a_former_destination_is_dead_lettered,
            an_emptied_payload_is_not_pending_again, old_attempts_go_and_deliveries_stay,
            old_commands_go_when_they_are_executed,
            one_time_codes_go_a_day_after_they_are_settled,
            one_time_codes_that_nobody_wanted_go_after_a_day, a_batch_has_an_end);
        $crate::conformance_tests!(@topic $backend, erasure:
            only_what_the_sender_has_erases,
            what_other_sources_and_instances_sent_stays,
            a_delete_without_an_instance_is_one_of_the_source,
            what_is_stored_about_a_deleted_user_is_erased, others_stay,
            an_open_delivery_is_waited_for, readers_are_waited_for, what_comes_late_is_erased_too,
            much_is_erased_in_pieces, without_the_index_nobody_is_erased);
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
