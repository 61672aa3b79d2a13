//! `Path`: a chain of members from a root, such as `user.email_addresses[0].id`, and what it leads to.

use std::fmt;

use serde_json::Value as Json;

/// A chain of members from a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) root: &'static str,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Member(String),
    Element(usize),
}

/// What a path leads to.
#[derive(Clone, Copy)]
pub(crate) enum Found<'v> {
    Text(&'v str),
    Json(&'v Json),
    Missing,
}

/// Follows steps from a value; none where one is missing.
pub(crate) fn follow<'v>(from: &'v Json, steps: &[Step]) -> Option<&'v Json> {
    steps.iter().try_fold(from, |value, step| match step {
        Step::Member(name) => value.as_object()?.get(name),
        Step::Element(index) => value.as_array()?.get(*index),
    })
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.root)?;
        for step in &self.steps {
            match step {
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Element(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
