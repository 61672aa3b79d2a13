//! `PublicRoutes`: which paths need no session, in the patterns of Clerk's `createRouteMatcher()`.

use thiserror::Error;

const ANYTHING: &str = "(.*)";

/// The paths that need no session. Every other path needs one.
///
/// Of Clerk's patterns it knows two forms: a path, and the beginning of a path, with `(.*)` for the rest. As in
/// `createRouteMatcher()`, `/sign-in(.*)` matches `/sign-in`, `/sign-in/sso` and `/sign-in-help` too, and `/about`
/// matches `/about/`. Unlike there, upper and lower case differ, as they do in the routers of axum and actix-web.
///
/// A path that a router or a proxy could read as another one is never public: one with `%`, `//`, or a segment `.` or `..`.
///
/// ```
/// use webhook_apps::PublicRoutes;
///
/// let public = PublicRoutes::new(["/", "/sign-in(.*)", "/api/webhooks(.*)"])?;
/// assert!(public.matches("/sign-in/sso-callback"));
/// assert!(!public.matches("/dashboard"));
/// assert!(!public.matches("/sign-in/../dashboard"));
/// # Ok::<(), webhook_apps::NotAPattern>(())
/// ```
#[derive(Debug)]
pub struct PublicRoutes(Vec<Pattern>);

#[derive(Debug)]
enum Pattern {
    Path(String),
    Prefix(String),
}

/// A pattern that `PublicRoutes` does not know. It would match nothing, so it is an error at start.
#[derive(Debug, Error)]
#[error(
    "expected a path such as `/about`, or the beginning of one such as `/blog(.*)`, found `{0}`"
)]
pub struct NotAPattern(String);

impl PublicRoutes {
    /// The routes that match one of the patterns.
    ///
    /// # Errors
    ///
    /// If a pattern has another form: a named parameter such as `:id`, or another regular expression.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, NotAPattern> {
        patterns.into_iter().map(Pattern::parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a request for this path needs no session. The path is the one of the request, as it was sent.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        !is_ambiguous(path) && self.0.iter().any(|pattern| pattern.matches(path))
    }
}

impl Pattern {
    fn parse(pattern: &str) -> Result<Self, NotAPattern> {
        let prefix = pattern.strip_suffix(ANYTHING);
        let literal = prefix.unwrap_or(pattern);
        let is_plain =
            literal.starts_with('/') && !literal.contains(['(', ')', ':', '*', '{', '?', '+']);
        if !is_plain || is_ambiguous(literal) {
            return Err(NotAPattern(pattern.to_owned()));
        }
        let literal = literal.to_owned();
        Ok(if prefix.is_some() { Self::Prefix(literal) } else { Self::Path(literal) })
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Path(literal) => path == literal || path.strip_suffix('/') == Some(literal),
            Self::Prefix(literal) => path.starts_with(literal),
        }
    }
}

fn is_ambiguous(path: &str) -> bool {
    path.contains(['%', '\\'])
        || path.contains("//")
        || path.split('/').any(|segment| matches!(segment, "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_public_only_by_a_pattern() {
        let public =
            PublicRoutes::new(["/", "/about", "/sign-in(.*)", "/api/webhooks/(.*)"]).unwrap();
        for (path, expected) in [
            ("/", true),
            ("/about", true),
            ("/about/", true),
            ("/about/us", false),
            ("/About", false),
            ("/sign-in", true),
            ("/sign-in/sso", true),
            ("/sign-in-help", true),
            ("/sign", false),
            ("/api/webhooks", false),
            ("/api/webhooks/clerk", true),
            ("/dashboard", false),
            ("", false),
            ("//", false),
            ("/sign-in/../dashboard", false),
            ("/sign-in/%2e%2e/dashboard", false),
            ("/sign-in//dashboard", false),
            ("/sign-in/./x", false),
            ("/sign-in\\..\\dashboard", false),
        ] {
            assert_eq!(public.matches(path), expected, "{path}");
        }
    }

    #[test]
    fn a_pattern_of_another_form_is_refused() {
        for pattern in
            ["", "about", "/blog/:slug", "/a(.*)/b", "/(.*)x", "/a*", "/(api|trpc)(.*)", "/a/../b"]
        {
            let error = PublicRoutes::new([pattern]).unwrap_err();
            assert!(error.to_string().ends_with(&format!("found `{pattern}`")), "{error}");
        }
    }
}
