//! A store whose server is away when the program starts: requests are answered with 503 until it is
//! back.

use reqwest::StatusCode;
use testkit::PostgresDatabase;

use super::support::{Serving, deskbell, directory, http_client, run, within};

async fn limit_connections(database: &PostgresDatabase, connections_max: i32) {
    let limited = format!("ALTER ROLE {} CONNECTION LIMIT {connections_max}", database.name());
    database.server().run(&limited).await.unwrap();
}

#[tokio::test]
async fn events_are_refused_until_the_store_has_a_connection_for_us() {
    let database = PostgresDatabase::with_owner().await;
    limit_connections(&database, 0).await;
    let directory = directory();
    let path = directory.path();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"{}\"\n\
         [[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"\n",
        database.url()
    );
    std::fs::write(path.join("deskbell.toml"), config).unwrap();
    let mut serving = Serving::of(deskbell(path)).await;
    let said = serving.said.join("\n");
    assert!(
        said.contains("the event log is unavailable") && said.contains("too many connections"),
        "{said}"
    );
    let http = http_client();
    let get = |route: &str| http.get(format!("http://{}{route}", serving.address)).send();
    assert_eq!(get("/healthz").await.unwrap().status(), StatusCode::OK);
    assert_eq!(get("/readyz").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    let refused = http.post(serving.url()).body("{}").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.headers().contains_key("retry-after"));

    limit_connections(&database, -1).await;
    serving.until_said("listens on").await;
    let ready = within(http.get(format!("http://{}/readyz", serving.address)).send());
    assert_eq!(ready.await.unwrap().status(), StatusCode::OK);
    let ran = run(path, &["trigger", "--sample", "user.created", "--url", &serving.url()]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn it_stops_when_it_is_asked_to_while_it_waits() {
    let directory = directory();
    let path = directory.path();
    let config =
        "[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"postgres://me@127.0.0.1:1/app\"\n";
    std::fs::write(path.join("deskbell.toml"), config).unwrap();
    let serving = Serving::start(path).await;
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0, "{said:#?}");
}
