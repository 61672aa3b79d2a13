//! What is there, by method and path.

/// What a request leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'p> {
    /// Clerk's own path, below `/v1`.
    Clerk(&'p str),
    /// The instance that the key is of.
    Instance,
    OneTimeToken,
    EventTypes,
    /// There, but not for the token of an application.
    Forbidden,
    /// Below an application.
    App(&'p str, AppRoute<'p>),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AppRoute<'p> {
    Endpoints,
    CreateEndpoint,
    Endpoint(&'p str),
    PatchEndpoint(&'p str),
    Secret(&'p str),
    Recover(&'p str),
    ReplayMissing(&'p str),
    SendExample(&'p str),
    Messages,
    Message(&'p str),
    Resend { message: &'p str, endpoint: &'p str },
    Attempts(&'p str),
}

pub(crate) fn route<'p>(method: &str, path: &'p str) -> Option<Route<'p>> {
    if (method, path) == ("GET", "/v1/instance") {
        return Some(Route::Instance);
    }
    if let Some(path) = path.strip_prefix("/v1/") {
        return (method == "POST").then_some(Route::Clerk(path));
    }
    let parts: Vec<&str> = path.strip_prefix("/api/v1/")?.split('/').collect();
    match (method, &parts[..]) {
        ("POST", ["auth", "one-time-token"]) => Some(Route::OneTimeToken),
        ("GET", ["event-type"]) => Some(Route::EventTypes),
        (_, ["app"] | ["event-type", ..]) => Some(Route::Forbidden),
        (_, ["app", app, rest @ ..]) => Some(Route::App(app, app_route(method, rest)?)),
        _ => None,
    }
}

fn app_route<'p>(method: &str, parts: &[&'p str]) -> Option<AppRoute<'p>> {
    Some(match (method, parts) {
        ("GET", ["endpoint"]) => AppRoute::Endpoints,
        ("POST", ["endpoint"]) => AppRoute::CreateEndpoint,
        ("GET", ["endpoint", id]) => AppRoute::Endpoint(id),
        ("PATCH", ["endpoint", id]) => AppRoute::PatchEndpoint(id),
        ("GET", ["endpoint", id, "secret"]) => AppRoute::Secret(id),
        ("POST", ["endpoint", id, "recover"]) => AppRoute::Recover(id),
        ("POST", ["endpoint", id, "replay-missing"]) => AppRoute::ReplayMissing(id),
        ("POST", ["endpoint", id, "send-example"]) => AppRoute::SendExample(id),
        ("GET", ["msg"]) => AppRoute::Messages,
        ("GET", ["msg", id]) => AppRoute::Message(id),
        ("POST", ["msg", message, "endpoint", endpoint, "resend"]) => {
            AppRoute::Resend { message, endpoint }
        }
        ("GET", ["attempt", "endpoint", id]) => AppRoute::Attempts(id),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_route() {
        for (method, path, expected) in [
            ("POST", "/v1/webhooks/svix_url", Some(Route::Clerk("webhooks/svix_url"))),
            ("GET", "/v1/webhooks/svix_url", None),
            ("POST", "/api/v1/auth/one-time-token", Some(Route::OneTimeToken)),
            ("GET", "/api/v1/app", Some(Route::Forbidden)),
            ("GET", "/api/v1/app/a/endpoint", Some(Route::App("a", AppRoute::Endpoints))),
            (
                "POST",
                "/api/v1/app/a/msg/m/endpoint/e/resend",
                Some(Route::App("a", AppRoute::Resend { message: "m", endpoint: "e" })),
            ),
            ("DELETE", "/api/v1/app/a/endpoint/e", None),
            ("GET", "/healthz", None),
        ] {
            assert_eq!(route(method, path), expected, "{method} {path}");
        }
    }
}
