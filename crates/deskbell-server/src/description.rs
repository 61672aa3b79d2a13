//! The description of every route that is not public, in OpenAPI 3.1.

use std::sync::LazyLock;

use utoipa::Number;
use utoipa::openapi::path::{Operation, Parameter, PathItem};
use utoipa::openapi::{OpenApi, RefOr, Schema};

use crate::{api, svix};

/// The parameters that are numbers within bounds: name, least, and the most for Deskbell's own routes
/// and for those of Svix.
const BOUNDS: &[(&str, usize, usize, usize)] = &[("limit", 1, 500, 250), ("buckets", 1, 100, 100)];
/// Deskbell's own routes with other bounds of `limit`.
const LIMIT_OF: &[(&str, usize)] = &[("/api/v1/explain/{id}", 200)];

/// The description of Deskbell's own routes and of those that Svix's API has.
#[must_use]
pub fn openapi() -> &'static OpenApi {
    static DESCRIPTION: LazyLock<OpenApi> = LazyLock::new(describe);
    &DESCRIPTION
}

fn describe() -> OpenApi {
    let mut description = api::openapi();
    let mut of_svix = svix::openapi();
    for (path, item) in &mut description.paths.paths {
        let limit = LIMIT_OF.iter().find(|(other, _)| other == path).map(|(_, most)| *most);
        bound(item, |own, _| limit.unwrap_or(own));
    }
    for item in of_svix.paths.paths.values_mut() {
        bound(item, |_, of_svix| of_svix);
    }
    description.merge(of_svix);
    description
}

/// Says what the bounds of numbers are.
fn bound(item: &mut PathItem, most: impl Fn(usize, usize) -> usize) {
    let PathItem { get, put, post, patch, delete, .. } = item;
    let operations = [get, put, post, patch, delete].into_iter().flatten();
    for parameter in operations.flat_map(parameters) {
        let bounds = BOUNDS.iter().find(|(name, ..)| *name == parameter.name);
        let (Some((_, least, own, of_svix)), Some(RefOr::T(Schema::Object(schema)))) =
            (bounds, &mut parameter.schema)
        else {
            continue;
        };
        schema.minimum = Some(Number::from(*least));
        schema.maximum = Some(Number::from(most(*own, *of_svix)));
    }
}

fn parameters(operation: &mut Operation) -> impl Iterator<Item = &mut Parameter> {
    operation.parameters.iter_mut().flatten()
}
