//! Endpoints: listed, created and changed as Svix does it.

use serde_json::{Value, json};

use super::listing::{Listed, page};
use super::reply::Reply;
use super::request::SenderRequest;
use super::routes::AppRoute;
use super::shared::Shared;
use super::state::SimulatedEndpoint;

struct EventType(String);

impl Listed for EventType {
    fn id(&self) -> &str {
        &self.0
    }
}

/// The answer, if the route is one of endpoints.
pub(crate) fn reply(
    shared: &Shared,
    request: &SenderRequest,
    route: &AppRoute<'_>,
) -> Option<Reply> {
    let reply = match route {
        AppRoute::Endpoints => list(shared, request),
        AppRoute::CreateEndpoint => create(shared, &request.body),
        AppRoute::Endpoint(id) => {
            let state = shared.state();
            let json = state.endpoint(id).map(|found| found.json(shared.options.types_member));
            Ok(json.map_or_else(Reply::not_found, |json| Reply::ok(&json)))
        }
        AppRoute::PatchEndpoint(id) => patch(shared, id, &request.body),
        AppRoute::Secret(id) => {
            let state = shared.state();
            let json = state.endpoint(id).map(|found| json!({"key": found.secret}));
            Ok(json.map_or_else(Reply::not_found, |json| Reply::ok(&json)))
        }
        _ => return None,
    };
    Some(reply.unwrap_or_else(|error| error))
}

pub(crate) fn event_types(shared: &Shared, request: &SenderRequest) -> Reply {
    let names = shared.options.event_types.clone().unwrap_or_default();
    let types: Vec<_> = names.into_iter().map(EventType).collect();
    let json = |one: &EventType| {
        json!({
            "name": one.0,
            "description": "",
            "archived": false,
            "deprecated": false,
            "schemas": null,
            "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": "2026-01-01T00:00:00Z",
        })
    };
    page(types.iter(), request, json).unwrap_or_else(|error| error)
}

fn list(shared: &Shared, request: &SenderRequest) -> Result<Reply, Reply> {
    let endpoints = shared.state().endpoints.clone();
    page(endpoints.iter(), request, |found| found.json(shared.options.types_member))
}

fn create(shared: &Shared, body: &str) -> Result<Reply, Reply> {
    let body = object(body)?;
    let Some(url) = body["url"].as_str() else {
        return Err(Reply::invalid(["body", "url"], "missing field"));
    };
    let mut endpoint = SimulatedEndpoint::new(url);
    shared.change(&mut endpoint, &body)?;
    shared.state().endpoints.push(endpoint.clone());
    Ok(Reply::of(201, &endpoint.json(shared.options.types_member)))
}

fn patch(shared: &Shared, id: &str, body: &str) -> Result<Reply, Reply> {
    let found = shared.state().endpoint(id).cloned();
    let mut endpoint = found.ok_or_else(Reply::not_found)?;
    shared.change(&mut endpoint, &object(body)?)?;
    let mut state = shared.state();
    if let Some(stored) = state.endpoints.iter_mut().find(|stored| stored.id == endpoint.id) {
        stored.clone_from(&endpoint);
    }
    Ok(Reply::ok(&endpoint.json(shared.options.types_member)))
}

impl Shared {
    /// Sets what the body has of an endpoint. Unknown members are ignored, as by Svix.
    fn change(&self, endpoint: &mut SimulatedEndpoint, body: &Value) -> Result<(), Reply> {
        if let Some(url) = body["url"].as_str() {
            if !url.starts_with("http://") && !url.starts_with("https://") {
                return Err(Reply::invalid(["body", "url"], "Endpoint URLs must be valid"));
            }
            url.clone_into(&mut endpoint.url);
        }
        if let Some(uid) = body["uid"].as_str() {
            let state = self.state();
            let is_taken = state.endpoint(uid).is_some_and(|other| other.id != endpoint.id);
            if is_taken {
                return Err(Reply::error(409, "conflict", "A conflict has occurred"));
            }
            endpoint.uid = Some(uid.to_owned());
        }
        if let Some(description) = body["description"].as_str() {
            description.clone_into(&mut endpoint.description);
        }
        if let Some(is_disabled) = body["disabled"].as_bool() {
            endpoint.is_disabled = is_disabled;
        }
        if let Some(types) = body.get(self.options.types_member) {
            endpoint.event_types = self.types(types)?;
        }
        Ok(())
    }

    fn types(&self, types: &Value) -> Result<Option<Vec<String>>, Reply> {
        let place = ["body", self.options.types_member];
        let Some(types) = types.as_array() else { return Ok(None) };
        if types.is_empty() {
            return Err(Reply::invalid(place, "must not be empty"));
        }
        let types: Vec<String> =
            types.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if let Some(known) = &self.options.event_types {
            let missing: Vec<_> = types.iter().filter(|one| !known.contains(one)).collect();
            if !missing.is_empty() {
                let message = format!("The following type names don't exist: {missing:?}");
                return Err(Reply::invalid(place, &message));
            }
        }
        Ok(Some(types))
    }
}

fn object(body: &str) -> Result<Value, Reply> {
    let value: Option<Value> = serde_json::from_str(body).ok();
    value.filter(Value::is_object).ok_or_else(|| Reply::invalid(["body", ""], "not a JSON object"))
}
