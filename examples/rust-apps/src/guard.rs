//! The guard: what may be answered to whom, whatever the framework.

use crate::app::App;
use crate::session::{NotSignedIn, Session};

const SIGN_IN: &str = "/sign-in";

/// What the guard looks at of a request.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The path, as it was sent.
    pub path: &'a str,
    /// The header `Authorization`.
    pub authorization: Option<&'a str>,
    /// The header `Cookie`.
    pub cookies: Option<&'a str>,
    /// The header `Accept`.
    pub accept: Option<&'a str>,
}

/// What the guard says.
#[derive(Debug)]
pub enum Access {
    /// Nobody needs to be signed in.
    Public,
    /// Somebody is.
    SignedIn(Session),
    /// Nobody is, and a browser asks for a page: send it here.
    SignInFirst(String),
    /// Nobody is: 401.
    Unauthorized,
}

impl App {
    /// What may be answered to this request.
    #[must_use]
    pub fn access(&self, visit: Visit<'_>) -> Access {
        if self.public.matches(visit.path) {
            return Access::Public;
        }
        match self.sessions.find(visit.authorization, visit.cookies) {
            Ok(session) => Access::SignedIn(session),
            Err(why) => refuse(visit, &why),
        }
    }
}

fn refuse(visit: Visit<'_>, why: &NotSignedIn) -> Access {
    if !matches!(why, NotSignedIn::NoToken) {
        eprintln!("{}: {why}", visit.path);
    }
    let is_page = visit.accept.is_some_and(|accept| accept.contains("text/html"));
    if is_page && visit.authorization.is_none() {
        // A path such as //other.example would lead to another site.
        let is_ours = !visit.path.starts_with("//") && !visit.path.contains('\\');
        let back = if is_ours { visit.path } else { "/" };
        let back = form_urlencoded::byte_serialize(back.as_bytes()).collect::<String>();
        Access::SignInFirst(format!("{SIGN_IN}?redirect_url={back}"))
    } else {
        Access::Unauthorized
    }
}
