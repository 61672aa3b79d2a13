//! The parameters of a query: known ones, once each, of bounded length.

use std::str::FromStr;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawQuery};
use clerk_webhooks::UnixMillis;
use deskbell_admin::Timestamp;
use deskbell_config::nearest;
use deskbell_store::clock::{now_ms, whole_ms};
use http::request::Parts;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as TextError, StrDeserializer};
use utoipa::IntoParams;

use crate::problem::Problem;

/// Bytes of one value; a longer one is answered with 400.
const VALUE_BYTES_MAX: usize = 1_000;
/// Parameters in one query, repeated ones counted; more are answered with 400.
const PARAMETERS_MAX: usize = 100;

/// Parameters that describe themselves, and are read from a query.
pub(super) trait FromQuery: IntoParams + Sized {
    /// # Errors
    /// A value that makes no sense.
    fn from_query(query: &Query) -> Result<Self, Problem>;
}

/// The parameters of a request's query.
pub(super) struct Params<P>(pub(super) P);

impl<P: FromQuery, S: Send + Sync> FromRequestParts<S> for Params<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let raw = RawQuery::from_request_parts(parts, state).await;
        let RawQuery(raw) = raw.unwrap_or(RawQuery(None));
        let known = P::into_params(|| None);
        let known: Vec<_> = known.iter().map(|parameter| &*parameter.name).collect();
        P::from_query(&Query::parse(&raw.unwrap_or_default(), &known)?).map(Self)
    }
}

/// A query's names and values, decoded.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Refuses a parameter that is not known, and names the one that was most likely meant.
    fn parse(raw: &str, known: &[&str]) -> Result<Self, Problem> {
        let mut pairs = Vec::new();
        for (name, value) in form_urlencoded::parse(raw.as_bytes()) {
            if !known.contains(&&*name) {
                return Err(unknown(&name, known));
            }
            if value.len() > VALUE_BYTES_MAX {
                let detail = format!("`{name}` is longer than {VALUE_BYTES_MAX} bytes");
                return Err(Problem::invalid_parameter(detail));
            }
            if pairs.len() == PARAMETERS_MAX {
                let detail = format!("there are more than {PARAMETERS_MAX} parameters");
                return Err(Problem::invalid_parameter(detail));
            }
            if !value.is_empty() {
                pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        Ok(Self(pairs))
    }

    /// All values of a parameter that may be repeated.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(known, _)| known == name);
        values.map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.texts(name).as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value.clone())),
            _ => Err(Problem::invalid_parameter(format!("`{name}` is given more than once"))),
        }
    }

    /// `true` or `false`; `false` if it is missing.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Problem> {
        Ok(self.read(name, "`true` or `false`", |text| text.parse().ok())?.unwrap_or_default())
    }

    /// A whole number, such as the number of an event.
    pub(super) fn number<N: FromStr>(&self, name: &str) -> Result<Option<N>, Problem> {
        self.read(name, "a whole number", |text| text.parse().ok())
    }

    /// How many to answer with.
    pub(super) fn limit(&self, default: u32, max: u32) -> Result<u32, Problem> {
        let expected = format!("a number from 1 to {max}");
        let limit = self.read("limit", &expected, |text| {
            text.parse().ok().filter(|limit| (1..=max).contains(limit))
        });
        Ok(limit?.unwrap_or(default))
    }

    /// A time, or how long ago it is.
    pub(super) fn moment(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let expected = "a time such as `2026-11-21T08:00:00Z`, or a duration such as `2h` ago";
        self.read(name, expected, |text| moment(text, now_ms()))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &self,
        name: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, Problem> {
        let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
        self.read(name, &words.join(" or "), |text| {
            choices.iter().find(|(word, _)| *word == text).map(|(_, choice)| *choice)
        })
    }

    fn read<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match read(&text) {
            Some(value) => Ok(Some(value)),
            None => {
                let detail = format!("`{name}`: expected {expected}, found `{text}`");
                Err(Problem::invalid_parameter(detail))
            }
        }
    }
}

fn unknown(name: &str, known: &[&str]) -> Problem {
    let shown: String = name.chars().take(100).collect();
    let detail = match known {
        [] => format!("unknown parameter `{shown}`; this route has none"),
        _ => {
            let help = nearest::suggest(&shown, known, "the known ones are");
            format!("unknown parameter `{shown}`; {help}")
        }
    };
    Problem::invalid_parameter(detail)
}

fn moment(text: &str, now_ms: i64) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<UnixMillis>() {
        return Some(Timestamp(moment.as_millis()));
    }
    duration(text).map(|ago| Timestamp(now_ms.saturating_sub(whole_ms(ago))))
}

fn duration(text: &str) -> Option<Duration> {
    let text: StrDeserializer<'_, TextError> = text.into_deserializer();
    deskbell_config::Duration::deserialize(text).ok().map(|duration| duration.0)
}

/// No parameters.
#[derive(utoipa::IntoParams)]
pub(super) struct NoParams {}

impl FromQuery for NoParams {
    fn from_query(_: &Query) -> Result<Self, Problem> {
        Ok(Self {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["type", "source", "since", "limit", "payload"];

    fn query(raw: &str) -> Query {
        Query::parse(raw, KNOWN).unwrap()
    }

    fn error(raw: &str) -> String {
        Query::parse(raw, KNOWN).unwrap_err().detail().to_owned()
    }

    #[test]
    fn values_are_decoded_and_read() {
        let query = query("type=user.*&type=a%20b&source=c+d&limit=5&payload=true&since=");
        assert_eq!(query.texts("type"), ["user.*", "a b"]);
        assert_eq!(query.text("source").unwrap().as_deref(), Some("c d"));
        assert_eq!(query.limit(50, 500).unwrap(), 5);
        assert!(query.flag("payload").unwrap());
        assert_eq!(query.moment("since").unwrap(), None);
    }

    #[test]
    fn an_unknown_parameter_is_named_with_the_nearest_one() {
        let text = error("sorce=clerk");
        assert!(text.contains("unknown parameter `sorce`; did you mean `source`?"), "{text}");
        assert!(error("xyz=1").contains("the known ones are type, source"), "{}", error("xyz=1"));
    }

    #[test]
    fn a_query_is_bounded() {
        let long = "a".repeat(VALUE_BYTES_MAX + 1);
        assert!(error(&format!("source={long}")).contains("longer than 1000 bytes"));
        assert!(error(&"type=a&".repeat(PARAMETERS_MAX + 1)).contains("more than 100"));
    }

    #[test]
    fn a_value_that_makes_no_sense_says_what_was_expected() {
        let detail = |result: Problem| result.detail().to_owned();
        let twice = query("source=a&source=b").text("source").unwrap_err();
        assert_eq!(detail(twice), "`source` is given more than once");
        for limit in ["0", "501", "-1", "x", "1.5"] {
            let wrong = query(&format!("limit={limit}")).limit(50, 500).unwrap_err();
            let expected = format!("`limit`: expected a number from 1 to 500, found `{limit}`");
            assert_eq!(detail(wrong), expected);
        }
        let wrong = query("since=yesterday").moment("since").unwrap_err();
        assert!(detail(wrong).contains("found `yesterday`"));
        let wrong = query("type=c").choice("type", &[("a", 1), ("b", 2)]).unwrap_err();
        assert_eq!(detail(wrong), "`type`: expected `a` or `b`, found `c`");
    }

    #[test]
    fn a_time_is_written_out_or_is_some_time_ago() {
        let now_ms = 1_700_000_000_000;
        for (text, expected) in [
            ("2h", Some(now_ms - 7_200_000)),
            ("30d", Some(now_ms - 30 * 86_400_000)),
            ("2023-11-14T22:13:20Z", Some(now_ms)),
            ("1700000000", Some(now_ms)),
            ("later", None),
            ("-2h", None),
        ] {
            assert_eq!(moment(text, now_ms), expected.map(Timestamp), "{text}");
        }
    }
}
