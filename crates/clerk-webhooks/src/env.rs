//! The secret from the environment, under the names that Clerk has used for it.

use std::fmt;

use crate::secret::{Secret, SecretError, SecretListError};

const CURRENT: &str = "CLERK_WEBHOOK_SIGNING_SECRET";
const OLDER: &str = "CLERK_WEBHOOK_SECRET";
/// Names that tutorials use. Too general to be trusted, so they are only pointed out.
const MISTAKEN: [&str; 2] = ["WEBHOOK_SECRET", "SIGNING_SECRET"];

/// The secrets that the environment holds, and where they were.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EnvSecrets {
    /// At least one.
    pub secrets: Vec<Secret>,
    /// The variable that they were read from.
    pub variable: &'static str,
    /// The older variable, where it is set as well and holds something else: worth a warning, since it was not read.
    pub ignored: Option<&'static str>,
}

impl Secret {
    /// Reads `CLERK_WEBHOOK_SIGNING_SECRET` or, where that is unset or blank, `CLERK_WEBHOOK_SECRET`, the older name.
    /// Either may hold several secrets, as [`Secret::parse_list`] reads them.
    ///
    /// # Errors
    /// [`FromEnvError`], where neither is set, or what is set is no secret.
    pub fn list_from_env() -> Result<EnvSecrets, FromEnvError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place of the library that reads the environment"
        )]
        let read = |name: &str| std::env::var_os(name);
        Self::list_from_vars(|name| read(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// [`Secret::list_from_env`] with variables that come from elsewhere.
    ///
    /// ```
    /// use clerk_webhooks::Secret;
    ///
    /// let found = Secret::list_from_vars(|name| {
    ///     (name == "CLERK_WEBHOOK_SECRET").then(|| "whsec_c2VjcmV0".to_owned())
    /// })?;
    /// assert_eq!(found.variable, "CLERK_WEBHOOK_SECRET");
    /// # Ok::<(), clerk_webhooks::FromEnvError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Secret::list_from_env`].
    pub fn list_from_vars(
        var: impl Fn(&str) -> Option<String>,
    ) -> Result<EnvSecrets, FromEnvError> {
        let set = |name: &'static str| var(name).filter(|value| !value.trim().is_empty());
        let (variable, value) = [CURRENT, OLDER]
            .into_iter()
            .find_map(|name| set(name).map(|value| (name, value)))
            .ok_or_else(|| FromEnvError::NotSet {
                blank: [CURRENT, OLDER].into_iter().find(|name| var(name).is_some()),
                instead: MISTAKEN.into_iter().find(|name| set(name).is_some()),
            })?;
        let secrets =
            Self::parse_list(&value).map_err(|SecretListError { position, source }| {
                FromEnvError::Malformed { variable, position, source }
            })?;
        let ignored = (variable == CURRENT)
            .then(|| set(OLDER))
            .flatten()
            .filter(|older| !Self::parse_list(older).is_ok_and(|older| older == secrets))
            .map(|_| OLDER);
        Ok(EnvSecrets { secrets, variable, ignored })
    }
}

/// Why the environment gave no secret. Its `Debug` is its message, since that is what a `main` which
/// returns it prints.
#[derive(Clone, Copy, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FromEnvError {
    /// Neither variable holds anything.
    #[error("{}", not_set(*.blank, *.instead))]
    NotSet {
        /// The variable that is set, but blank.
        blank: Option<&'static str>,
        /// A name that is set and perhaps was meant: `WEBHOOK_SECRET` or `SIGNING_SECRET`.
        instead: Option<&'static str>,
    },
    /// What is set is no signing secret.
    #[error("{variable}, secret {position}: {source}")]
    Malformed {
        /// The variable.
        variable: &'static str,
        /// Which of its secrets, from 1.
        position: usize,
        /// What is wrong with it.
        source: SecretError,
    },
}

impl fmt::Debug for FromEnvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn not_set(blank: Option<&str>, instead: Option<&str>) -> String {
    let state = match blank {
        Some(name) => format!("{name} is set, but blank"),
        None => format!("{CURRENT} is not set"),
    };
    match instead {
        Some(name) => format!("{state}: rename {name}, which is set, to {CURRENT}"),
        None => format!(
            "{state}: set {CURRENT} to the endpoint's Signing Secret, `whsec_…`, from the Webhooks page of Clerk's dashboard"
        ),
    }
}
