//! From the secret key to a token: what Clerk answers, and the exchange of the one-time token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::reply::Reply;
use super::shared::Shared;
use super::state::random_id;

/// Whose key it is.
pub(crate) fn instance(shared: &Shared, key: Option<&str>) -> Reply {
    if key != Some(shared.options.secret_key.as_str()) {
        return invalid_key();
    }
    Reply::ok(&json!({
        "object": "instance",
        "id": shared.options.instance_id,
        "environment_type": "development",
        "allowed_origins": [],
    }))
}

fn invalid_key() -> Reply {
    Reply::clerk_error(401, "clerk_key_invalid", "The provided Clerk Secret Key is invalid.")
}

/// Clerk's two paths.
pub(crate) fn clerk(shared: &Shared, path: &str, key: Option<&str>) -> Reply {
    if key != Some(shared.options.secret_key.as_str()) {
        return invalid_key();
    }
    let has_app = shared.state().has_app;
    match path {
        "webhooks/svix_url" if has_app => link(shared),
        "webhooks/svix_url" => Reply::clerk_error(
            400,
            "svix_app_missing",
            "No Svix app is associated with this instance",
        ),
        "webhooks/svix" if has_app => Reply::clerk_error(
            400,
            "svix_app_exists",
            "A Svix app already exists for this instance",
        ),
        "webhooks/svix" => {
            shared.state().has_app = true;
            link(shared)
        }
        _ => Reply::clerk_error(404, "resource_not_found", "not found"),
    }
}

fn link(shared: &Shared) -> Reply {
    let one_time_token = random_id("onetime");
    let key = json!({
        "appId": shared.options.app_id,
        "oneTimeToken": one_time_token,
        "region": shared.options.region,
    });
    shared.state().one_time_tokens.insert(one_time_token);
    let key = URL_SAFE_NO_PAD.encode(key.to_string());
    Reply::ok(&json!({"svix_url": format!("https://app.svix.com/login#key={key}")}))
}

pub(crate) fn exchange(shared: &Shared, body: &str) -> Reply {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let Some(one_time_token) = body["oneTimeToken"].as_str() else {
        return Reply::invalid(["body", "oneTimeToken"], "missing field");
    };
    let mut state = shared.state();
    if !state.one_time_tokens.remove(one_time_token) {
        return Reply::error(401, "authentication_failed", "Invalid one time token");
    }
    let token = random_id("appsk");
    state.tokens.insert(token.clone());
    Reply::ok(&json!({"token": token}))
}
