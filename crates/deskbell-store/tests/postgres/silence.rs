//! A connection that somebody in between has forgotten: bytes vanish, and nobody says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deskbell_store::conformance::event;
use deskbell_store::{PostgresOptions, PostgresStore, Store, StoreError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::place::Place;

/// Far above what giving up takes, far below what TCP itself takes.
const MOMENT: Duration = Duration::from_secs(120);

/// Passes everything on, until it is told to forget the connections that it has.
struct Forgetful {
    port: u16,
    forgets: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

impl Forgetful {
    async fn before(place: &Place) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let forgets = Arc::new(AtomicBool::new(false));
        let (host, server_port) = place.server().address();
        let server = (host.to_owned(), server_port);
        let told = Arc::clone(&forgets);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server.clone()).await.unwrap();
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                // Those that are made later are not the forgotten ones.
                let forgets = match told.load(Ordering::SeqCst) {
                    true => Arc::new(AtomicBool::new(false)),
                    false => Arc::clone(&told),
                };
                connections.spawn(pass(from_client, to_server, Arc::clone(&forgets)));
                connections.spawn(pass(from_server, to_client, forgets));
            }
        });
        Self { port, forgets, _tasks: tasks }
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    forgets: Arc<AtomicBool>,
) {
    let mut bytes = vec![0; 16 << 10];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if forgets.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_was_forgotten_is_given_up_and_another_one_made() {
    let place = Place::new().await;
    let between = Forgetful::before(&place).await;
    let (host, port) = place.server().address();
    let url =
        place.url().replace(&format!("{host}:{port}"), &format!("127.0.0.1:{}", between.port));
    assert_ne!(url, place.url());
    let store = PostgresStore::open(&PostgresOptions::new(url)).await.unwrap();
    store.append(&[event("before")]).await.unwrap();
    between.forgets.store(true, Ordering::SeqCst);
    // Each connection that the store has is found out about, and replaced by one that works.
    let until = Instant::now() + MOMENT;
    let mut well = 0;
    for number in 0.. {
        let appended = timeout(MOMENT, store.append(&[event(&number.to_string())])).await.unwrap();
        let head = timeout(MOMENT, store.head()).await.unwrap();
        well = if appended.is_ok() && head.is_ok() { well + 1 } else { 0 };
        for error in [appended.err(), head.err()].into_iter().flatten() {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        }
        if well == 20 {
            break;
        }
        assert!(Instant::now() < until, "it does not work again");
    }
    timeout(MOMENT, store.close()).await.unwrap();
}
