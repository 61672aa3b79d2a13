//! The simulated Backend API keeps to what Clerk documents.

use std::time::Duration;

use deskbell_sim::backend_api::{
    BackendApi, BackendApiOptions, Fault, LISTS, SharedDirectory, UnknownId, sample,
};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

const START_MS: i64 = 1_767_225_600_000;

struct Instance {
    api: BackendApi,
    client: Client,
}

impl Instance {
    /// Lists of 1,200 objects each, one a millisecond.
    async fn start(options: BackendApiOptions) -> Self {
        let directory = SharedDirectory::default();
        for &list in LISTS {
            for number in 0..1_200 {
                let object = sample(list, number, START_MS + i64::try_from(number).unwrap());
                directory.lock().insert(list, &object);
            }
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let api = BackendApi::start(options, directory, |_| Fault::None).await.unwrap();
        Self { api, client: Client::new() }
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.api.url()));
        request.bearer_auth("sk_test_SimulatedByDeskbell").send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    /// The status, and the code of the error.
    async fn error(&self, path: &str) -> (u16, String) {
        error(self.get(path).await).await
    }
}

async fn error(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let error = &body["errors"][0];
    assert!(error["message"].is_string() && error["long_message"].is_string(), "{body}");
    assert!(body["clerk_trace_id"].is_string(), "{body}");
    (status, error["code"].as_str().unwrap().to_owned())
}

fn ids(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn lists_have_the_shape_that_clerk_gives_them() {
    let instance = Instance::start(BackendApiOptions::default()).await;
    for (path, is_array) in [
        ("/users", true),
        ("/invitations", true),
        ("/invitations?paginated=true", false),
        ("/organizations", false),
        ("/organization_memberships", false),
        ("/organization_invitations", false),
        ("/organization_domains", false),
        ("/organization_roles", false),
        ("/organization_permissions", false),
        ("/waitlist_entries", false),
        ("/billing/subscription_items", false),
        ("/billing/statements", false),
    ] {
        let body = instance.json(path).await;
        assert_eq!(body.is_array(), is_array, "{path}");
        let items = if is_array { &body } else { &body["data"] };
        assert_eq!(ids(items).len(), 10, "{path}: the default limit");
        assert_eq!(body["total_count"].is_number(), !is_array, "{path}");
    }
    assert_eq!(instance.json("/organizations").await["total_count"], 1_200);
    assert_eq!(instance.json("/users/count").await["total_count"], 1_200);
}

#[tokio::test]
async fn a_limit_over_500_gives_ten() {
    let instance = Instance::start(BackendApiOptions::default()).await;
    for (limit, expected) in [(1, 1), (500, 500), (501, 10), (100_000, 10)] {
        let users = instance.json(&format!("/users?limit={limit}")).await;
        assert_eq!(ids(&users).len(), expected, "limit {limit}");
    }
    for limit in ["0", "-1", "many"] {
        let (status, _) = instance.error(&format!("/users?limit={limit}")).await;
        assert_eq!(status, 422, "limit {limit}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_by_id_and_by_offset() {
    let instance = Instance::start(BackendApiOptions::default()).await;
    for (path, first) in [
        ("/users?limit=2", "user_00001199"),
        ("/users?limit=2&order_by=created_at", "user_00000000"),
        ("/users?limit=2&order_by=%2Bcreated_at&offset=7", "user_00000007"),
        ("/users?limit=2&order_by=-created_at&offset=7", "user_00001192"),
        ("/users?limit=2&order_by=%2Bcreated_at&starting_after=user_00000007", "user_00000008"),
        ("/users?limit=2&starting_after=user_00000007", "user_00000006"),
        ("/users?limit=2&order_by=-updated_at", "user_00001199"),
        ("/users?limit=2&order_by=%2Bcreated_at&created_at_after=1767225600009", "user_00000010"),
        ("/users?limit=2&created_at_before=1767225600009", "user_00000008"),
    ] {
        assert_eq!(ids(&instance.json(path).await)[0], first, "{path}");
    }
    assert_eq!(instance.json("/users?starting_after=user_00000000").await, Value::Array(vec![]));
    assert_eq!(instance.json("/users?offset=1200").await, Value::Array(vec![]));
}

#[tokio::test]
async fn starting_after_has_its_rules() {
    let instance = Instance::start(BackendApiOptions::default()).await;
    for query in [
        "order_by=-updated_at&starting_after=user_00000007",
        "offset=1&starting_after=user_00000007",
        "starting_after=user_unknown",
        "order_by=email",
        // A `+` that is not escaped is a space.
        "order_by=+created_at",
        "status=active",
    ] {
        assert_eq!(instance.error(&format!("/users?{query}")).await.0, 422, "{query}");
    }
    let (status, code) = instance.error("/organizations?starting_after=org_00000001").await;
    assert_eq!((status, code.as_str()), (422, "form_param_unknown"));

    for (unknown_id, expected) in [(UnknownId::Empty, 0), (UnknownId::Ignored, 10)] {
        let options = BackendApiOptions { unknown_id, ..BackendApiOptions::default() };
        let users = Instance::start(options).await.json("/users?starting_after=user_unknown").await;
        assert_eq!(ids(&users).len(), expected, "{unknown_id:?}");
    }
}

#[tokio::test]
async fn what_is_left_out_unless_asked_for() {
    let instance = Instance::start(BackendApiOptions::default()).await;
    for (path, expected) in [
        ("/invitations?paginated=true", 900),
        ("/invitations?paginated=true&status=revoked", 300),
        ("/organization_invitations", 1_200),
        ("/organization_invitations?status=revoked", 300),
        ("/billing/subscription_items", 600),
        ("/billing/subscription_items?include_free=true", 1_200),
    ] {
        assert_eq!(instance.json(path).await["total_count"], expected, "{path}");
    }
    let organizations = instance.json("/organizations?limit=1").await;
    assert!(organizations["data"][0]["members_count"].is_null());
    let organizations = instance.json("/organizations?limit=1&include_members_count=true").await;
    assert_eq!(organizations["data"][0]["members_count"], 1);
}

#[tokio::test]
async fn the_key_the_version_and_the_path_are_checked() {
    let instance = Instance::start(BackendApiOptions::default()).await;
    let url = instance.api.url();
    for (key, version, query, expected) in [
        ("sk_test_wrong", "2026-05-12", "", 401),
        ("sk_test_SimulatedByDeskbell", "2026-05-12", "", 200),
        ("sk_test_SimulatedByDeskbell", "2026-05-13", "", 400),
        ("sk_test_SimulatedByDeskbell", "2026-05-12", "?__clerk_api_version=2026-05-12", 400),
    ] {
        let request = instance.client.get(format!("{url}/instance{query}"));
        let request = request.bearer_auth(key).header("Clerk-API-Version", version);
        assert_eq!(request.send().await.unwrap().status(), expected, "{key} {version} {query}");
    }
    let (status, code) =
        error(instance.client.get(format!("{url}/users")).send().await.unwrap()).await;
    assert_eq!((status, code.as_str()), (401, "clerk_key_invalid"));
    for path in ["/users/user_unknown", "/sessions", "/organizations/a/b"] {
        let (status, code) = instance.error(path).await;
        assert_eq!((status, code.as_str()), (404, "resource_not_found"), "{path}");
    }
    assert_eq!(instance.json("/instance").await["id"], deskbell_sim::INSTANCE_ID);
    assert_eq!(instance.json("/organizations/acme-7").await["id"], "org_00000007");
}

#[tokio::test]
async fn the_rate_limit_counts_over_a_sliding_window() {
    let window = Duration::from_secs(10);
    let options = BackendApiOptions { requests_max: 5, window, ..BackendApiOptions::default() };
    let instance = Instance::start(options).await;
    for _ in 0..5 {
        instance.json("/users/count").await;
    }
    let refused = instance.get("/users/count").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait} s");
    assert_eq!(error(refused).await.1, "too_many_requests");
    let api = &instance.api;
    assert_eq!((api.requests(), api.rate_limited(), api.in_window_max()), (6, 1, 6));
}

#[tokio::test]
async fn lists_are_asked_for_some_ids() {
    let instance = Instance::start(BackendApiOptions::default()).await;
    for (path, expected) in [
        ("/users?user_id=user_00000007&user_id=user_00000003&user_id=nobody", &[7, 3][..]),
        ("/users?user_id=%2Buser_00000007", &[7]),
        ("/users?user_id=user_00000007&user_id=-user_00000007", &[]),
        ("/users?limit=2&user_id=-user_00001199", &[1198, 1197]),
        ("/users?user_id=nobody", &[]),
        ("/organizations?organization_id=org_00000007&organization_id=org_00000009", &[9, 7]),
    ] {
        let body = instance.json(path).await;
        let items = if body.is_array() { &body } else { &body["data"] };
        let prefix = if body.is_array() { "user" } else { "org" };
        let expected: Vec<_> = expected.iter().map(|id| format!("{prefix}_{id:08}")).collect();
        assert_eq!(ids(items), expected, "{path}");
    }
    let many = |count: usize| "&user_id=user_00000001".repeat(count);
    assert_eq!(ids(&instance.json(&format!("/users?limit=500{}", many(100))).await).len(), 1);
    for path in [
        format!("/users?limit=500{}", many(101)),
        "/users?id=user_00000001".to_owned(),
        "/organization_roles?user_id=user_00000001".to_owned(),
    ] {
        assert_eq!(instance.error(&path).await.0, 422, "{path}");
    }
    let few: Vec<_> = (0..20).map(|number| format!("user_id=user_{number:08}")).collect();
    let few = instance.json(&format!("/users?{}", few.join("&"))).await;
    assert_eq!(ids(&few).len(), 10, "the default limit holds");
}
