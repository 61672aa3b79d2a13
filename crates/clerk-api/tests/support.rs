//! What the tests share: clients and simulated instances.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use clerk_api::sender::SenderSession;
use clerk_api::{Client, ClientOptions, Pages, RateShare, SecretKey};
use deskbell_sim::backend_api::{
    ApiRequest, BackendApi, BackendApiOptions, Fault, SharedDirectory, sample,
};
use deskbell_sim::sender_api::{SenderApi, SenderApiOptions};

pub(crate) const KEY: &str = "sk_test_SimulatedByDeskbell";
/// 2026-01-01T00:00:00Z, in Unix milliseconds.
pub(crate) const START_MS: i64 = 1_767_225_600_000;

/// Options for tests: the same limits, but short delays.
pub(crate) fn options(url: &str) -> ClientOptions {
    ClientOptions {
        base_url: url.parse().unwrap(),
        retry_delay_min: Duration::from_millis(1),
        retry_delay_max: Duration::from_millis(4),
        ..ClientOptions::default()
    }
}

/// A share that no test uses up.
pub(crate) fn wide_share() -> RateShare {
    RateShare::new(100_000, Duration::from_secs(1))
}

pub(crate) fn client(url: &str) -> Client {
    client_with(options(url))
}

/// A client of an instance whose sender this is.
pub(crate) fn client_of(api: &SenderApi) -> Client {
    client_with(ClientOptions {
        sender_url: Some(api.sender_url().parse().unwrap()),
        ..options(&api.clerk_url())
    })
}

pub(crate) fn client_with(options: ClientOptions) -> Client {
    Client::new(SecretKey::parse(KEY).unwrap(), wide_share(), options).unwrap()
}

/// The sender of an instance, and a session with it.
pub(crate) async fn session_with(options: SenderApiOptions) -> (SenderApi, SenderSession) {
    let api = SenderApi::start(options, |_| Fault::None).await.unwrap();
    let session = client_of(&api).sender_session().await.unwrap();
    (api, session)
}

/// Everything that an error shows, with what it was caused by.
pub(crate) fn shown(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(|error| format!("{error} {error:?} ")).collect()
}

/// The messages of an error and of what it was caused by.
pub(crate) fn messages(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// An instance without a rate limit.
pub(crate) async fn serve(
    directory: &SharedDirectory,
    plan: impl Fn(&ApiRequest) -> Fault + Send + Sync + 'static,
) -> BackendApi {
    let options = BackendApiOptions { requests_max: 100_000, ..BackendApiOptions::default() };
    BackendApi::start(options, directory.clone(), plan).await.unwrap()
}

/// A list of so many objects, three of them in each millisecond.
pub(crate) fn filled(list: &'static str, objects: usize) -> SharedDirectory {
    let directory = SharedDirectory::default();
    let mut state = directory.lock();
    for number in 0..objects {
        state.insert(list, &sample(list, number, created_at(number)));
    }
    drop(state);
    directory
}

pub(crate) fn created_at(number: usize) -> i64 {
    START_MS + i64::try_from(number / 3).unwrap()
}

/// The ids of all pages, in order.
pub(crate) async fn ids(pages: &mut Pages) -> Vec<String> {
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        ids.extend(page.items.into_iter().map(|item| item.id));
    }
    ids
}

/// Fails if one of the expected ids is missing.
pub(crate) fn assert_all(expected: &[String], found: &[String], what: &str) {
    let found: BTreeSet<&String> = found.iter().collect();
    let missing: Vec<_> = expected.iter().filter(|id| !found.contains(id)).collect();
    assert!(missing.is_empty(), "{what}: {} missing, as {:?}", missing.len(), missing[0]);
}
