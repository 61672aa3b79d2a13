//! The page that asks for a token.

/// What the sign-in page shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SignIn<'a> {
    /// The one-time code of the link, which the page sends when its button is pressed.
    pub code: Option<&'a str>,
    /// Why signing in failed just now.
    pub error: Option<&'a str>,
    /// The path to go to then.
    pub next: &'a str,
}
