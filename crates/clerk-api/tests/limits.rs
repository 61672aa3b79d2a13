//! The rate limit: never exceeded in any window, and every clone waits when Clerk says so.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use clerk_api::{Client, RateShare, RequestError, SecretKey, lists};
use deskbell_sim::backend_api::{BackendApi, BackendApiOptions, Fault};
use tokio::task::JoinSet;

use super::support::{KEY, client, filled, ids, options, serve};

#[tokio::test]
async fn two_clients_with_one_share_never_exceed_it_in_any_window() {
    let window = Duration::from_millis(200);
    let directory = filled("organizations", 36);
    let limits = BackendApiOptions { requests_max: 20, window, ..BackendApiOptions::default() };
    let api = BackendApi::start(limits, directory, |request| {
        Fault::Slow(Duration::from_millis(request.number as u64 * 7 % 30))
    });
    let api = api.await.unwrap();
    let share = RateShare::new(20, window);
    let clients = [(); 2].map(|()| {
        let key = SecretKey::parse(KEY).unwrap();
        Client::new(key, share.clone(), options(&api.url())).unwrap()
    });
    let mut walks = JoinSet::new();
    for number in 0..6 {
        let client = clients[number % 2].clone();
        walks.spawn(async move {
            ids(&mut client.pages(lists::ORGANIZATIONS.walk().page_size(4))).await.len()
        });
    }
    assert_eq!(walks.join_all().await, [36; 6]);
    assert!(api.requests() >= 100, "{}", api.requests());
    assert_eq!(api.rate_limited(), 0);
    assert!(api.in_window_max() <= 20, "{}", api.in_window_max());
}

#[tokio::test]
async fn after_429_every_clone_waits_as_long_as_clerk_says() {
    let directory = filled("users", 3);
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&times);
    let api = serve(&directory, move |request| {
        noted.lock().unwrap().push(Instant::now());
        match request.number {
            1 => Fault::RateLimited(Duration::from_secs(1)),
            _ => Fault::None,
        }
    });
    let api = api.await;
    // One request at a time, so that the second waits while the first is answered with 429.
    let share = RateShare::new(1, Duration::from_millis(1));
    let clients = [(); 2].map(|()| {
        Client::new(SecretKey::parse(KEY).unwrap(), share.clone(), options(&api.url())).unwrap()
    });
    let (one, other) = (lists::USERS.walk(), lists::USERS.walk());
    let (one, other) = tokio::join!(clients[0].count(&one), clients[1].count(&other));
    assert_eq!((one.unwrap(), other.unwrap()), (3, 3));
    let times = times.lock().unwrap();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= Duration::from_secs(1), "{:?}", times[1] - times[0]);
}

#[tokio::test]
async fn a_request_counts_until_a_window_after_its_answer() {
    let [window, slow] = [200, 150].map(Duration::from_millis);
    let times = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&times);
    let directory = filled("users", 3);
    let api = serve(&directory, move |_| {
        noted.lock().unwrap().push(Instant::now());
        Fault::Slow(slow)
    });
    let api = api.await;
    let key = SecretKey::parse(KEY).unwrap();
    let client = Client::new(key, RateShare::new(1, window), options(&api.url())).unwrap();
    let walk = lists::USERS.walk();
    let (one, other) = tokio::join!(client.count(&walk), client.count(&walk));
    assert_eq!((one.unwrap(), other.unwrap()), (3, 3));
    let times = times.lock().unwrap();
    // A request may reach the server as late as just before its answer.
    assert!(times[1] - times[0] >= window + slow, "{:?}", times[1] - times[0]);
}

#[tokio::test]
async fn a_client_that_is_always_limited_gives_up() {
    let directory = filled("users", 3);
    for (wait, requests) in [(Duration::ZERO, 11), (Duration::from_secs(3_600), 1)] {
        let api = serve(&directory, move |_| Fault::RateLimited(wait)).await;
        let error = client(&api.url()).count(&lists::USERS.walk()).await.unwrap_err();
        assert!(error.is_transient());
        assert_eq!(
            error.to_string(),
            format!("the rate limit of Clerk is exceeded; retry after {} s", wait.as_secs())
        );
        assert_eq!(api.requests(), requests);
    }
}

#[tokio::test]
async fn a_server_that_counts_answers_429_beyond_its_limit() {
    let directory = filled("users", 3);
    let window = Duration::from_secs(1);
    let limits = BackendApiOptions { requests_max: 2, window, ..BackendApiOptions::default() };
    let api = BackendApi::start(limits, directory, |_| Fault::None).await.unwrap();
    let client = client(&api.url());
    for _ in 0..3 {
        assert_eq!(client.count(&lists::USERS.walk()).await.unwrap(), 3);
    }
    assert_eq!((api.requests(), api.rate_limited()), (4, 1));
    let error = RequestError::RateLimited { retry_after: None };
    assert_eq!(error.to_string(), "the rate limit of Clerk is exceeded");
}
