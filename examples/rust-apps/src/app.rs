//! What an app is made of, from the environment.

use std::error::Error;
use std::sync::Arc;

use clerk_webhooks::Verifier;

use crate::public_routes::PublicRoutes;
use crate::session::Sessions;
use crate::users::Users;

/// Everything that is not here needs a session. `/api/webhooks` must be: Clerk does not sign in.
const PUBLIC: [&str; 3] = ["/", "/sign-in(.*)", "/api/webhooks(.*)"];

/// What the handlers and the guard share.
#[derive(Clone)]
pub struct App {
    /// Checks the signatures of Clerk's webhooks.
    pub verifier: Verifier,
    /// The paths that need no session.
    pub public: Arc<PublicRoutes>,
    /// Checks Clerk's session tokens.
    pub sessions: Arc<Sessions>,
    /// The users that Clerk's events make.
    pub users: Users,
}

impl App {
    /// An app by `CLERK_WEBHOOK_SIGNING_SECRET`, `CLERK_JWT_KEY`, `CLERK_FRONTEND_API_URL`, `AUTHORIZED_PARTIES` and `DATABASE`.
    ///
    /// # Errors
    ///
    /// If a variable is missing or wrong, or the database cannot be opened.
    pub fn from_env() -> Result<Self, Box<dyn Error>> {
        let parties = variable("AUTHORIZED_PARTIES").unwrap_or("http://localhost:3000".into());
        let sessions = Sessions::new(
            &required("CLERK_JWT_KEY")?,
            &required("CLERK_FRONTEND_API_URL")?,
            parties.split(',').map(str::trim),
        )?;
        Ok(Self {
            verifier: Verifier::from_env()?,
            public: Arc::new(PublicRoutes::new(PUBLIC)?),
            sessions: Arc::new(sessions),
            users: Users::open(&variable("DATABASE").unwrap_or("app.db".into()))?,
        })
    }

    /// The address to listen at: `LISTEN`, or `127.0.0.1:3000`.
    #[must_use]
    pub fn address() -> String {
        variable("LISTEN").unwrap_or("127.0.0.1:3000".into())
    }
}

fn required(name: &str) -> Result<String, String> {
    variable(name).ok_or_else(|| format!("{name} is not set"))
}

#[expect(clippy::disallowed_methods, reason = "the one place where the app reads its environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
