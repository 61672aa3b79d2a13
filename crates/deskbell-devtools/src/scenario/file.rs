//! Reading a scenario: TOML, or JSON where the file is named so.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::error::{ScenarioError, ScenarioFault};
use super::step::Scenario;
use crate::samples;

impl Scenario {
    /// # Errors
    /// The file cannot be read, or is no scenario.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let origin = path.display().to_string();
        match fs::read_to_string(path) {
            Ok(text) => Self::parse(&origin, &text),
            Err(error) => {
                let mut error = ScenarioError::new(ScenarioFault::Unreadable(error));
                error.origin = Some(origin);
                Err(error)
            }
        }
    }

    /// The scenario of a text, and what its errors name as its origin.
    ///
    /// # Errors
    /// It is no scenario.
    pub fn parse(origin: &str, text: &str) -> Result<Self, ScenarioError> {
        let is_json = Path::new(origin).extension().is_some_and(|extension| extension == "json");
        let parsed = if is_json {
            serde_json::from_str(text).map_err(|error| error.to_string())
        } else {
            toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
        };
        let scenario: Result<Self, _> =
            parsed.map_err(|text| ScenarioError::new(ScenarioFault::Syntax(text)));
        let origin = Some(origin.to_owned());
        match scenario.and_then(Self::checked) {
            Ok(scenario) => Ok(Self { origin, ..scenario }),
            Err(error) => Err(ScenarioError { origin, ..error }),
        }
    }

    /// Whether every step has what it needs, before any is played.
    fn checked(self) -> Result<Self, ScenarioError> {
        if self.step.is_empty() {
            return Err(ScenarioError::new(ScenarioFault::Empty));
        }
        let mut names = HashSet::new();
        for (index, step) in self.step.iter().enumerate() {
            let error = |fault| {
                let step = Some((index + 1, step.r#type.clone()));
                ScenarioError { origin: None, step, fault: Box::new(fault) }
            };
            if let Some(name) = step.name.as_ref().filter(|name| !names.insert(*name)) {
                return Err(error(ScenarioFault::NameTwice(name.clone())));
            }
            if step.data.is_none()
                && let Err(unknown) = samples::entry(&step.r#type)
            {
                return Err(error(ScenarioFault::TypeWithoutData(unknown)));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;

    fn error(text: &str) -> (String, String) {
        let error = Scenario::parse("own.toml", text).unwrap_err();
        let help = error.help().map_or_else(String::new, |help| help.to_string());
        (error.to_string(), help)
    }

    #[test]
    fn mistakes_say_where_they_are_and_how_to_mend_them() {
        for (text, wanted, help) in [
            ("", "own.toml: it has no steps", "[[step]]"),
            ("[[step]]\ntype = 1", "line 2", "`[[step]]` with"),
            ("[[step]]\ntpye = \"user.created\"", "unknown field `tpye`", "`name`, `cast`"),
            (
                "[[step]]\ntype = \"user.craeted\"",
                "step 1 (user.craeted): unknown event type",
                "correct the type",
            ),
            (
                "[[step]]\ntype = \"user.created\"\nname = \"a\"\n[[step]]\ntype = \
                 \"user.updated\"\nname = \"a\"",
                "own.toml: step 2 (user.updated): two steps have the name `a`",
                "its own",
            ),
        ] {
            let (said, helped) = error(text);
            assert!(said.contains(wanted), "{text}: {said}");
            assert!(helped.contains(help), "{text}: {helped}");
        }
    }

    #[test]
    fn a_scenario_may_be_json() {
        let text = r#"{"step": [{"type": "user.created", "set": {"data.first_name": null}}]}"#;
        assert_eq!(Scenario::parse("own.json", text).unwrap().step.len(), 1);
        assert!(Scenario::parse("own.toml", text).is_err());
    }
}
