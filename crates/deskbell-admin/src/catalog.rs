//! The event types that Clerk sends, and the fields of their payloads.

use clerk_webhooks::catalog::{self, CatalogEntry, Shape, shape};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Objects inside objects are unfolded this deep.
const DEPTH_MAX: usize = 6;

/// An event type, with a sample of its payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CatalogType {
    #[serde(rename = "type")]
    pub event_type: String,
    /// What it is about, such as `user`.
    pub entity: Option<String>,
    pub description: String,
    /// A whole payload.
    pub sample: Value,
}

/// A field that an event's `data` may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogField {
    pub name: &'static str,
    /// What its value is, for people: `text`, `list of objects`.
    pub kind: String,
    /// The fields of the object, or of the list's objects.
    pub fields: Vec<CatalogField>,
}

/// Every type that Deskbell knows, in the order of their names.
#[must_use]
pub fn catalog() -> Vec<CatalogType> {
    catalog::all().iter().map(CatalogType::from).collect()
}

impl CatalogType {
    /// Whether its `data` names a deleted object, and says nothing else about it.
    #[must_use]
    pub fn names_a_deleted_object(&self) -> bool {
        self.sample["data"]["deleted"] == true
    }

    /// The fields that its `data` may have; empty where they are not described.
    #[must_use]
    pub fn fields(&self) -> Vec<CatalogField> {
        let shape = self.entity.as_deref().and_then(shape);
        shape.as_ref().map_or_else(Vec::new, |shape| fields(shape, 0))
    }
}

impl From<&CatalogEntry> for CatalogType {
    fn from(entry: &CatalogEntry) -> Self {
        Self {
            event_type: entry.event_type.as_str().to_owned(),
            entity: entry.entity.map(str::to_owned),
            description: entry.description.to_owned(),
            sample: serde_json::from_str(entry.sample).unwrap_or_default(),
        }
    }
}

fn fields(shape: &Shape, depth: usize) -> Vec<CatalogField> {
    match shape {
        Shape::Object(members) if depth <= DEPTH_MAX => members()
            .into_iter()
            .map(|(name, shape)| CatalogField {
                name,
                kind: kind(&shape),
                fields: fields(&shape, depth + 1),
            })
            .collect(),
        Shape::List(element) => fields(element, depth),
        _ => Vec::new(),
    }
}

fn kind(shape: &Shape) -> String {
    match shape {
        Shape::Text => "text".to_owned(),
        Shape::Integer => "integer".to_owned(),
        Shape::Number => "number".to_owned(),
        Shape::Boolean => "true or false".to_owned(),
        Shape::Time => "time, in milliseconds".to_owned(),
        Shape::Object(_) => "object".to_owned(),
        Shape::List(element) => format!("list of {}", plural(&kind(element))),
        _ => "any JSON".to_owned(),
    }
}

fn plural(kind: &str) -> String {
    match kind {
        "any JSON" | "true or false" => kind.to_owned(),
        kind => format!("{kind}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_unfolded_through_lists() {
        let types = catalog();
        let user = types.iter().find(|known| known.event_type == "user.created").unwrap();
        let fields = user.fields();
        let emails = fields.iter().find(|field| field.name == "email_addresses").unwrap();
        assert_eq!(emails.kind, "list of objects");
        let address = emails.fields.iter().find(|field| field.name == "email_address").unwrap();
        assert_eq!((address.kind.as_str(), address.fields.len()), ("text", 0));
    }

    #[test]
    fn a_membership_that_was_deleted_comes_whole() {
        let names = |event_type: &str| {
            let types = catalog();
            let known = types.iter().find(|known| known.event_type == event_type).unwrap();
            known.names_a_deleted_object()
        };
        assert!(names("user.deleted"));
        assert!(!names("organizationMembership.deleted"));
    }
}
