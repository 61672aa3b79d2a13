//! The relay that the driver connects to a server through, where TLS is spoken.

use std::future::Future;
use std::time::Duration;

use deskbell_store::conformance::event;
use deskbell_store::{EventLog, PostgresConnector, PostgresOptions, PostgresStore, Seq, Store};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use testkit::PostgresDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::tls::{Encrypted, SSL_REQUEST, chain};

/// Far above what is waited for, far below what would hang a test run.
const MOMENT: Duration = Duration::from_secs(30);
/// Linux acknowledges after 40 ms at the earliest where it waits for more to send along.
const DELAYED: Duration = Duration::from_millis(20);
/// Before the first ones, a new connection is acknowledged at once.
const BATCHES: usize = 40;
const BATCHES_UNTIL_DELAYED: usize = 20;

/// The fastest of the batches that the delay could have hit: a slow machine only adds to it.
async fn fastest_batch(connection: &mut PgConnection) -> Duration {
    sqlx::query("CREATE TEMP TABLE batches (row text)").execute(&mut *connection).await.unwrap();
    let rows = vec!["x".repeat(2_000); 30];
    let mut times = Vec::new();
    for _ in 0..BATCHES {
        let started = Instant::now();
        let insert = sqlx::query("INSERT INTO batches SELECT unnest($1::text[])").bind(&rows);
        insert.execute(&mut *connection).await.unwrap();
        times.push(started.elapsed());
    }
    times.split_off(BATCHES_UNTIL_DELAYED).into_iter().min().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_over_tls_waits_for_no_acknowledgement() {
    let database = PostgresDatabase::new().await;
    let server = Encrypted::before(&database, "localhost").await;
    let url = server.url(&database, "sslmode=require");
    let mut connection = PostgresConnector::new(&url).unwrap().connect().await.unwrap();
    let fastest = fastest_batch(&mut connection).await;
    assert!(fastest < DELAYED, "{fastest:?}");
    connection.close().await.unwrap();
}

/// Where this fails, the driver sets `TCP_NODELAY` by itself: take the relay out.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_driver_needs_the_relay() {
    let database = PostgresDatabase::new().await;
    let server = Encrypted::before(&database, "localhost").await;
    let options: PgConnectOptions = server.url(&database, "sslmode=require").parse().unwrap();
    let fastest = fastest_batch(&mut options.connect().await.unwrap()).await;
    assert!(fastest > DELAYED, "without the relay a batch over TLS takes {fastest:?}");
}

/// Against the server itself, with or without TLS as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_says_of_the_connection() {
    let database = PostgresDatabase::new().await;
    let has_tls = database.number("SELECT (current_setting('ssl') = 'on')::int::bigint").await == 1;
    let connector = PostgresConnector::new(&format!("{}?sslmode=require", database.url())).unwrap();
    match connector.connect().await {
        Ok(mut connection) => {
            let ssl = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
            let is_encrypted = sqlx::query_scalar(ssl).fetch_one(&mut connection).await;
            assert_eq!((has_tls, is_encrypted.unwrap()), (true, true));
        }
        Err(error) => assert!(!has_tls && error.to_string().contains("TLS"), "{error}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_be_reached_is_named() {
    let unused = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let refusing = unused.local_addr().unwrap();
    drop(unused);
    for mode in ["disable", "require", "verify-full"] {
        let refused = failure(&refusing.to_string(), mode).await;
        assert!(refused.contains(&format!("no connection to {refusing}: ")), "{mode}: {refused}");
        assert!(refused.contains("Connection refused"), "{mode}: {refused}");
        let unknown = failure("nowhere.invalid:5433", mode).await;
        assert!(unknown.contains("no connection to nowhere.invalid:5433: "), "{mode}: {unknown}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_up_or_says_nothing_is_named() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let url = format!("postgres://me@{address}/db?sslmode=require");
    let connector = PostgresConnector::new(&url).unwrap();
    let silent = connector.connect_within(Duration::from_millis(50)).await.unwrap_err();
    assert!(
        matches!(&silent, sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut)
    );
    assert!(silent.to_string().contains(&address.to_string()), "{silent}");

    let (hung_up, _) = tokio::join!(connector.connect(), async {
        for _ in 0..2 {
            // The first is the one that was given up.
            drop(listener.accept().await.unwrap());
        }
    });
    let hung_up = hung_up.unwrap_err().to_string();
    assert!(hung_up.contains(&format!("no connection to {address}: ")), "{hung_up}");
}

async fn failure(address: &str, mode: &str) -> String {
    let url = format!("postgres://me:hunter2@{address}/db?sslmode={mode}");
    let failed = PostgresConnector::new(&url).unwrap().connect().await.unwrap_err();
    assert!(matches!(failed, sqlx::Error::Io(_)), "{failed:?}");
    let failed = chain(&failed);
    assert!(!failed.contains("hunter2") && !failed.contains(".s.PGSQL"), "{failed}");
    failed
}

/// On Linux the address of nobody leads to this machine, and it is none of the loopback's.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_taken_where_it_is_offered_and_nothing_is_in_between_where_it_is_not() {
    let database = PostgresDatabase::new().await;
    let server = Encrypted::before(&database, "localhost").await;
    let url = database.url_at(format!("0.0.0.0:{}", server.port()));
    let mut connection = PostgresConnector::new(&url).unwrap().connect().await.unwrap();
    assert_eq!(server.handshakes(), 1, "without a word, TLS is taken");
    connection.ping().await.unwrap();

    let (port, asked) = without_tls(&database).await;
    let url = database.url_at(format!("0.0.0.0:{port}"));
    let mut connection = PostgresConnector::new(&url).unwrap().connect().await.unwrap();
    connection.ping().await.unwrap();
    assert_eq!(asked.len(), 1, "and not again by the driver");
}

/// A server without TLS. Its port, and something for each time that it was asked for TLS.
#[cfg(target_os = "linux")]
async fn without_tls(database: &PostgresDatabase) -> (u16, mpsc::Receiver<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (host, server_port) = database.server().address();
    let server = (host.to_owned(), server_port);
    let (asked, all_asked) = mpsc::channel(16);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut first = [0; SSL_REQUEST.len()];
            client.read_exact(&mut first).await.unwrap();
            if first == SSL_REQUEST {
                asked.send(()).await.unwrap();
                client.write_all(b"N").await.unwrap();
                continue;
            }
            let mut server = TcpStream::connect(server.clone()).await.unwrap();
            server.write_all(&first).await.unwrap();
            let _ = copy_bidirectional(&mut client, &mut server).await;
        }
    });
    tasks.detach_all();
    (port, all_asked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_hear_each_other_over_tls_also_after_a_cut() {
    let database = PostgresDatabase::new().await;
    let server = Encrypted::before(&database, "localhost").await;
    let options = PostgresOptions::new(server.url(&database, &server.trusted("verify-full")));
    let store = PostgresStore::open(&options).await.unwrap();
    let listener = until(|| listening(&database)).await;
    database.run(&format!("SELECT pg_terminate_backend({listener})")).await;
    let another =
        until(|| async { listening(&database).await.filter(|another| *another != listener) });
    another.await;
    store.append(&[event("after")]).await.unwrap();
    assert_eq!(store.head().await.unwrap(), Seq::new(1));
    store.close().await;
    until(|| async { (sessions(&database).await == 0).then_some(()) }).await;
}

/// The server's process that last said LISTEN.
async fn listening(database: &PostgresDatabase) -> Option<i64> {
    let pid = database.number(
        "SELECT coalesce(max(pid), 0)::bigint FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    );
    Some(pid.await).filter(|pid| *pid > 0)
}

async fn sessions(database: &PostgresDatabase) -> i64 {
    let sessions = database.number(
        "SELECT count(*) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND application_name = 'deskbell'",
    );
    sessions.await
}

/// Asks again until there is an answer: the server ends sessions in its own time.
async fn until<T, F: Future<Output = Option<T>>>(ask: impl Fn() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(MOMENT, asking).await.unwrap()
}
