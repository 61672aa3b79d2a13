//! Routes that are not public: what each one needs. A route that is in no table is refused.

use deskbell_store::TokenRole;

/// A method of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `HEAD` too.
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Anybody: how one signs in, and styles.
    Nothing,
    /// A token, or a session, of this role or one that allows more.
    Role(TokenRole),
}

/// A route of the admin API or the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    /// As axum has it, such as `/api/v1/events/{id}`.
    pub path: &'static str,
    pub need: Need,
}

impl Route {
    #[must_use]
    pub const fn get(path: &'static str, role: TokenRole) -> Self {
        Self { method: Method::Get, path, need: Need::Role(role) }
    }

    #[must_use]
    pub const fn post(path: &'static str, role: TokenRole) -> Self {
        Self { method: Method::Post, path, need: Need::Role(role) }
    }

    #[must_use]
    pub const fn put(path: &'static str, role: TokenRole) -> Self {
        Self { method: Method::Put, path, need: Need::Role(role) }
    }

    #[must_use]
    pub const fn patch(path: &'static str, role: TokenRole) -> Self {
        Self { method: Method::Patch, path, need: Need::Role(role) }
    }

    #[must_use]
    pub const fn delete(path: &'static str, role: TokenRole) -> Self {
        Self { method: Method::Delete, path, need: Need::Role(role) }
    }

    /// One that anybody may use.
    #[must_use]
    pub const fn open(method: Method, path: &'static str) -> Self {
        Self { method, path, need: Need::Nothing }
    }
}

impl From<Method> for http::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Post => Self::POST,
            Method::Put => Self::PUT,
            Method::Patch => Self::PATCH,
            Method::Delete => Self::DELETE,
        }
    }
}
