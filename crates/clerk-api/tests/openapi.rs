//! The catalogue against Clerk's own description, where it lies beside the workspace. Without it these tests check
//! nothing and say so.

use std::fs;
use std::path::PathBuf;

use clerk_api::{API_VERSION, IDS_MAX, List, Order, PAGE_SIZE_MAX, lists};
use serde_json::Value;

fn description() -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/clerk-backend-api.openapi.yml");
    if !path.exists() {
        eprintln!("nothing checked: {} is not there", path.display());
        return None;
    }
    Some(serde_saphyr::from_str(&fs::read_to_string(path).unwrap()).unwrap())
}

/// The operation of a path of ours, in which every parameter is called `{id}`.
fn operation<'d>(description: &'d Value, path: &str) -> Option<&'d Value> {
    let paths = description["paths"].as_object().unwrap();
    let ours = |known: &str| {
        let parts = known.split('/').map(|part| if part.starts_with('{') { "{id}" } else { part });
        parts.eq(path.split('/'))
    };
    paths.iter().find(|(known, _)| ours(known)).map(|(_, operations)| &operations["get"])
}

fn parameter<'d>(description: &'d Value, operation: &'d Value, name: &str) -> Option<&'d Value> {
    let parameters = operation["parameters"].as_array()?;
    let resolved = parameters.iter().map(|parameter| match parameter["$ref"].as_str() {
        Some(reference) => description.pointer(reference.trim_start_matches('#')).unwrap(),
        None => parameter,
    });
    resolved.into_iter().find(|parameter| parameter["name"] == name)
}

fn every_list() -> Vec<&'static List> {
    let further = [
        &lists::USERS_LAST_UPDATED_FIRST,
        &lists::USERS_NEWEST_FIRST,
        lists::PAYMENT_ATTEMPTS.list(),
        lists::USER_ORGANIZATION_MEMBERSHIPS.list(),
    ];
    lists::ALL.iter().copied().chain(further).collect()
}

#[test]
fn every_parameter_of_a_list_is_described() {
    let Some(description) = description() else { return };
    assert_eq!(description["info"]["version"], API_VERSION);
    for list in every_list() {
        let operation = operation(&description, list.path).expect(list.name);
        let parameter = |name: &str| parameter(&description, operation, name);
        for (name, value) in list.parts.concat() {
            let schema =
                &parameter(name).unwrap_or_else(|| panic!("{}: {name}", list.name))["schema"];
            match schema["enum"].as_array() {
                Some(values) => assert!(values.contains(&value.into()), "{name}={value}"),
                None => assert!(schema["type"] == "boolean" && value == "true", "{name}={value}"),
            }
        }
        let limit = &parameter("limit").expect(list.name)["schema"];
        assert_eq!(limit["maximum"], PAGE_SIZE_MAX, "{}", list.name);
        assert!(parameter("offset").is_some(), "{}", list.name);
        assert_eq!(parameter("order_by").is_some(), list.order.parameter().is_some());
        if let Some(order) = list.order.parameter() {
            let described = parameter("order_by").unwrap()["description"].as_str().unwrap();
            assert!(described.contains(&order[1..]), "{}: {order}", list.name);
        }
        let by_creation = list.order != Order::LastUpdatedFirst;
        let has_starting_after = parameter("starting_after").is_some() && by_creation;
        assert_eq!(has_starting_after, list.has_starting_after, "{}", list.name);
        if has_starting_after {
            assert!(
                parameter("created_at_after").is_some() && parameter("created_at_before").is_some()
            );
        }
    }
}

#[test]
fn counts_and_single_objects_are_where_they_are_described() {
    let Some(description) = description() else { return };
    for list in every_list() {
        let single = operation(&description, &format!("{}/{{id}}", list.path));
        assert_eq!(single.is_some(), list.single.is_some(), "{}", list.name);
        let count = operation(&description, &format!("{}/count", list.path));
        assert_eq!(count.is_some(), list.count_path.is_some(), "{}", list.name);
    }
    for single in lists::ALL_SINGLES {
        let operation = operation(&description, single.path).expect(single.path);
        for (name, _) in single.filters {
            assert!(parameter(&description, operation, name).is_some(), "{}: {name}", single.path);
        }
    }
}

#[test]
fn ids_are_given_as_they_are_described() {
    let Some(description) = description() else { return };
    for many in lists::ALL_BY_ID {
        let operation = operation(&description, many.path).expect(many.path);
        let ids = parameter(&description, operation, many.ids).expect(many.ids);
        assert_eq!(ids["schema"]["type"], "array", "{}", many.path);
        // Wrapped somewhere.
        let described = ids["description"].as_str().unwrap().split_whitespace();
        let described = described.collect::<Vec<_>>().join(" ");
        assert!(described.contains(&format!("up to {IDS_MAX} ")), "{described}");
        assert!(described.contains("not found are ignored"), "{described}");
        for (name, _) in many.filters {
            assert!(parameter(&description, operation, name).is_some(), "{}: {name}", many.path);
        }
    }
}

#[test]
fn the_answers_are_of_the_shapes_that_are_read() {
    let Some(description) = description() else { return };
    for list in every_list() {
        let operation = operation(&description, list.path).expect(list.name);
        let response = &operation["responses"]["200"]["$ref"].as_str().unwrap()[1..];
        let content = &description.pointer(response).unwrap()["content"];
        let schema = &content["application/json"]["schema"];
        let schema = match schema["$ref"].as_str() {
            Some(reference) => description.pointer(&reference[1..]).unwrap(),
            None => schema,
        };
        let is_array = schema["type"] == "array";
        let has_members =
            ["data", "total_count"].iter().all(|name| !schema["properties"][name].is_null());
        assert!(is_array != has_members, "{}", list.name);
    }
}
