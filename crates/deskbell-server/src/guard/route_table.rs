//! Which routes there are, and what each one needs.

use std::collections::HashMap;

use deskbell_admin::{Need, Route};
use http::Method;

/// The tables of all routes that are not public.
#[derive(Debug, Default)]
pub(super) struct RouteTable(HashMap<&'static str, Vec<(Method, Need)>>);

/// A request that is for no route of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoRoute {
    Path,
    /// The path is there; with the methods that it accepts.
    Method {
        allow: String,
    },
}

impl RouteTable {
    pub(super) fn new(tables: &[&[Route]]) -> Self {
        let mut table = Self::default();
        for route in tables.iter().copied().flatten() {
            let methods = table.0.entry(route.path).or_default();
            methods.push((route.method.into(), route.need));
        }
        table
    }

    /// What the route with this method and this path, as axum has it, needs.
    pub(super) fn need(&self, method: &Method, path: Option<&str>) -> Result<Need, NoRoute> {
        let methods = path.and_then(|path| self.0.get(path)).ok_or(NoRoute::Path)?;
        // Whoever may read may ask what would be read.
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let found = methods.iter().find(|(method, _)| method == wanted);
        found.map(|(_, need)| *need).ok_or_else(|| NoRoute::Method { allow: allow(methods) })
    }
}

fn allow(methods: &[(Method, Need)]) -> String {
    let mut names: Vec<_> = methods.iter().map(|(method, _)| method.as_str()).collect();
    names.sort_unstable();
    if let Some(index) = names.iter().position(|name| *name == "GET") {
        names.insert(index + 1, "HEAD");
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use deskbell_store::TokenRole;

    use super::*;

    const TOKENS: &str = "/api/v1/tokens";

    #[test]
    fn what_is_in_no_table_is_no_route() {
        let table = RouteTable::new(&[
            &[Route::post(TOKENS, TokenRole::Admin), Route::get(TOKENS, TokenRole::Reader)],
            &[Route::open(deskbell_admin::Method::Get, "/sign-in")],
        ]);
        let need = |method, path| table.need(&method, path);
        assert_eq!(need(Method::GET, Some(TOKENS)), Ok(Need::Role(TokenRole::Reader)));
        assert_eq!(need(Method::HEAD, Some(TOKENS)), Ok(Need::Role(TokenRole::Reader)));
        assert_eq!(need(Method::POST, Some(TOKENS)), Ok(Need::Role(TokenRole::Admin)));
        assert_eq!(need(Method::GET, Some("/sign-in")), Ok(Need::Nothing));
        let allow = |text: &str| Err(NoRoute::Method { allow: text.to_owned() });
        assert_eq!(need(Method::DELETE, Some(TOKENS)), allow("GET, HEAD, POST"));
        assert_eq!(need(Method::OPTIONS, Some("/sign-in")), allow("GET, HEAD"));
        assert_eq!(need(Method::GET, Some("/api/v1/secret")), Err(NoRoute::Path));
        assert_eq!(need(Method::GET, None), Err(NoRoute::Path));
    }
}
