//! How a browser's session begins and ends.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use deskbell_admin::{Admin, Method, NewSession, Route, SignIn};
use deskbell_store::AccessToken;
use deskbell_store::clock::now_ms;
use http::header::{LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use crate::access::Access;
use crate::next_path;
use crate::problem::Problem;
use crate::session_cookie;
use crate::site::Site;
pub(crate) use attempts::Attempts;

mod attempts;

/// The routes for signing in and out. What is posted must come from a page of ours; [`crate::guard`]
/// checks that.
pub(crate) const ROUTES: &[Route] = &[
    Route::open(Method::Get, "/sign-in"),
    Route::open(Method::Post, "/sign-in"),
    Route::open(Method::Post, "/sign-out"),
];

/// The page for signing in, as HTML.
pub(crate) type Page = fn(SignIn<'_>) -> String;

/// What signing in needs.
pub(crate) struct SigningIn {
    access: Arc<Access>,
    admin: Arc<dyn Admin>,
    site: Arc<Site>,
    page: Page,
    attempts: Arc<Attempts>,
}

impl SigningIn {
    pub(crate) fn new(
        access: Arc<Access>,
        admin: Arc<dyn Admin>,
        site: Arc<Site>,
        page: Page,
        attempts: Arc<Attempts>,
    ) -> Self {
        Self { access, admin, site, page, attempts }
    }
}

impl fmt::Debug for SigningIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningIn").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}

pub(crate) fn router(signing_in: SigningIn) -> Router {
    Router::new()
        .route("/sign-in", get(show).post(begin))
        .route("/sign-out", post(end))
        .with_state(Arc::new(signing_in))
}

/// What a person fills in, or a link has.
#[derive(Default)]
struct Form {
    token: String,
    code: String,
    next: String,
}

impl Form {
    fn read(encoded: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(encoded) {
            match &*name {
                "token" => form.token = value.into_owned(),
                "code" => form.code = value.into_owned(),
                "next" => form.next = value.into_owned(),
                _ => {}
            }
        }
        form
    }

    fn next(&self) -> &str {
        next_path::local_or_start(&self.next)
    }
}

/// `GET /sign-in`. A link's code stays valid: whatever previews links must not use it up.
async fn show(State(signing_in): State<Arc<SigningIn>>, RawQuery(query): RawQuery) -> Response {
    let form = Form::read(query.unwrap_or_default().as_bytes());
    let is_code = form.code.parse::<AccessToken>().is_ok();
    let error = "this link is not complete; copy the whole link";
    let page = SignIn {
        code: is_code.then_some(&*form.code),
        error: (!is_code && !form.code.is_empty()).then_some(error),
        next: form.next(),
    };
    html((signing_in.page)(page))
}

/// `POST /sign-in`, with a token or with a link's code.
async fn begin(State(signing_in): State<Arc<SigningIn>>, head: Parts, body: Bytes) -> Response {
    let form = Form::read(&body);
    let is_secure = signing_in.site.is_secure(&head);
    match signing_in.begin(&form, &head).await {
        Ok(session) => {
            let ends_in_seconds = (session.session.expires_at.0 - now_ms()).max(0) / 1_000;
            let cookie = session_cookie::set(&session.secret, ends_in_seconds, is_secure);
            go_to(form.next(), cookie)
        }
        Err(problem) => {
            // The code of a link that failed is of no further use.
            let page = SignIn { code: None, error: Some(problem.detail()), next: form.next() };
            let page = (signing_in.page)(page);
            problem.with_page(page)
        }
    }
}

impl SigningIn {
    async fn begin(&self, form: &Form, head: &Parts) -> Result<NewSession, Problem> {
        let client = self.site.client(head);
        let found = match form.code.is_empty() {
            true => self.session_for_token(form.token.trim(), client).await?,
            false => self.session_for_code(form.code.trim(), client).await?,
        };
        let Some(session) = found else {
            self.access.report("an attempt to sign in failed");
            let detail = match form.code.is_empty() {
                true => "this token is not valid",
                false => "this link was used already, or is older than 15 minutes; get another one",
            };
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail));
        };
        // The browser forgets the session that it had, whether or not this succeeds.
        if let Err(problem) = self.end(head).await {
            tracing::debug!(error = problem.detail(), "cannot end the session before");
        }
        Ok(session)
    }

    /// A token of the store cannot be guessed. Whoever sends another text may guess at the one of the
    /// config, for which attempts are limited.
    async fn session_for_token(
        &self,
        token: &str,
        client: IpAddr,
    ) -> Result<Option<NewSession>, Problem> {
        let is_guess = token.parse::<AccessToken>().is_err();
        if is_guess {
            self.attempts.begin(client).map_err(|wait| self.too_many_attempts(wait))?;
        }
        let credentials = self.access.credentials_of(token.as_bytes());
        let Some(caller) = self.access.caller(&credentials, client).await? else { return Ok(None) };
        if is_guess {
            self.attempts.succeeded(client);
        }
        Ok(Some(self.admin.begin_session(&caller).await?))
    }

    async fn session_for_code(
        &self,
        code: &str,
        client: IpAddr,
    ) -> Result<Option<NewSession>, Problem> {
        match code.parse() {
            Ok(code) => Ok(self.access.with_code(&code, client).await?),
            Err(_) => Ok(None),
        }
    }

    fn too_many_attempts(&self, wait: Duration) -> Problem {
        self.access.report("too many attempts to sign in");
        let seconds = wait.as_secs() + 1;
        let minutes = seconds.div_ceil(60);
        let detail = format!("too many attempts; try again in {minutes} min");
        let status = StatusCode::TOO_MANY_REQUESTS;
        Problem::new(status, "too_many_attempts", detail).retry_after(seconds)
    }

    /// Ends the session of this request's cookie, if it has one.
    async fn end(&self, head: &Parts) -> Result<(), Problem> {
        match session_cookie::secret(&head.headers, self.site.is_secure(head)) {
            Some(secret) => Ok(self.admin.end_session(&secret).await?),
            None => Ok(()),
        }
    }
}

/// `POST /sign-out`.
async fn end(State(signing_in): State<Arc<SigningIn>>, head: Parts) -> Response {
    match signing_in.end(&head).await {
        Ok(()) => go_to("/sign-in", session_cookie::cleared(signing_in.site.is_secure(&head))),
        Err(problem) => problem.into_response(),
    }
}

fn html(page: String) -> Response {
    axum::response::Html(page).into_response()
}

/// Has the browser go to a path of ours.
fn go_to(path: &str, cookie: Option<HeaderValue>) -> Response {
    let mut reply = StatusCode::SEE_OTHER.into_response();
    if let Ok(path) = HeaderValue::from_str(path) {
        reply.headers_mut().insert(LOCATION, path);
    }
    if let Some(cookie) = cookie {
        reply.headers_mut().insert(SET_COOKIE, cookie);
    }
    reply
}
