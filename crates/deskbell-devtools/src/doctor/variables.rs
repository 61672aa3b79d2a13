//! The variables that a handler's signing secret may be in, right and wrong ones.

use clerk_webhooks::{Secret, SecretError};
use deskbell_config::{SetVariable, nearest};

use super::code::CheckCode;
use super::project::Project;
use super::report::Checks;
use crate::diagnosis::NamedSecret;

/// What Clerk's packages read.
pub(super) const OFFICIAL: &str = "CLERK_WEBHOOK_SIGNING_SECRET";
/// What Clerk's module for Nuxt reads before it.
const OFFICIAL_NUXT: &str = "NUXT_CLERK_WEBHOOK_SIGNING_SECRET";
/// What it was called before, or is called in guides.
const NEAR_MISSES: [&str; 9] = [
    "CLERK_WEBHOOK_SECRET",
    "CLERK_WEBHOOK_SECRET_KEY",
    "CLERK_WEBHOOKS_SECRET",
    "CLERK_SIGNING_SECRET",
    "CLERK_WEBHOOK_SIGNING_SECRETS",
    "CLERK_WEBHOOK_SIGNING_KEY",
    "WEBHOOK_SECRET",
    "SIGNING_SECRET",
    "SVIX_SECRET",
];
/// Prefixes of variables that frameworks send to browsers.
const PUBLIC_PREFIXES: [&str; 7] =
    ["NEXT_PUBLIC_", "NUXT_PUBLIC_", "VITE_", "PUBLIC_", "EXPO_PUBLIC_", "REACT_APP_", "GATSBY_"];
const SECRET_PREFIX: &str = "whsec_";
const COPY_IT: &str = "copy the endpoint's Signing Secret, whsec_…, from Clerk's dashboard, under \
                       Configure > Webhooks";

/// What is set, by what it may be for.
#[derive(Debug, Default)]
pub(super) struct Variables {
    official: Vec<SetVariable>,
    near: Vec<SetVariable>,
    exposed: Vec<SetVariable>,
}

impl Variables {
    pub(super) fn of(variables: Vec<SetVariable>) -> Self {
        let mut sorted = Self::default();
        for variable in variables {
            if variable.value.trim().is_empty() {
                continue;
            }
            if is_exposed(&variable) {
                sorted.exposed.push(variable);
            } else if [OFFICIAL, OFFICIAL_NUXT].contains(&&*variable.name) {
                sorted.official.push(variable);
            } else if is_near(&variable.name) || is_secret(&variable) {
                sorted.near.push(variable);
            }
        }
        sorted
    }

    /// The secrets that a handler may have, the likeliest first.
    pub(super) fn secrets(&self) -> Vec<NamedSecret> {
        let variables = self.official.iter().chain(&self.near).chain(&self.exposed);
        let named = variables.filter_map(|variable| {
            let secret = Secret::parse(&variable.value).ok()?;
            Some(NamedSecret { name: named(variable), text: variable.value.clone(), secret })
        });
        named.collect()
    }

    /// The one that Clerk's packages read.
    pub(super) fn in_use(&self) -> Option<&SetVariable> {
        self.official.first()
    }

    /// Whether one that is near it is set, and it is not.
    pub(super) fn near_miss(&self) -> Option<&SetVariable> {
        let near = self.near.iter().find(|variable| is_near(&variable.name));
        near.filter(|_| self.official.is_empty())
    }

    /// Another value of the variable that is used.
    fn conflict(&self) -> Option<(&SetVariable, &SetVariable)> {
        let used = self.official.first()?;
        let other = self
            .official
            .iter()
            .find(|other| other.name == used.name && other.value.trim() != used.value.trim())?;
        Some((used, other))
    }

    /// Adds what can be said without asking the handler.
    pub(super) fn examine(&self, checks: &mut Checks) {
        if let Some(variable) = self.exposed.first() {
            let to = if is_near_exactly(&variable.name) {
                OFFICIAL
            } else {
                "a variable without this prefix"
            };
            checks.fail(
                CheckCode::Exposed,
                format!("{} holds the secret", named(variable)),
                format!("make a new secret in Clerk's dashboard, and move it to {to}"),
            );
        }
        if let Some((found, help)) = self.in_use().and_then(malformed) {
            checks.fail(CheckCode::Secret, found, help);
        }
        match (self.conflict(), self.in_use()) {
            (Some((used, other)), _) => checks.warn(
                CheckCode::Variable,
                format!(
                    "{} has one value in {} and another in {}; the first one counts",
                    used.name, used.set_in, other.set_in
                ),
                format!("remove {} from {}, or make both equal", other.name, other.set_in),
            ),
            (None, Some(used)) => checks.pass(CheckCode::Variable, named(used)),
            (None, None) => match self.near_miss() {
                Some(near) => checks.warn(CheckCode::Variable, not_set(near), rename(near)),
                None => checks.skip(CheckCode::Variable, format!("{OFFICIAL} is not set here")),
            },
        }
    }

    /// Says that the handler has no secret, where it says so itself.
    pub(super) fn handler_has_none(
        &self,
        named_by_handler: Option<&str>,
        project: &Project,
        checks: &mut Checks,
    ) {
        let code = CheckCode::Variable;
        let read = named_by_handler.map(str::to_owned).or_else(|| {
            reads(project).into_iter().map(|(name, _)| name).find(|name| !self.is_set(name))
        });
        match (read, self.near_miss(), self.in_use()) {
            (Some(read), _, Some(used)) if read != used.name => checks.fail(
                code,
                format!("the handler reads {read}, which is not set; {} is", named(used)),
                format!("read {OFFICIAL} in the handler, or set {read}, and restart it"),
            ),
            (_, Some(near), _) => checks.fail(code, not_set(near), rename(near)),
            (read, None, _) => {
                let read = read.unwrap_or_else(|| OFFICIAL.to_owned());
                checks.fail(
                    code,
                    format!("the handler has no signing secret: {read} is not set where it runs"),
                    format!("set {read} in the environment of the handler, and restart it"),
                );
            }
        }
    }

    fn is_set(&self, name: &str) -> bool {
        let mut all = self.official.iter().chain(&self.near).chain(&self.exposed);
        all.any(|variable| variable.name == name)
    }

    /// A variable that the source reads for the secret, and that is not set here, as `NAME (file:line)`.
    pub(super) fn read_and_not_set(&self, project: &Project) -> Option<String> {
        let mut reads = reads(project).into_iter();
        let (name, at) = reads.find(|(name, _)| !self.is_set(name))?;
        Some(format!("{name} ({at})"))
    }
}

/// The variable and where it is set, as it is shown.
pub(super) fn named(variable: &SetVariable) -> String {
    format!("{} in {}", variable.name, variable.set_in)
}

fn not_set(near: &SetVariable) -> String {
    format!("{OFFICIAL} is not set; {} is", named(near))
}

fn rename(near: &SetVariable) -> String {
    format!(
        "rename {} to {OFFICIAL}, which Clerk's packages read, and restart the handler; or pass \
         signingSecret: process.env.{} to verifyWebhook",
        near.name, near.name
    )
}

/// What is wrong with the text of a secret, and how to mend it.
fn malformed(variable: &SetVariable) -> Option<(String, String)> {
    let at = named(variable);
    let text = &variable.value;
    let list_or_one = Secret::parse_list(text).map(drop).map_err(|error| error.source);
    let found = match Secret::parse(text).map(drop).or(list_or_one) {
        Ok(()) if text.trim() != text => {
            let help = "remove the line break or the spaces: printf instead of echo, and no pasted newline";
            return Some((format!("{at} has white space around it"), help.to_owned()));
        }
        Ok(()) => return None,
        Err(SecretError::ApiKey { prefix }) => format!("{at} is an API key, {prefix}…"),
        Err(SecretError::Quoted) => {
            let help = "remove the quotes: docker --env-file and most dashboards keep them as a part \
                        of the value";
            return Some((format!("{at} has quotes around it"), help.to_owned()));
        }
        Err(SecretError::UrlSafe) => format!("{at} is in the URL-safe alphabet of base64"),
        Err(_) => format!("{at} is not whsec_ and base64"),
    };
    Some((found, COPY_IT.to_owned()))
}

fn is_exposed(variable: &SetVariable) -> bool {
    let prefix = PUBLIC_PREFIXES.iter().find(|prefix| variable.name.starts_with(**prefix));
    prefix.is_some_and(|prefix| is_secret(variable) || is_near(&variable.name[prefix.len()..]))
}

fn is_secret(variable: &SetVariable) -> bool {
    variable.value.trim().starts_with(SECRET_PREFIX)
}

fn is_near_exactly(name: &str) -> bool {
    PUBLIC_PREFIXES.iter().any(|prefix| name.strip_prefix(prefix).is_some_and(is_near))
}

fn is_near(name: &str) -> bool {
    let is_like = || name.contains("WEBHOOK") && nearest::one(name, &[OFFICIAL]).is_some();
    name == OFFICIAL || NEAR_MISSES.contains(&name) || is_like()
}

/// The variables that the source reads for a webhook's secret, each with `file:line`.
fn reads(project: &Project) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for source in &project.sources {
        for (number, line) in source.lines_with("env") {
            let is_of_name = |character: char| {
                character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_'
            };
            for name in line.split(|character| !is_of_name(character)).filter(|name| is_near(name))
            {
                found.push((name.to_owned(), format!("{}:{number}", source.path)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn found(set: &[(&str, &str, &'static str)]) -> Vec<(CheckCode, Status, String)> {
        let variable = |(name, value, set_in): &(&str, &str, &'static str)| SetVariable {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
            set_in,
        };
        let mut checks = Checks::default();
        Variables::of(set.iter().map(variable).collect()).examine(&mut checks);
        let report = checks.finish(None, "");
        let checks = report.checks.into_iter().filter(|check| check.code.is_of_project());
        let found: Vec<_> = checks.map(|check| (check.code, check.status, check.found)).collect();
        assert!(!format!("{found:?}").contains("MfKQ"), "no secret shows");
        found
    }

    #[test]
    fn the_right_variable_with_a_right_secret_passes() {
        let pass = (CheckCode::Variable, Status::Pass, format!("{OFFICIAL} in .env"));
        assert_eq!(found(&[(OFFICIAL, SECRET, ".env")]), [pass]);
    }

    #[test]
    fn near_misses_are_named() {
        for name in NEAR_MISSES
            .into_iter()
            .chain(["CLERK_WEBHOK_SIGNING_WEBHOOK_SECRET", "CLERK_WEBHOOK_SIGNIN_SECRET"])
        {
            let found = found(&[(name, SECRET, ".env.local")]);
            let wanted = format!("{OFFICIAL} is not set; {name} in .env.local is");
            assert_eq!(found, [(CheckCode::Variable, Status::Warn, wanted)]);
        }
        let other = found(&[("CLERK_SECRET_KEY", "sk_test_1", ".env"), ("PORT", "3000", ".env")]);
        assert_eq!(other[0].1, Status::Skipped);
    }

    #[test]
    fn a_secret_that_browsers_get_is_a_failure() {
        let found = found(&[("NEXT_PUBLIC_CLERK_WEBHOOK_SECRET", SECRET, ".env")]);
        let codes: Vec<_> = found.iter().map(|(code, status, _)| (*code, *status)).collect();
        let wanted = [(CheckCode::Variable, Status::Skipped), (CheckCode::Exposed, Status::Fail)];
        assert_eq!(codes, wanted);
    }

    #[test]
    fn what_is_wrong_with_the_text_is_said() {
        let quoted = format!("\"{SECRET}\"");
        let newline = format!("{SECRET}\n");
        for (value, wanted) in [
            ("sk_test_abc", "is an API key, sk_…"),
            ("pk_live_abc", "is an API key, pk_…"),
            (&quoted, "has quotes around it"),
            (&newline, "has white space around it"),
            ("whsec_!", "is not whsec_ and base64"),
        ] {
            let found = found(&[(OFFICIAL, value, ".env")]);
            let (code, status, text) = &found[0];
            assert_eq!((*code, *status), (CheckCode::Secret, Status::Fail), "{value}");
            assert!(text.ends_with(wanted), "{text}");
        }
        let rotation = format!("{SECRET},{SECRET}");
        assert_eq!(found(&[(OFFICIAL, &rotation, ".env")]).len(), 1);
    }

    #[test]
    fn two_values_are_a_warning() {
        let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let found = found(&[(OFFICIAL, SECRET, ".env.local"), (OFFICIAL, other, ".env")]);
        let (code, status, text) = &found[0];
        assert_eq!((*code, *status), (CheckCode::Variable, Status::Warn));
        assert!(text.contains("one value in .env.local and another in .env"), "{text}");
    }
}
