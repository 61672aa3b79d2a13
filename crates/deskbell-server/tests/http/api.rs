//! What the admin API answers.

use deskbell_store::TokenRole;
use http::Request;
use serde_json::{Value, json};

use crate::support::{ADMIN_TOKEN, TestServer, by, get, post};

async fn read(server: &TestServer, token: &str, path: &str) -> (u16, Value) {
    let reply = server.send(by(token, get(path))).await;
    (reply.status.as_u16(), serde_json::from_str(&reply.text).unwrap())
}

async fn change(server: &TestServer, path: &str, body: &Value) -> (u16, Value) {
    let reply = server.send(by(ADMIN_TOKEN, post(path, body.to_string()))).await;
    (reply.status.as_u16(), serde_json::from_str(&reply.text).unwrap_or_default())
}

/// The status, the code and what is wrong.
fn problem((status, body): &(u16, Value)) -> (u16, &str, &str) {
    (*status, body["error"].as_str().unwrap(), body["detail"].as_str().unwrap())
}

#[tokio::test]
async fn events_are_searched_by_what_the_query_says() {
    let server = TestServer::start().await;
    server.admin.append("user.created", "user_1");
    server.admin.append("user.created", "user_2");
    let query = "type=user.*&type=session.created&source=clerk&since=1700000000&limit=5\
                 &state=pending&destination=app&before=9&text=Ada";
    let (status, page) = read(&server, ADMIN_TOKEN, &format!("/api/v1/events?{query}")).await;
    assert_eq!((status, page["events"].as_array().unwrap().len()), (200, 2));
    assert_eq!(page["events"][0]["message_id"], "msg_2", "the newest first");
    let asked = server.admin.take_asked();
    let asked: Value = serde_json::from_str(asked[0].strip_prefix("search ").unwrap()).unwrap();
    let expected = json!({
        "message_id": null, "types": ["user.*", "session.created"], "source": "clerk",
        "subject": null, "text": "Ada", "since": "2023-11-14T22:13:20.000Z", "until": null,
        "state": "pending", "destination": "app", "before": 9, "limit": 5,
    });
    assert_eq!(asked, expected);
    let (status, page) = read(&server, ADMIN_TOKEN, "/api/v1/subjects/user_1/events").await;
    assert_eq!((status, &page["events"][0]["subject"]), (200, &json!("user_1")));
    assert_eq!(page["events"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn personal_data_is_masked_for_viewers() {
    let server = TestServer::start().await;
    server.admin.append("user.created", "user_1");
    let viewer = server.admin.token(TokenRole::Viewer);
    let reader = server.admin.token(TokenRole::Reader);
    let event = "/api/v1/events/msg_1";
    let with_payload = "/api/v1/events/msg_1?payload=true&source=clerk";
    let (_, seen) = read(&server, viewer.expose(), with_payload).await;
    assert_eq!(seen["payload"]["data"], json!({ "id": "user_1", "first_name": "•••" }));
    let (_, seen) = read(&server, reader.expose(), with_payload).await;
    assert_eq!(seen["payload"]["data"]["first_name"], "Ada");
    let (_, seen) = read(&server, reader.expose(), event).await;
    assert_eq!((&seen["seq"], seen.get("payload")), (&json!(1), None));
    let explain = "/api/v1/explain/user_1";
    let columns = |explained: Value| {
        let columns = &explained["rows"][0]["columns"];
        (columns["id"]["value"].clone(), columns["first_name"]["value"].clone())
    };
    let (_, seen) = read(&server, viewer.expose(), explain).await;
    assert_eq!(columns(seen), (json!("user_1"), json!("•••")));
    let (_, seen) = read(&server, reader.expose(), explain).await;
    assert_eq!(columns(seen), (json!("user_1"), json!("Ada")));
    let attempts = "/api/v1/destinations/app/attempts?result=failed";
    let (_, seen) = read(&server, viewer.expose(), attempts).await;
    assert_eq!(seen["attempts"][0]["reply"], Value::Null);
    assert!(!seen.to_string().contains("answered 500"), "{seen}");
    let (_, seen) = read(&server, reader.expose(), attempts).await;
    assert_eq!(seen["attempts"][0]["reply"], "Ada");
    assert_eq!(seen["attempts"][0]["error"], "it answered 500");
}

#[tokio::test]
async fn what_a_database_or_a_receiver_said_is_masked_for_viewers() {
    let server = TestServer::start().await;
    let viewer = server.admin.token(TokenRole::Viewer);
    let reader = server.admin.token(TokenRole::Reader);
    for path in [
        "/api/v1/overview",
        "/api/v1/destinations",
        "/api/v1/destinations/app",
        "/api/v1/mirrors",
        "/api/v1/mirrors/app",
        "/api/v1/dead-letters",
        "/api/v1/dead-letters/causes",
    ] {
        let (_, seen) = read(&server, reader.expose(), path).await;
        assert!(seen.to_string().contains("ada@example.com"), "{path}: {seen}");
        let (_, seen) = read(&server, viewer.expose(), path).await;
        assert!(!seen.to_string().contains("ada@example.com"), "{path}: {seen}");
    }
}

#[tokio::test]
async fn viewers_search_no_texts_and_follow_no_payloads() {
    let server = TestServer::start().await;
    let viewer = server.admin.token(TokenRole::Viewer);
    for path in ["/api/v1/events?text=Ada", "/api/v1/events/tail?payload=true"] {
        let refused = read(&server, viewer.expose(), path).await;
        let (status, code, detail) = problem(&refused);
        assert_eq!((status, code), (403, "forbidden"), "{path}");
        assert!(detail.contains("needs the role `reader`; yours is `viewer`"), "{detail}");
    }
    assert_eq!(server.admin.take_asked(), [""; 0]);
}

#[tokio::test]
async fn an_explanation_has_a_limit() {
    let server = TestServer::start().await;
    let explain = async |query: &str| {
        read(&server, ADMIN_TOKEN, &format!("/api/v1/explain/user_1{query}")).await.0
    };
    for (query, status) in
        [("", 200), ("?limit=200", 200), ("?limit=201", 400), ("?limit=0", 400), ("?limits=1", 400)]
    {
        assert_eq!(explain(query).await, status, "{query}");
    }
    assert_eq!(server.admin.take_asked(), ["explain user_1 50", "explain user_1 200"]);
    assert_eq!(read(&server, ADMIN_TOKEN, "/api/v1/explain/user_2").await.0, 404);
}

#[tokio::test]
async fn a_query_that_makes_no_sense_says_what_to_write() {
    let server = TestServer::start().await;
    for (path, words) in [
        ("events?sorce=a", "unknown parameter `sorce`; did you mean `source`?"),
        ("overview?limit=1", "unknown parameter `limit`; this route has none"),
        ("events?limit=501", "`limit`: expected a number from 1 to 500, found `501`"),
        ("events?state=lost", "expected `pending` or `dead_lettered`, found `lost`"),
        ("events?destination=app", "`destination` needs `state` too"),
        ("events?since=soon", "a duration such as `2h` ago, found `soon`"),
        ("events?source=a&source=b", "`source` is given more than once"),
        ("events/msg_1?payload=yes", "`payload`: expected `true` or `false`, found `yes`"),
        ("destinations/app/stats?buckets=101", "expected a number from 1 to 100"),
        ("dead-letters?caus=1", "did you mean `cause`?"),
        ("audit?before=x", "`before`: expected a whole number, found `x`"),
    ] {
        let refused = read(&server, ADMIN_TOKEN, &format!("/api/v1/{path}")).await;
        let (status, code, detail) = problem(&refused);
        assert_eq!((status, code), (400, "invalid_parameter"), "{path}");
        assert!(detail.contains(words), "{path}: {detail}");
        assert_eq!(refused.1["title"], "Bad Request");
        assert_eq!(
            (&refused.1["type"], &refused.1["status"]),
            (&json!("about:blank"), &json!(400))
        );
    }
    let long = format!("/api/v1/destinations/{}", "a".repeat(501));
    assert_eq!(read(&server, ADMIN_TOKEN, &long).await.0, 404);
}

#[tokio::test]
async fn a_replay_is_begun_and_asked_about() {
    let server = TestServer::start().await;
    let refused = change(&server, "/api/v1/replay", &json!({ "mesage_id": "a" })).await;
    let (status, code, detail) = problem(&refused);
    assert_eq!((status, code), (400, "invalid_body"));
    assert!(detail.contains("unknown field `mesage_id`"), "{detail}");
    assert_eq!(server.admin.take_asked(), [""; 0]);
    let done = change(&server, "/api/v1/replay", &json!({ "message_id": "msg_1" })).await;
    assert_eq!((done.0, &done.1["id"]), (200, &json!(7)));
    let begun = change(&server, "/api/v1/replay", &json!({ "matching": { "types": ["a"] } })).await;
    assert_eq!((begun.0, &begun.1["done"]), (202, &json!(false)));
    assert_eq!(read(&server, ADMIN_TOKEN, "/api/v1/replays/7").await.0, 200);
    for unknown in ["8", "x"] {
        let path = format!("/api/v1/replays/{unknown}");
        assert_eq!(read(&server, ADMIN_TOKEN, &path).await.0, 404, "{unknown}");
    }
    let first = server.admin.take_asked().remove(0);
    assert_eq!(first, r#"admin token replays Some("msg_1")"#);
}

#[tokio::test]
async fn destinations_are_paused_resumed_and_tried() {
    let server = TestServer::start().await;
    let nothing = json!({});
    for action in ["pause", "resume"] {
        let path = |name| format!("/api/v1/destinations/{name}/{action}");
        assert_eq!(change(&server, &path("app"), &nothing).await.0, 204, "{action}");
        assert_eq!(change(&server, &path("other"), &nothing).await.0, 404, "{action}");
    }
    let example = "/api/v1/destinations/app/send-example";
    let sent = change(&server, example, &json!({ "type": "user.created" })).await;
    assert_eq!(sent, (202, json!({ "message_id": "msg_example" })));
    assert_eq!(change(&server, example, &json!({ "typ": "user.created" })).await.0, 400);
    let asked = server.admin.take_asked();
    assert_eq!(asked[0], "admin token pauses app");
    assert_eq!(asked[4], "admin token sends user.created to app");
    let stats = "/api/v1/destinations/app/stats?since=2h&buckets=12";
    assert_eq!(read(&server, ADMIN_TOKEN, stats).await.0, 200);
    assert_eq!(read(&server, ADMIN_TOKEN, "/api/v1/destinations/app/stats").await.0, 200);
    let asked = server.admin.take_asked();
    assert!(asked[0].starts_with("stats of app over 72") && asked[0].ends_with(" in 12"));
    assert_eq!(asked[1], "stats of app over 86400000 ms in 24");
    let attempts = "/api/v1/destinations/app/attempts?result=failed&before=c&limit=7";
    assert_eq!(read(&server, ADMIN_TOKEN, attempts).await.0, 200);
    let asked = server.admin.take_asked().remove(0);
    for part in [r#"destination: Some("app")"#, "Failed", r#"cursor: Some("c")"#, "limit: 7"] {
        assert!(asked.contains(part), "{asked}");
    }
}

#[tokio::test]
async fn dead_letters_are_retried_by_what_is_named() {
    let server = TestServer::start().await;
    let retry = "/api/v1/dead-letters/retry";
    let many: Vec<_> = (0..1_001).map(|number| format!("user_{number}")).collect();
    assert_eq!(change(&server, retry, &json!({ "ids": many })).await.0, 400);
    let asked = change(&server, retry, &json!({ "ids": ["user_1"] })).await;
    assert_eq!(asked, (202, json!({ "asked": 1 })));
    let listed = "/api/v1/dead-letters?destination=app&id=user_1&cause=23505&limit=3";
    assert_eq!(read(&server, ADMIN_TOKEN, listed).await.0, 200);
    let asked = server.admin.take_asked();
    assert_eq!(asked[0], r#"admin token retries ["user_1"]"#);
    assert!(asked[1].contains(r#"cause: Some("23505"), limit: 3"#), "{}", asked[1]);
}

#[tokio::test]
async fn a_token_is_made_shown_once_and_revoked() {
    let server = TestServer::start().await;
    let tokens = "/api/v1/tokens";
    let made = change(&server, tokens, &json!({ "name": "board", "role": "viewer" })).await;
    assert_eq!(
        (made.0, &made.1["name"], &made.1["role"]),
        (201, &json!("board"), &json!("viewer"))
    );
    let token = made.1["token"].as_str().unwrap();
    assert_eq!(read(&server, token, "/api/v1/overview").await.0, 200);
    let (_, listed) = read(&server, ADMIN_TOKEN, tokens).await;
    assert_eq!(listed[0]["name"], "board");
    assert!(!listed.to_string().contains("dbt_"), "{listed}");
    let again = change(&server, tokens, &json!({ "name": "board", "role": "viewer" })).await;
    assert_eq!(problem(&again), (409, "conflict", "a token `board` already exists"));
    let refused = change(&server, tokens, &json!({ "name": "a", "role": "root" })).await;
    assert_eq!((refused.0, problem(&refused).1), (400, "invalid_body"));
    let revoke =
        || by(ADMIN_TOKEN, Request::delete("/api/v1/tokens/board").body(().into()).unwrap());
    assert_eq!(server.send(revoke()).await.status, 204);
    assert_eq!(read(&server, token, "/api/v1/overview").await.0, 401);
    assert_eq!(server.send(revoke()).await.status, 404);
}

#[tokio::test]
async fn everything_that_is_only_read_is_answered() {
    let server = TestServer::start().await;
    for (path, pointer, expected) in [
        ("/api/v1/overview", "/head", json!(3)),
        ("/api/v1/alerts", "/0/kind", json!("destination_failing")),
        ("/api/v1/settings", "/retention/attempts", json!("30d")),
        ("/api/v1/audit?before=5&limit=2", "/entries/0/who", json!("admin token")),
        ("/api/v1/destinations", "/0/name", json!("app")),
        ("/api/v1/destinations/app", "/state", json!("blocked")),
        ("/api/v1/mirrors", "/0/name", json!("app")),
        ("/api/v1/mirrors/app", "/tables", json!([])),
        ("/api/v1/dead-letters/causes", "/0/count", json!(1)),
        ("/api/openapi.json", "/info/title", json!("Deskbell")),
    ] {
        let (status, body) = read(&server, ADMIN_TOKEN, path).await;
        assert_eq!((status, body.pointer(pointer)), (200, Some(&expected)), "{path}");
    }
    assert_eq!(server.admin.take_asked(), ["audit Some(5) 2"]);
    let (_, types) = read(&server, ADMIN_TOKEN, "/api/v1/catalog").await;
    let created = |one: &&Value| one["type"] == "user.created";
    let sample = types.as_array().unwrap().iter().find(created).unwrap();
    assert_eq!(sample["sample"]["type"], "user.created");
}
