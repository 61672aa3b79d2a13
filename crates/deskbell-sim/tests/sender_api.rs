//! The simulated sender keeps to what is known of Clerk's.

mod described;

use std::time::{Duration, UNIX_EPOCH};

use clerk_webhooks::{Secret, Verifier};
use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::sender_api::{
    Fault, SenderApi, SenderApiOptions, SentMessage, SimulatedEndpoint,
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

const KEY: &str = "sk_test_SimulatedByDeskbell";
const START_MS: i64 = 1_767_225_600_000;
/// Longer than anything here takes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The API, and a session with it.
struct Instance {
    api: SenderApi,
    client: Client,
    token: String,
}

impl Instance {
    async fn start(options: SenderApiOptions) -> Self {
        let api = SenderApi::start(options, |_| Fault::None).await.unwrap();
        let mut instance = Self { api, client: Client::new(), token: KEY.to_owned() };
        let login = instance.clerk("/webhooks/svix_url").await;
        assert_eq!(login.0, StatusCode::OK, "{}", login.1);
        let exchange = json!({"oneTimeToken": one_time_token(&login.1)});
        let (status, body) = instance.send(Method::POST, "/auth/one-time-token", &exchange).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        instance.token = body["token"].as_str().unwrap().to_owned();
        instance
    }

    async fn clerk(&self, path: &str) -> (StatusCode, Value) {
        self.to(Method::POST, &format!("{}{path}", self.api.clerk_url()), KEY, &Value::Null).await
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}/api/v1{path}", self.api.sender_url());
        self.to(method, &url, &self.token, body).await
    }

    /// Below the application.
    async fn app(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        self.send(method, &format!("/app/app_SimulatedByDeskbell{path}"), body).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.app(Method::GET, path, &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    async fn to(
        &self,
        method: Method,
        url: &str,
        token: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let mut request = self.client.request(method, url).bearer_auth(token);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap())
    }
}

fn one_time_token(login: &Value) -> String {
    use base64::Engine;

    let (_, key) = login["svix_url"].as_str().unwrap().split_once("#key=").unwrap();
    let key = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(key).unwrap();
    let key: Value = serde_json::from_slice(&key).unwrap();
    assert_eq!((&key["appId"], &key["region"]), (&"app_SimulatedByDeskbell".into(), &"eu".into()));
    key["oneTimeToken"].as_str().unwrap().to_owned()
}

fn message(number: i64) -> SentMessage {
    SentMessage {
        id: format!("msg_{number}"),
        event_type: "user.created".to_owned(),
        at_ms: START_MS + number * 1_000,
        body: Some(format!(r#"{{"type": "user.created", "n": {number}}}"#).into()),
    }
}

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_way_in_has_its_codes() {
    let options = SenderApiOptions { has_app: false, ..SenderApiOptions::default() };
    let api = SenderApi::start(options, |_| Fault::None).await.unwrap();
    let instance = Instance { api, client: Client::new(), token: String::new() };
    let code = |(status, body): (StatusCode, Value)| {
        (status.as_u16(), body["errors"][0]["code"].as_str().map(str::to_owned))
    };
    let expected = |status, code: &str| (status, Some(code.to_owned()));
    let missing = instance.clerk("/webhooks/svix_url").await;
    assert_eq!(code(missing), expected(400, "svix_app_missing"));
    let (status, login) = instance.clerk("/webhooks/svix").await;
    assert_eq!(status, StatusCode::OK);
    let exists = instance.clerk("/webhooks/svix").await;
    assert_eq!(code(exists), expected(400, "svix_app_exists"));
    assert_eq!(instance.clerk("/webhooks/svix_url").await.0, StatusCode::OK);
    let url = format!("{}/webhooks/svix_url", instance.api.clerk_url());
    let wrong = instance.to(Method::POST, &url, "sk_test_wrong", &Value::Null).await;
    assert_eq!(code(wrong), expected(401, "clerk_key_invalid"));

    let exchange = json!({"oneTimeToken": one_time_token(&login)});
    for expected in [200, 401] {
        let (status, _) = instance.send(Method::POST, "/auth/one-time-token", &exchange).await;
        assert_eq!(status, expected, "a one-time token is used once");
    }
}

#[tokio::test]
async fn what_an_applications_token_may_do() {
    let mut instance = Instance::start(SenderApiOptions::default()).await;
    instance.api.insert_endpoint(SimulatedEndpoint::new("https://a.example.com/"));
    let endpoint = format!("/endpoint/{}", instance.api.endpoints()[0].id);
    let since = json!({"since": "2026-01-01T00:00:00Z"});
    let example = json!({"eventType": "user.created"});
    for (method, path, body, expected) in [
        (Method::GET, endpoint.clone(), Value::Null, 200),
        (Method::GET, format!("{endpoint}/secret"), Value::Null, 200),
        (Method::POST, format!("{endpoint}/recover"), since.clone(), 202),
        (Method::POST, format!("{endpoint}/send-example"), example, 403),
        (Method::POST, format!("{endpoint}/replay-missing"), since, 404),
        (Method::DELETE, endpoint, Value::Null, 404),
    ] {
        let (status, reply) = instance.app(method, &path, &body).await;
        assert_eq!(status, expected, "{path}: {reply}");
    }
    assert_eq!(instance.send(Method::GET, "/app", &Value::Null).await.0, 403);
    assert_eq!(instance.send(Method::GET, "/app/app_other/endpoint", &Value::Null).await.0, 404);
    instance.token = "appsk_other".to_owned();
    let (status, reply) = instance.app(Method::GET, "/endpoint", &Value::Null).await;
    assert_eq!((status.as_u16(), &reply["code"]), (401, &"authentication_failed".into()));
}

#[tokio::test]
async fn pages_follow_each_other_newest_first() {
    let instance = Instance::start(SenderApiOptions::default()).await;
    (0..60).for_each(|number| instance.api.insert_message(message(number)));
    let page = instance.get("/msg").await;
    assert_eq!((ids(&page).len(), ids(&page)[0], &page["done"]), (50, "msg_59", &false.into()));
    assert_eq!(page["iterator"], "msg_10");
    let page = instance.get("/msg?iterator=msg_10").await;
    assert_eq!((ids(&page).len(), ids(&page)[0], &page["done"]), (10, "msg_9", &true.into()));
    let page = instance.get("/msg?limit=2&before=2026-01-01T00:00:05Z").await;
    assert_eq!(ids(&page), ["msg_4", "msg_3"]);
    let page = instance.get("/msg?after=2026-01-01T00:00:57Z&with_content=false").await;
    assert_eq!((ids(&page), &page["data"][0]["payload"]), (vec!["msg_59", "msg_58"], &json!({})));
    for query in ["limit=251", "limit=0", "limit=x", "before=yesterday"] {
        let (status, _) = instance.app(Method::GET, &format!("/msg?{query}"), &Value::Null).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }
}

#[tokio::test]
async fn event_types_and_uids_are_checked() {
    let instance = Instance::start(SenderApiOptions::default()).await;
    let url = "https://a.example.com/";
    for (body, expected, said) in [
        (json!({"url": url, "uid": "ours", "filterTypes": ["user.created"]}), 201, ""),
        (json!({"url": url, "uid": "ours"}), 409, "conflict"),
        (json!({"url": url, "filterTypes": ["user.created", "a.b"]}), 422, r#"[\"a.b\"]"#),
        (json!({"url": url, "filterTypes": []}), 422, "must not be empty"),
        (json!({"url": "a.example.com"}), 422, "must be valid"),
        (json!({"uid": "other"}), 422, "url"),
        (json!({"url": url, "eventTypes": ["a.b"]}), 201, "\"filterTypes\":null"),
    ] {
        let (status, reply) = instance.app(Method::POST, "/endpoint", &body).await;
        assert_eq!(status, expected, "{body}: {reply}");
        assert!(reply.to_string().contains(said), "{body}: {reply}");
    }
    let (status, reply) = instance.send(Method::GET, "/event-type", &Value::Null).await;
    assert_eq!((status, &reply["data"][0]["name"]), (StatusCode::OK, &"user.created".into()));
}

#[tokio::test]
async fn what_is_sent_again_is_signed_with_the_endpoints_secret() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let instance = Instance::start(SenderApiOptions::default()).await;
    let endpoint = SimulatedEndpoint::new(&receiver.url());
    instance.api.insert_endpoint(endpoint.clone());
    instance.api.insert_message(message(1));
    let path = format!("/msg/msg_1/endpoint/{}/resend", endpoint.id);
    assert_eq!(instance.app(Method::POST, &path, &Value::Null).await.0, StatusCode::ACCEPTED);
    tokio::time::timeout(TIMEOUT, instance.api.wait_for_attempts(1)).await.unwrap();
    let [received] = &receiver.received()[..] else { panic!("one request") };
    let secret = Secret::parse(&endpoint.secret).unwrap();
    let timestamp = received.headers["svix-timestamp"].to_str().unwrap().parse().unwrap();
    let now = UNIX_EPOCH + Duration::from_secs(timestamp);
    let verified = Verifier::new(secret).verify(&received.headers, &received.body, now);
    assert_eq!(verified.unwrap().id(), "msg_1");
}

#[tokio::test]
async fn a_published_message_reaches_the_endpoints_that_take_it() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let instance = Instance::start(SenderApiOptions::default()).await;
    let [all, one, other, disabled] = [0; 4].map(|_| SimulatedEndpoint::new(&receiver.url()));
    let of = |name: &str| Some(vec![name.to_owned()]);
    let endpoints = [
        all,
        SimulatedEndpoint { event_types: of("user.created"), ..one },
        SimulatedEndpoint { event_types: of("user.deleted"), ..other },
        SimulatedEndpoint { is_disabled: true, ..disabled },
    ];
    endpoints.iter().for_each(|endpoint| instance.api.insert_endpoint(endpoint.clone()));
    instance.api.publish(&message(1));
    tokio::time::timeout(TIMEOUT, instance.api.wait_for_attempts(2)).await.unwrap();
    let mut reached: Vec<_> =
        instance.api.attempts().into_iter().map(|one| one.endpoint_id).collect();
    let mut expected = vec![endpoints[0].id.clone(), endpoints[1].id.clone()];
    reached.sort();
    expected.sort();
    assert_eq!(reached, expected);
}

#[tokio::test]
async fn a_repeated_post_is_one() {
    let instance = Instance::start(SenderApiOptions::default()).await;
    let url = format!("{}/api/v1/app/app_SimulatedByDeskbell/endpoint", instance.api.sender_url());
    for _ in 0..2 {
        let request = instance.client.post(&url).bearer_auth(&instance.token);
        let request =
            request.header("idempotency-key", "a").body(r#"{"url": "https://a.example"}"#);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
    }
    assert_eq!(instance.api.endpoints().len(), 1);
}
