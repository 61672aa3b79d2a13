use clerk_webhooks::Secret;
use deskbell_admin::EventQuery;
use deskbell_store::deliveries::{Ordering, Registration, StartFrom};
use deskbell_store::{CommandId, SqliteStore};
use tempfile::TempDir;

use super::*;
use crate::config::{
    DestinationConfig, DestinationKind, EndpointSecret, EndpointSecrets, HttpConfig,
    SignatureVersion,
};
use crate::delivering;

const EVENTS: usize = 1_200;

struct Fixture {
    _directory: TempDir,
    runner: CommandRunner,
}

impl Fixture {
    /// A log of [`EVENTS`] users, and a destination `crm` that has got none of them.
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deskbell.db");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).await.unwrap());
        let events: Vec<_> = (0..EVENTS)
            .map(|number| testkit::event(&format!("msg_{number}"), "user.created").new_event())
            .collect();
        store.append(&events).await.unwrap();
        let secret = Secret::from_bytes([7; 32]).unwrap();
        let secret = EndpointSecret { secret, version: SignatureVersion::V1, until: None };
        let url = "https://example.com/hooks".parse().unwrap();
        let http = HttpConfig::new(url, EndpointSecrets(vec![secret]));
        let crm = DestinationConfig::new("crm", DestinationKind::Http(http));
        let config = Config { destinations: vec![crm], ..Config::default() };
        let registration =
            Registration { name: "crm".to_owned(), from: StartFrom::Now, ordering: Ordering::None };
        store.register(&registration).await.unwrap();
        let routes = delivering::routes(&config).unwrap();
        let replayer = Replayer::new(store.clone(), routes, config.source_names());
        let runner = CommandRunner::new(Arc::new(config), store, replayer, Vec::new());
        Self { _directory: directory, runner }
    }

    async fn enqueue(&self, request: Request) -> CommandId {
        self.runner.store.enqueue_command(&request.into_command()).await.unwrap()
    }

    async fn enqueue_replay(&self) -> CommandId {
        let replay = MatchingReplay {
            query: EventQuery::default(),
            destination: None,
            limit: None,
            up_to: self.runner.store.head().await.unwrap().get(),
        };
        self.enqueue(Request::ReplayMatching(Box::new(replay))).await
    }

    async fn found(&self, id: CommandId) -> QueuedCommand {
        self.runner.store.find_command(id).await.unwrap().unwrap()
    }

    async fn answer(&self, id: CommandId) -> Option<Answer> {
        self.found(id).await.outcome.as_deref().map(Answer::read)
    }

    async fn pending(&self) -> u64 {
        let backlogs = self.runner.store.backlogs().await.unwrap();
        backlogs.iter().map(|backlog| backlog.pending).sum()
    }
}

#[tokio::test]
async fn a_long_replay_delays_no_other_command() {
    let fixture = Fixture::new().await;
    let replay = fixture.enqueue_replay().await;
    let revoke = fixture.enqueue(Request::RevokeToken { name: "ada".to_owned() }).await;
    let queued = fixture.found(replay).await;
    assert!(matches!(fixture.runner.step(&queued).await, Ok(Step::More)), "a page is a step");
    assert!(fixture.pending().await < EVENTS as u64);
    fixture.runner.execute_all().await.unwrap();
    assert!(matches!(fixture.answer(revoke).await, Some(Answer::Refused(_))));
    let all = Answer::Replayed { deliveries: EVENTS as u64 };
    assert_eq!(fixture.answer(replay).await, Some(all));
}

#[tokio::test]
async fn a_replay_that_was_done_is_not_made_again_after_a_crash() {
    let fixture = Fixture::new().await;
    let id = fixture.enqueue_replay().await;
    while !matches!(fixture.runner.step(&fixture.found(id).await).await, Ok(Step::Done(_))) {}
    assert_eq!(fixture.pending().await, EVENTS as u64);
    // As if the process had been killed before it stored the answer, and all were delivered since.
    while fixture.runner.store.remove_destination("crm", 1_000).await.unwrap() {}
    fixture.runner.execute_all().await.unwrap();
    let all = Answer::Replayed { deliveries: EVENTS as u64 };
    assert_eq!(fixture.answer(id).await, Some(all));
    assert_eq!(fixture.pending().await, 0);
}

#[tokio::test]
async fn a_destination_is_removed_once_this_process_no_longer_has_it() {
    let mut fixture = Fixture::new().await;
    let remove = Request::RemoveDestination { destination: "crm".to_owned() };
    let id = fixture.enqueue(remove).await;
    fixture.runner.execute_all().await.unwrap();
    assert_eq!(fixture.answer(id).await, None, "its config still has it");
    fixture.runner.config = Arc::new(Config { destinations: Vec::new(), ..Config::default() });
    fixture.runner.execute_all().await.unwrap();
    assert_eq!(fixture.answer(id).await, Some(Answer::Removed));
}
