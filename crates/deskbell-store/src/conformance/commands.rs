//! Commands are executed in the order in which they were enqueued, each until it is completed.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use super::Backend;
use crate::{Command, CommandId, QueuedCommand};

pub async fn commands_are_taken_in_order(backend: &dyn Backend) {
    let store = backend.create().await;
    assert_eq!(store.next_command(None).await.unwrap(), None);
    let first = backend.enqueue_command(&*store, &Command("first".to_owned())).await;
    let second = backend.enqueue_command(&*store, &Command("second".to_owned())).await;
    assert!(first < second);
    let next = store.next_command(None).await.unwrap().unwrap();
    assert_eq!((next.id, &*next.command.0, next.outcome), (first, "first", None));
    assert_eq!(store.next_command(None).await.unwrap().unwrap().id, first, "until it is completed");
    store.complete_command(first, "done").await.unwrap();
    assert_eq!(store.next_command(None).await.unwrap().unwrap().id, second);
}

pub async fn a_completed_command_keeps_its_outcome(backend: &dyn Backend) {
    let store = backend.create().await;
    let command = Command("replay everything".to_owned());
    let id = backend.enqueue_command(&*store, &command).await;
    store.complete_command(id, "3 deliveries").await.unwrap();
    let store = backend.reopen(store).await;
    let outcome = Some("3 deliveries".to_owned());
    let completed = QueuedCommand { id, command, outcome, progress: None };
    assert_eq!(store.find_command(id).await.unwrap(), Some(completed));
    assert_eq!(store.find_command(CommandId(id.0 + 1)).await.unwrap(), None);
    assert_eq!(store.next_command(None).await.unwrap(), None);
}

pub async fn the_program_itself_enqueues_too(backend: &dyn Backend) {
    let store = backend.create().await;
    let beside = backend.enqueue_command(&*store, &Command("beside".to_owned())).await;
    let within = store.enqueue_command(&Command("within".to_owned())).await.unwrap();
    assert!(beside < within);
    store.complete_command(beside, "done").await.unwrap();
    let next = store.next_command(None).await.unwrap().unwrap();
    assert_eq!((next.id, &*next.command.0), (within, "within"));
}

pub async fn the_latest_progress_is_kept(backend: &dyn Backend) {
    let store = backend.create().await;
    let id = store.enqueue_command(&Command("replay everything".to_owned())).await.unwrap();
    let other = store.enqueue_command(&Command("replay nothing".to_owned())).await.unwrap();
    assert_eq!(store.find_command(id).await.unwrap().unwrap().progress, None);
    for progress in ["10 of 300", "200 of 300"] {
        store.report_progress(id, progress).await.unwrap();
        let next = store.next_command(None).await.unwrap().unwrap();
        assert_eq!((next.id, next.progress.as_deref()), (id, Some(progress)));
    }
    store.complete_command(id, "300").await.unwrap();
    let store = backend.reopen(store).await;
    let done = store.find_command(id).await.unwrap().unwrap();
    assert_eq!(
        (done.progress.as_deref(), done.outcome.as_deref()),
        (Some("200 of 300"), Some("300"))
    );
    assert_eq!(store.find_command(other).await.unwrap().unwrap().progress, None);
    store.report_progress(CommandId(other.0 + 1), "of none").await.unwrap();
}
