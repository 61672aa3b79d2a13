//! The objects in an answer: their JSON as it came, and the few members that a walk needs.

use std::time::SystemTime;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::AnswerError;

/// One object.
#[derive(Debug, Clone)]
pub struct Item {
    pub id: String,
    /// In Unix milliseconds; `None` if the object has no such number.
    pub created_at: Option<i64>,
    /// In Unix milliseconds; `None` if the object has no such number.
    pub updated_at: Option<i64>,
    /// The object's JSON.
    pub raw: Box<RawValue>,
}

/// One object that was asked for by its id.
#[derive(Debug, Clone)]
pub struct Single {
    pub item: Item,
    /// The time of the answer, by Clerk's clock, to the second (the header `Date`).
    pub answered_at: Option<SystemTime>,
}

/// The objects that were asked for by their ids, those that Clerk has.
#[derive(Debug, Clone)]
pub struct Many {
    pub items: Vec<Item>,
    /// As [`Single::answered_at`].
    pub answered_at: Option<SystemTime>,
}

/// What a list answers, in either of its two shapes.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) items: Vec<Item>,
    /// All objects of the list, not only of this page. Bare arrays do not say it.
    pub(crate) total_count: Option<u64>,
}

#[derive(Deserialize)]
struct Head<'a> {
    id: Option<String>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
    #[serde(borrow)]
    updated_at: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Paginated<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    total_count: Option<u64>,
}

impl Item {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, AnswerError> {
        Self::from_raw(serde_json::from_slice(json).map_err(AnswerError::Json)?)
    }

    fn from_raw(raw: &RawValue) -> Result<Self, AnswerError> {
        let head: Head<'_> = serde_json::from_str(raw.get()).map_err(AnswerError::Json)?;
        let id = head.id.filter(|id| !id.is_empty()).ok_or(AnswerError::NoId)?;
        let number = |value: Option<&RawValue>| value.and_then(|value| value.get().parse().ok());
        let (created_at, updated_at) = (number(head.created_at), number(head.updated_at));
        Ok(Self { id, created_at, updated_at, raw: raw.to_owned() })
    }
}

impl Listing {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, AnswerError> {
        let (raws, total_count) = if json.trim_ascii_start().starts_with(b"[") {
            (serde_json::from_slice(json).map_err(AnswerError::Json)?, None)
        } else {
            let page: Paginated<'_> = serde_json::from_slice(json).map_err(AnswerError::Json)?;
            (page.data, page.total_count)
        };
        let items = raws.into_iter().map(Item::from_raw).collect::<Result<_, _>>()?;
        Ok(Self { items, total_count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_are_read() {
        for (json, ids, total_count) in [
            (r#" [{"id": "a"}, {"id": "b", "created_at": 7}]"#, "ab", None),
            (r#"{"data": [{"id": "a"}], "total_count": 9}"#, "a", Some(9)),
            (r#"{"total_count": 0, "data": [], "more": {}}"#, "", Some(0)),
            (r#"{"data": [{"id": "a"}]}"#, "a", None),
            ("[]", "", None),
        ] {
            let listing = Listing::parse(json.as_bytes()).unwrap();
            let found: String = listing.items.iter().map(|item| item.id.as_str()).collect();
            assert_eq!((found.as_str(), listing.total_count), (ids, total_count), "{json}");
        }
    }

    #[test]
    fn the_json_is_kept_as_it_came_and_odd_times_are_none() {
        let json = r#"{"id":"a","created_at":1767225600000,"updated_at":"soon","n":1.50}"#;
        let item = Item::parse(json.as_bytes()).unwrap();
        assert_eq!(item.raw.get(), json);
        assert_eq!((item.created_at, item.updated_at), (Some(1_767_225_600_000), None));
    }

    #[test]
    fn other_answers_are_errors() {
        for json in ["", "null", "7", "{}", "[1]", "[{}]", r#"[{"id":""}]"#, r#"[{"id":7}]"#, "[{"]
        {
            assert!(Listing::parse(json.as_bytes()).is_err(), "{json}");
        }
    }
}
