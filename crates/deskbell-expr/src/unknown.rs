//! Paths that lead to nothing that is known: most often a name that was misspelt.

use std::fmt;

use crate::form::Form;
use crate::path::{Path, Step};
use crate::roots;

/// A path whose field is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPath {
    /// What has no such field, such as `user.public_user_data`.
    pub of: String,
    /// The field, or `[0]` where something is no list.
    pub field: String,
    /// The known field that is most like it.
    pub nearest: Option<&'static str>,
    /// The column of the path in the text, in characters from 1; 0 where that is not known.
    pub column: usize,
    /// The same path under `data`, which has fields that this version does not know.
    pub under_data: Option<String>,
}

impl UnknownPath {
    /// What is unknown in a path from a typed root; `None` where all of it is known.
    pub(crate) fn typed(path: &Path, column: usize) -> Option<Self> {
        if roots::UNTYPED.contains(&path.root) {
            return None;
        }
        match Form::of_entity_root(path.root) {
            Some(form) => Some(Self::below(path, failing_step(form, &path.steps)?, column)),
            // Any other root is a text.
            None => path.steps.first().map(|_| Self::at(path, (0, Vec::new()), column)),
        }
    }

    /// What is unknown in a path from an entity's root, given the step and what is known instead.
    fn below(path: &Path, failing: (usize, Vec<&'static str>), column: usize) -> Self {
        let under_data = Path { root: "data", steps: path.steps.clone() }.to_string();
        Self { under_data: Some(under_data), ..Self::at(path, failing, column) }
    }

    /// What is unknown in a path from `data`, in events of these types, or from `event_attributes`.
    pub(crate) fn untyped<S: AsRef<str>>(
        path: &Path,
        column: usize,
        event_types: &[S],
    ) -> Option<Self> {
        let form = match path.root {
            "data" => Form::of_data(event_types),
            "event_attributes" => Form::of_attributes(),
            _ => return None,
        };
        Some(Self::at(path, failing_step(&form, &path.steps)?, column))
    }

    fn at(path: &Path, (index, known): (usize, Vec<&'static str>), column: usize) -> Self {
        let of = Path { root: path.root, steps: path.steps[..index].to_vec() }.to_string();
        let (field, nearest) = match &path.steps[index] {
            Step::Member(name) => (name.clone(), roots::nearest(name, known)),
            Step::Element(index) => (format!("[{index}]"), None),
        };
        Self { of, field, nearest, column, under_data: None }
    }
}

/// The first step that leads to nothing known, and the names that are known in its stead.
fn failing_step(form: &Form, steps: &[Step]) -> Option<(usize, Vec<&'static str>)> {
    let mut reached: Option<Form> = None;
    for (index, step) in steps.iter().enumerate() {
        let form = reached.as_ref().unwrap_or(form);
        match form.step(step) {
            Some(behind) => reached = Some(behind),
            None => return Some((index, form.names())),
        }
    }
    None
}

/// What is unknown in a path that is written as names with dots between, as templates have them:
/// `user.full_nam`. It is an error where the root is typed, else a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckedPath {
    /// All of it is known, or may be anything.
    Known,
    /// The root is typed and has no such field.
    Error(UnknownPath),
    /// No sample and no description has such a path.
    Warning(UnknownPath),
}

/// Checks a path that is written as names with dots between, for events of these types.
#[must_use]
pub fn check_path<S: AsRef<str>>(dotted: &str, event_types: &[S]) -> CheckedPath {
    let mut names = dotted.split('.');
    let root = names.next().and_then(|name| roots::ROOTS.iter().find(|root| **root == name));
    let Some(root) = root else { return CheckedPath::Known };
    let path = Path { root, steps: names.map(|name| Step::Member(name.to_owned())).collect() };
    if let Some(unknown) = UnknownPath::typed(&path, 0) {
        return CheckedPath::Error(unknown);
    }
    UnknownPath::untyped(&path, 0, event_types).map_or(CheckedPath::Known, CheckedPath::Warning)
}

/// An entity's root, or a field below it, whose own fields are known: for those who follow a path one
/// member at a time.
#[derive(Clone)]
pub struct TypedField {
    path: Path,
    form: Form,
}

impl TypedField {
    /// The root of this name; `None` where it is no entity's.
    #[must_use]
    pub fn of_root(root: &'static str) -> Option<Self> {
        let form = Form::of_entity_root(root)?.clone();
        Some(Self { path: Path { root, steps: Vec::new() }, form })
    }

    /// A member of this field.
    ///
    /// # Errors
    /// [`UnknownPath`]: no value of the field has it.
    pub fn member(&self, name: &str) -> Result<Self, UnknownPath> {
        self.step(Step::Member(name.to_owned()))
    }

    /// An element of this field, a list.
    ///
    /// # Errors
    /// [`UnknownPath`]: the field is no list.
    pub fn element(&self) -> Result<Self, UnknownPath> {
        self.step(Step::Element(0))
    }

    fn step(&self, step: Step) -> Result<Self, UnknownPath> {
        let form = self.form.step(&step);
        let mut path = self.path.clone();
        path.steps.push(step);
        match form {
            Some(form) => Ok(Self { path, form }),
            None => Err(UnknownPath::below(&path, (self.path.steps.len(), self.form.names()), 0)),
        }
    }
}

impl fmt::Debug for TypedField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedField({})", self.path)
    }
}

impl fmt::Display for UnknownPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, field, nearest, column, under_data } = self;
        write!(f, "`{of}` has no field `{field}`")?;
        if *column > 0 {
            write!(f, " at column {column}")?;
        }
        match nearest {
            Some(nearest) => write!(f, ", did you mean `{nearest}`?")?,
            None if under_data.is_some() => f.write_str(".")?,
            None => {}
        }
        match under_data {
            Some(path) => {
                write!(f, " A field that this version does not know can be reached as `{path}`")
            }
            None => Ok(()),
        }
    }
}
