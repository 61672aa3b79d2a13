//! The description of the routes.

use deskbell_admin::Method;
use utoipa::OpenApi;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Type,
};

use super::errors::ValidationErrorsOut;
use super::unsupported::{FAMILIES, FAMILY_ROUTES, OPERATIONS};
use super::{applications, attempts, endpoints, event_types, health, messages, replays};
use crate::problem::ProblemDetails;

#[derive(OpenApi)]
#[openapi(
    paths(
        health::get,
        health::ping,
        applications::list,
        applications::get,
        applications::get_or_create,
        event_types::list,
        event_types::get,
        endpoints::list,
        endpoints::get,
        endpoints::create,
        endpoints::put,
        endpoints::patch,
        endpoints::delete,
        endpoints::headers::get,
        endpoints::headers::put,
        endpoints::headers::patch,
        endpoints::secrets::get,
        endpoints::secrets::rotate,
        endpoints::stats::get,
        endpoints::stats::of_attempts,
        endpoints::examples::send,
        replays::recover,
        replays::replay_missing,
        replays::bulk_replay,
        replays::resend,
        replays::tasks::get,
        messages::list,
        messages::get,
        messages::create::create,
        messages::precheck::precheck,
        attempts::by_endpoint,
        attempts::by_message,
        attempts::get,
        attempts::attempted_messages::list,
        attempts::attempted_endpoints::list,
    ),
    components(schemas(ProblemDetails, ValidationErrorsOut))
)]
struct Described;

/// What every operation can answer, with the name of its shape.
const ERRORS: &[(&str, &str, &str)] = &[
    ("401", "The token is missing or wrong", "ProblemDetails"),
    ("403", "The token's role does not allow it, or the config file declares it", "ProblemDetails"),
    ("404", "There is no such thing", "ProblemDetails"),
    ("409", "Something else is there already", "ProblemDetails"),
    (
        "422",
        "The request makes no sense, or asks for what would be ignored",
        "SvixValidationErrors",
    ),
    ("501", "Deskbell does not do it", "ProblemDetails"),
    ("503", "The store cannot be used now", "ProblemDetails"),
];

/// Every route of [`ROUTES`](super::ROUTES).
pub(crate) fn openapi() -> utoipa::openapi::OpenApi {
    let mut described = Described::openapi();
    for operation in &OPERATIONS {
        let (path, described_as) = unsupported(operation.path, operation.reason);
        described.paths.add_path_operation(path, vec![http_method(operation.method)], described_as);
    }
    for route in &FAMILY_ROUTES {
        let family = FAMILIES.iter().find(|family| family.paths.contains(&route.path));
        let (path, described_as) =
            unsupported(route.path, family.map_or("", |family| family.reason));
        described.paths.add_path_operation(path, vec![http_method(route.method)], described_as);
    }
    for item in described.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(add_errors);
    }
    described
}

fn unsupported(path: &str, reason: &str) -> (String, Operation) {
    let path = path.replace("{*rest}", "{rest}");
    let names = path.split('{').skip(1).filter_map(|part| part.split('}').next());
    let parameters = names.map(|name| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    });
    let operation = OperationBuilder::new()
        .tag("Not supported")
        .summary(Some(reason))
        .parameters(Some(parameters.collect::<Vec<_>>()));
    (path.clone(), operation.build())
}

fn add_errors(operation: &mut Operation) {
    for (status, description, schema) in ERRORS {
        let response = RefOr::T(error(description, schema));
        operation.responses.responses.entry((*status).to_owned()).or_insert(response);
    }
}

fn error(description: &str, schema: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    ResponseBuilder::new().description(description).content("application/json", content).build()
}

fn http_method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::Get,
        Method::Post => HttpMethod::Post,
        Method::Put => HttpMethod::Put,
        Method::Patch => HttpMethod::Patch,
        Method::Delete => HttpMethod::Delete,
    }
}
