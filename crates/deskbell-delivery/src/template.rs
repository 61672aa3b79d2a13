//! Templates over events, in the language of Jinja: the texts of emails and messages.
//!
//! They see the same roots as conditions do. A path that is missing or null renders as nothing, is
//! false, and `is none`; one can go on from it. Values are escaped for the place they go to, so that
//! what people write about themselves stays text. Not to be had: macros, includes, and `debug`.

use std::fmt;

use deskbell_config::TemplateText;
use deskbell_expr::{CheckedPath, EventView, ROOTS, check_path, nearest_root};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

mod bounded;
mod error;
mod escape;
mod filters;
mod lexer;
mod limits;
mod meter;
mod metered;
mod names;
pub mod reference;
mod tags;
mod values;
mod watched;

use bounded::{Bounded, RENDERED_BYTES_MAX, TEMPLATE_BYTES_MAX};
pub use error::CheckFailure;
pub(crate) use error::TemplateError;
pub(crate) use escape::{Escape, slack};
use metered::NotMetered;

/// The steps that a template may take; at more, rendering fails.
const STEPS_MAX: u64 = 250_000;
/// Names beside the roots that a template may use: `null` is nothing, as in conditions.
const OTHER_NAMES: &[&str] = &["null", "loop"];

pub(crate) struct Template {
    name: String,
    environment: Environment<'static>,
    /// The roots that it uses: no others are made ready for it.
    roots: Vec<&'static str>,
    /// The paths from roots that it names, as `user.first_name`.
    paths: Vec<String>,
}

impl Template {
    /// Compiles the value of this key of a destination. Errors name its file, where it is in one.
    pub(crate) fn of_key(
        destination: &str,
        key: &str,
        source: &TemplateText,
        escape: Escape,
    ) -> Result<Self, TemplateError> {
        let in_file = source.file.as_ref().map(|file| file.display().to_string());
        let name = in_file.unwrap_or_else(|| format!("{destination}/{key}"));
        Self::compile(name, &source.text, escape)
    }

    /// Compiles it, and refuses names that no event has. Errors call it by `name`.
    pub(crate) fn compile(
        name: impl Into<String>,
        text: &str,
        escape: Escape,
    ) -> Result<Self, TemplateError> {
        let name = name.into();
        if text.len() > TEMPLATE_BYTES_MAX {
            let reason = format!("it is longer than {TEMPLATE_BYTES_MAX} bytes");
            return Err(TemplateError::new(&name, None, reason));
        }
        if let Some(line) = tags::line_of_comparison(text) {
            let reason = "write `is none` or `is not none` in place of a comparison";
            return Err(TemplateError::new(&name, Some(line), reason));
        }
        let syntax = |error: minijinja::Error| TemplateError::syntax(&name, &error);
        let mut environment = environment(escape);
        environment.add_template_owned(name.clone(), text.to_owned()).map_err(syntax)?;
        let paths = paths(&environment, &name);
        let roots = roots(&environment, &name, text, &paths)?;
        meter::add_functions(&mut environment);
        let metered = metered::metered(text)
            .map_err(|NotMetered { line, reason }| TemplateError::new(&name, Some(line), reason))?;
        environment.add_template_owned(name.clone(), metered).map_err(syntax)?;
        Ok(Self { name, environment, roots, paths })
    }

    /// What it is called in errors.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it comes to the same for every event.
    pub(crate) fn is_fixed(&self) -> bool {
        self.roots.is_empty()
    }

    /// What it comes to for an event; `None` is no event, for what must hold without one.
    pub(crate) fn render(&self, view: Option<&EventView<'_>>) -> Result<String, TemplateError> {
        let context = view.map_or_else(
            || Value::from_iter::<[(&str, Value); 0]>([]),
            |view| values::context(view, &self.roots),
        );
        self.render_with(context)
    }

    fn render_with(&self, context: Value) -> Result<String, TemplateError> {
        let mut output = Bounded::default();
        let rendered = self
            .environment
            .get_template(&self.name)
            .and_then(|template| template.render_captured_to(context, &mut output).map(drop));
        match rendered {
            Ok(()) => Ok(String::from_utf8_lossy(&output.bytes).into_owned()),
            Err(_) if output.full => {
                let reason = format!("its output is larger than {RENDERED_BYTES_MAX} bytes");
                Err(TemplateError::new(&self.name, None, reason))
            }
            Err(error) => Err(TemplateError::rendering(&self.name, &error)),
        }
    }

    /// Its paths that no sample and no description of events of these types has, in words.
    pub(crate) fn unknown_paths(&self, event_types: &[&str]) -> Vec<String> {
        let name = &self.name;
        let word = |path: &String| match check_path(path, event_types) {
            CheckedPath::Warning(unknown) => Some(format!("template {name}: {unknown}")),
            CheckedPath::Known | CheckedPath::Error(_) => None,
        };
        self.paths.iter().filter_map(word).collect()
    }

    /// Renders it with the catalog's sample of each type, and tells where that fails, or asks for a
    /// field that an entity does not have.
    pub(crate) fn check(&self, event_types: &[&str]) -> Vec<CheckFailure> {
        CheckFailure::all(event_types, |sample| self.render_sample(sample).err())
    }

    /// What it comes to for a sample; or what fails, which may be a field that no such event has.
    pub(crate) fn render_sample(&self, sample: &EventView<'_>) -> Result<String, String> {
        let unknown = watched::Unknown::default();
        let context = watched::context(sample, &self.roots, &unknown);
        let rendered = self.render_with(context).map_err(|error| error.to_string())?;
        match unknown.first() {
            Some(unknown) => Err(format!("template {}: {unknown}", self.name)),
            None => Ok(rendered),
        }
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, roots, .. } = self;
        f.debug_struct("Template").field("name", name).field("roots", roots).finish_non_exhaustive()
    }
}

fn environment(escape: Escape) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(STEPS_MAX));
    environment.set_auto_escape_callback(move |_| match escape {
        Escape::Text => AutoEscape::None,
        Escape::Html => AutoEscape::Html,
        Escape::Address => AutoEscape::Custom("address"),
        Escape::Slack => AutoEscape::Custom("slack"),
        Escape::SlackBlocks => AutoEscape::Custom("slack blocks"),
    });
    environment.set_formatter(move |out, state, value| escape.write(out, state, value));
    names::add_tests(&mut environment);
    names::add_functions(&mut environment);
    filters::add_all(&mut environment, escape);
    environment
}

/// The paths that the template uses and does not set itself, names without a field among them.
fn paths(environment: &Environment<'_>, name: &str) -> Vec<String> {
    let used = environment.get_template(name).map(|template| template.undeclared_variables(true));
    let mut used: Vec<_> = used.unwrap_or_default().into_iter().collect();
    used.sort();
    used
}

/// The roots that the template uses.
fn roots(
    environment: &Environment<'_>,
    name: &str,
    text: &str,
    paths: &[String],
) -> Result<Vec<&'static str>, TemplateError> {
    let line_of = |path: &str| tags::line_of_use(text, path).or(Some(1));
    // The engine does not look into slices.
    let is_used = |root: &&&str| tags::line_of_use(text, root).is_some();
    let mut roots: Vec<&'static str> = ROOTS.iter().filter(is_used).copied().collect();
    for path in paths {
        let root = path.split('.').next().unwrap_or_default();
        if let CheckedPath::Error(unknown) = check_path::<&str>(path, &[]) {
            return Err(TemplateError::new(name, line_of(path), unknown.to_string()));
        }
        if let Some(root) = ROOTS.iter().find(|known| **known == root) {
            if !roots.contains(root) {
                roots.push(*root);
            }
        } else if !OTHER_NAMES.contains(&root)
            && !environment.globals().any(|(global, _)| global == root)
        {
            let nearest = nearest_root(root).map(|nearest| format!(", did you mean `{nearest}`?"));
            let reason = format!("unknown name `{root}`{}", nearest.unwrap_or_default());
            return Err(TemplateError::new(name, line_of(root), reason));
        }
    }
    Ok(roots)
}

#[cfg(test)]
mod tests;
