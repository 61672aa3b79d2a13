//! Pages of lists, and the iterators that lead from one to the next.

use serde::Serialize;
use utoipa::ToSchema;

use super::errors::{ApiError, Part};
use super::query::Query;

/// A page of a list. It can be empty and still not be the last one.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListOut<T> {
    pub(super) data: Vec<T>,
    /// Where the next page begins; null where this is the last one.
    pub(super) iterator: Option<String>,
    /// Where the page before begins, read backwards; null where there is none.
    pub(super) prev_iterator: Option<String>,
    /// Whether this is the last page.
    pub(super) done: bool,
}

impl<T> ListOut<T> {
    pub(super) fn map<U>(self, item: impl FnMut(T) -> U) -> ListOut<U> {
        let Self { data, iterator, prev_iterator, done } = self;
        ListOut { data: data.into_iter().map(item).collect(), iterator, prev_iterator, done }
    }
}

/// Where a page begins. As a text it means nothing to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// After this item, in the list's order.
    After(String),
    /// The last items before this one.
    Before(String),
}

const AFTER: &str = "after:";
const BEFORE: &str = "before:";

impl Position {
    /// The position that the query's `iterator` has.
    pub(super) fn of(query: &mut Query) -> Result<Option<Self>, ApiError> {
        let Some(iterator) = query.text("iterator")? else { return Ok(None) };
        if let Some(item) = iterator.strip_prefix(AFTER) {
            return Ok(Some(Self::After(item.to_owned())));
        }
        match iterator.strip_prefix(BEFORE) {
            Some(item) => Ok(Some(Self::Before(item.to_owned()))),
            None => Err(malformed()),
        }
    }

    pub(super) fn after(item: impl Into<String>) -> String {
        AFTER.to_owned() + &item.into()
    }

    pub(super) fn before(item: impl Into<String>) -> String {
        BEFORE.to_owned() + &item.into()
    }
}

/// The iterator is none that was given out.
pub(super) fn malformed() -> ApiError {
    ApiError::invalid(Part::Query, "iterator", "expected an iterator of a page before")
}

/// Which page of a list that is in memory.
#[derive(Debug)]
pub(super) struct PageRequest {
    limit: usize,
    position: Option<Position>,
    is_descending: bool,
}

impl PageRequest {
    pub(super) fn of(query: &mut Query) -> Result<Self, ApiError> {
        let limit = usize::try_from(query.limit()?).unwrap_or(usize::MAX);
        let is_descending = match query.text("order")?.as_deref() {
            None | Some("ascending") => false,
            Some("descending") => true,
            Some(_) => {
                let message = "expected `ascending` or `descending`";
                return Err(ApiError::invalid(Part::Query, "order", message));
            }
        };
        Ok(Self { limit, position: Position::of(query)?, is_descending })
    }

    /// The page of these items, which are in the order of their keys.
    pub(super) fn page<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> &str) -> ListOut<T> {
        if self.is_descending {
            items.reverse();
        }
        // Whether the item is behind the position, in the list's order.
        let is_behind = |item: &T, position: &str| match self.is_descending {
            false => key(item) > position,
            true => key(item) < position,
        };
        let is_at = |item: &T, position: &str| key(item) == position;
        let (start, end, is_backwards) = match &self.position {
            None => (0, self.limit, false),
            Some(Position::After(item)) => {
                let start = items.iter().position(|one| is_behind(one, item));
                let start = start.unwrap_or(items.len());
                (start, start.saturating_add(self.limit), false)
            }
            Some(Position::Before(item)) => {
                let end = items.iter().position(|one| is_behind(one, item) || is_at(one, item));
                let end = end.unwrap_or(items.len());
                (end.saturating_sub(self.limit), end, true)
            }
        };
        let end = end.min(items.len());
        let (has_before, has_after) = (start > 0, end < items.len());
        let data: Vec<T> = items.drain(start..end).collect();
        ListOut {
            iterator: data.last().filter(|_| has_after).map(|last| Position::after(key(last))),
            prev_iterator: data
                .first()
                .filter(|_| has_before)
                .map(|one| Position::before(key(one))),
            done: if is_backwards { !has_before } else { !has_after },
            data,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(query: &str) -> ListOut<&'static str> {
        let mut query = Query::read(query);
        let request = PageRequest::of(&mut query).unwrap();
        query.end().unwrap();
        request.page(vec!["a", "b", "c", "d", "e"], |item| item)
    }

    #[test]
    fn pages_lead_forwards_and_backwards() {
        let mut seen = Vec::new();
        let mut first = page("limit=2");
        let mut back = Vec::new();
        loop {
            seen.extend(first.data);
            back.push(first.prev_iterator);
            let Some(iterator) = first.iterator else { break };
            assert!(!first.done);
            first = page(&format!("limit=2&iterator={iterator}"));
        }
        assert!(first.done);
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
        assert_eq!(back, [None, Some("before:c".to_owned()), Some("before:e".to_owned())]);
        let before = page("limit=2&iterator=before:e");
        assert_eq!((before.data, before.done), (vec!["c", "d"], false));
        let before = page("limit=2&iterator=before:c");
        assert_eq!((before.data, before.done), (vec!["a", "b"], true));
    }

    #[test]
    fn an_item_that_is_gone_is_still_a_position() {
        assert_eq!(page("iterator=after:bb").data, ["c", "d", "e"]);
        assert_eq!(page("iterator=before:bb").data, ["a", "b"]);
        assert_eq!(page("iterator=after:z").data, [] as [&str; 0]);
        assert_eq!(page("iterator=after:c&order=descending").data, ["b", "a"]);
    }

    #[test]
    fn a_malformed_iterator_is_refused() {
        for query in ["iterator=x", "iterator=crm", "order=up"] {
            let error = PageRequest::of(&mut Query::read(query)).unwrap_err();
            assert!(matches!(error, ApiError::Invalid(_)), "{query}: {error:?}");
        }
    }
}
