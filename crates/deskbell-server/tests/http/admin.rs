//! The routes that the admin token opens.

use http::header::AUTHORIZATION;

use deskbell_store::{AccessToken, NewToken, TokenRole};

use crate::support::{ADMIN_TOKEN, TestServer, get};

#[tokio::test]
async fn metrics_need_the_admin_token() {
    let server = TestServer::start().await;
    let reply = server.send(get("/metrics")).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (401, r#"{"error":"unauthorized"}"#));
    let mut asking = get("/metrics");
    asking.headers_mut().insert(AUTHORIZATION, format!("Bearer {ADMIN_TOKEN}").parse().unwrap());
    let reply = server.send(asking).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (200, "deskbell_up 1\n"));
}

#[tokio::test]
async fn a_stored_token_opens_what_its_role_allows() {
    let server = TestServer::start().await;
    let status = async |path: &str, token: &AccessToken| {
        let mut asking = get(path);
        let value = format!("Bearer {}", token.expose()).parse().unwrap();
        asking.headers_mut().insert(AUTHORIZATION, value);
        let reply = server.send(asking).await;
        (reply.status.as_u16(), reply.text)
    };
    let user = "/api/v1/users/user_1";
    for (role, rows) in
        [(TokenRole::Viewer, 403), (TokenRole::Reader, 200), (TokenRole::Admin, 200)]
    {
        let token = AccessToken::random();
        let new = NewToken { name: role.to_string(), role, hash: token.hash() };
        assert_eq!(status(user, &token).await, (401, r#"{"error":"unauthorized"}"#.to_owned()));
        assert!(server.tokens.create_token(&new).await.unwrap());
        let reply = status(user, &token).await;
        assert_eq!(reply.0, rows, "{role}");
        assert_eq!(rows == 403, reply.1 == r#"{"error":"forbidden"}"#, "{role}");
        assert_eq!(status("/metrics", &token).await.0, 200, "{role}");
        assert!(server.tokens.revoke_token(&new.name).await.unwrap());
        assert_eq!(status(user, &token).await.0, 401, "{role}");
    }
}
