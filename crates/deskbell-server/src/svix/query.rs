//! The query of a request: each parameter is taken by its name, and what nobody took is refused.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use clerk_webhooks::UnixMillis;
use deskbell_admin::Timestamp;
use http::request::Parts;
use url::form_urlencoded;

use super::errors::{ApiError, Part};

/// Items of a page where nothing else is said, and the most: as Svix has it.
const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 250;
/// Types that one request may name.
const TYPES_MAX: usize = 100;

/// The parameters that were not taken yet.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(parts.uri.query().unwrap_or_default()))
    }
}

impl Query {
    pub(super) fn read(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The parameter's text; `None` where it is missing or empty.
    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let mut texts = self.all(name);
        match (texts.pop(), texts.is_empty()) {
            (text, true) => Ok(text),
            (_, false) => Err(invalid(name, "expected it once")),
        }
    }

    pub(super) fn limit(&mut self) -> Result<u32, ApiError> {
        let limit = self.parse("limit", "a number")?.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(invalid("limit", format!("expected a number from 1 to {LIMIT_MAX}")));
        }
        Ok(limit)
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> Result<bool, ApiError> {
        Ok(self.parse(name, "`true` or `false`")?.unwrap_or(default))
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<u16>, ApiError> {
        self.parse(name, "a number")
    }

    pub(super) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let moment: Option<UnixMillis> = self.parse(name, "a time such as 2026-11-21T08:00:00Z")?;
        Ok(moment.map(|moment| Timestamp(moment.as_millis())))
    }

    /// The event types, separated by commas or each in a parameter of its own.
    pub(super) fn types(&mut self) -> Result<Vec<String>, ApiError> {
        let texts = self.all("event_types");
        let types = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
        let types: Vec<_> = types.filter(|one| !one.is_empty()).map(str::to_owned).collect();
        if types.len() > TYPES_MAX {
            return Err(invalid("event_types", format!("expected at most {TYPES_MAX} types")));
        }
        Ok(types)
    }

    /// Refuses a parameter that Svix knows, and that would have to be ignored.
    pub(super) fn refuse(&mut self, names: &[&str]) -> Result<(), ApiError> {
        match names.iter().find(|name| !self.all(name).is_empty()) {
            Some(name) => Err(invalid(name, "Deskbell does not support it")),
            None => Ok(()),
        }
    }

    /// Refuses what is left.
    pub(super) fn end(self) -> Result<(), ApiError> {
        match self.0.first() {
            Some((name, _)) => Err(invalid(name, "there is no such parameter")),
            None => Ok(()),
        }
    }

    fn parse<T: FromStr>(&mut self, name: &str, expected: &str) -> Result<Option<T>, ApiError> {
        let text = self.text(name)?;
        let parsed = text.map(|text| {
            text.parse().map_err(|_| invalid(name, format!("expected {expected}, found `{text}`")))
        });
        parsed.transpose()
    }

    fn all(&mut self, name: &str) -> Vec<String> {
        let taken = self.0.extract_if(.., |(known, _)| known == name);
        taken.map(|(_, text)| text).filter(|text| !text.is_empty()).collect()
    }
}

fn invalid(name: &str, message: impl Into<String>) -> ApiError {
    ApiError::invalid(Part::Query, name, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_the_clients_write_them() {
        let query = "limit=10&event_types=user.created%2Cuser.deleted&event_types=a&with_content=false\
                     &before=2026-12-01T01%3A02%3A03.123456%2B01%3A00&iterator=";
        let mut query = Query::read(query);
        assert_eq!(query.limit().unwrap(), 10);
        assert_eq!(query.types().unwrap(), ["user.created", "user.deleted", "a"]);
        assert!(!query.flag("with_content", true).unwrap());
        assert_eq!(query.time("before").unwrap().unwrap().to_string(), "2026-12-01T00:02:03.123Z");
        assert_eq!(query.text("iterator").unwrap(), None);
        query.end().unwrap();
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        fn refuse(read: impl Fn(&mut Query) -> Result<(), ApiError>, text: &str) {
            let mut query = Query::read(text);
            let error = read(&mut query).and_then(|()| query.end()).unwrap_err();
            let ApiError::Invalid(error) = error else { panic!("{text}: {error:?}") };
            assert_eq!(error.loc[0], "query", "{text}");
            assert!(text.contains(&error.loc[1]), "{text}: {error:?}");
        }
        for text in ["limit=0", "limit=251", "limit=x", "limit=1&limit=2", "limits=1"] {
            refuse(|query| query.limit().map(drop), text);
        }
        refuse(|query| query.flag("with_content", true).map(drop), "with_content=yes");
        refuse(|query| query.time("after").map(drop), "after=yesterday");
        refuse(|query| query.refuse(&["channel", "tag"]), "tag=a");
    }
}
