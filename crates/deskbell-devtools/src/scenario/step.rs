//! A scenario as a file has it: a list of steps.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::assignment::Assignment;

/// A scenario as a file has it, TOML or JSON.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What errors name as its place: a file, or the name of a scenario that Deskbell comes with.
    #[serde(skip)]
    pub(super) origin: Option<String>,
    /// What happens, in a sentence.
    pub description: Option<String>,
    /// The events, in the order of sending.
    #[serde(default, alias = "steps")]
    pub step: Vec<Step>,
}

/// One event of a scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The event type. One that the catalog lacks needs `data`.
    pub r#type: String,
    /// What later steps refer to it by: `{{user.id}}` is the `id` in the `data` of the step `user`.
    pub name: Option<String>,
    /// Steps of one cast are about the same person, organization and other objects. Without it a step
    /// belongs to the cast `main`.
    pub cast: Option<String>,
    /// Values to set, by their path in the body. A text may have references in it.
    #[serde(default)]
    pub set: Map<String, Value>,
    /// Whether `set` may add paths that the sample lacks.
    #[serde(default)]
    pub add: bool,
    /// `data` of its own in place of the sample's.
    pub data: Option<Value>,
}

impl Scenario {
    /// One event of this type, a sample of the catalog with these values set.
    #[must_use]
    pub fn of_type(event_type: &str, assignments: &[Assignment], add: bool) -> Self {
        let set = assignments.iter().map(Assignment::parts).collect();
        let r#type = event_type.to_owned();
        let step = Step { r#type, name: None, cast: None, set, add, data: None };
        Self { origin: None, description: None, step: vec![step] }
    }
}
