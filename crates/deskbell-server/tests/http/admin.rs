//! Who may use the routes that are not public, by token.

use deskbell_store::TokenRole;

use crate::support::{ADMIN_TOKEN, TestServer, by, get};

#[tokio::test]
async fn metrics_need_the_admin_token() {
    let server = TestServer::start().await;
    let reply = server.send(get("/metrics")).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (401, "unauthorized"));
    assert_eq!(reply.header("www-authenticate"), "Bearer");
    let reply = server.send(by(ADMIN_TOKEN, get("/metrics"))).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (200, "deskbell_up 1\n"));
}

#[tokio::test]
async fn a_stored_token_opens_what_its_role_allows() {
    let server = TestServer::start().await;
    let user = "/api/v1/users/user_1";
    for (role, rows) in
        [(TokenRole::Viewer, 403), (TokenRole::Reader, 200), (TokenRole::Admin, 200)]
    {
        let token = server.admin.token(role);
        let reply = server.send(by(token.expose(), get(user))).await;
        assert_eq!(reply.status.as_u16(), rows, "{role}");
        assert_eq!(rows == 403, reply.error() == "forbidden", "{role}");
        let metrics = server.send(by(token.expose(), get("/metrics"))).await;
        assert_eq!(metrics.status, 200, "{role}");
        assert!(server.admin.revoke(role.as_str()));
        let reply = server.send(by(token.expose(), get(user))).await;
        assert_eq!((reply.status.as_u16(), &*reply.error()), (401, "unauthorized"), "{role}");
    }
}
