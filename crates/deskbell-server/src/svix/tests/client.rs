//! Requests to the routes, as their guard lets them through.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::{Extension, Router};
use deskbell_admin::Caller;
use deskbell_store::TokenRole;
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use super::desk::Desk;
use crate::svix::{Answers, router};

/// A client with a token of one role.
pub(super) struct Client {
    router: Router,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) json: Value,
}

impl Client {
    pub(super) fn of(desk: &Arc<Desk>, role: TokenRole) -> Self {
        Self::with_answers(desk, role, Answers::default())
    }

    /// A client of routes that remember these answers.
    pub(super) fn with_answers(desk: &Arc<Desk>, role: TokenRole, answers: Answers) -> Self {
        let caller = Caller { name: format!("{role:?}"), role };
        let admin: Arc<Desk> = Arc::clone(desk);
        Self { router: router(admin, answers).layer(Extension(caller)) }
    }

    pub(super) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, None, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Reply {
        self.send("POST", path, Some(body), None).await
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        idempotency_key: Option<&str>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let body = body.map_or_else(Body::empty, |body| body.to_string().into());
        let reply = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (head, body) = reply.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let json = match body.is_empty() {
            true => Value::Null,
            false => serde_json::from_slice(&body).unwrap(),
        };
        Reply { status: head.status, headers: head.headers, json }
    }
}

impl Reply {
    /// The reply's JSON, if it succeeded.
    #[track_caller]
    pub(super) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.json
    }

    /// Where the request makes no sense.
    #[track_caller]
    pub(super) fn loc(&self) -> Vec<&str> {
        assert_eq!(self.status, 422, "{self:?}");
        let error = &self.json["detail"][0];
        assert!(error["msg"].is_string() && error["type"].is_string(), "{self:?}");
        error["loc"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect()
    }

    /// The code of an error.
    #[track_caller]
    pub(super) fn code(&self) -> &str {
        assert!(self.json["detail"].is_string(), "{self:?}");
        self.json["code"].as_str().unwrap()
    }
}

/// JSON as a snapshot has it.
pub(super) fn pretty(json: &Value) -> String {
    serde_json::to_string_pretty(json).unwrap()
}
