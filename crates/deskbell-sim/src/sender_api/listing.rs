//! Pages: `{data, iterator, prevIterator, done}`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::reply::Reply;
use super::request::SenderRequest;
use crate::backend_api::parsed;

const LIMIT_DEFAULT: usize = 50;
/// A greater one is refused.
const LIMIT_MAX: usize = 250;

/// What is in a list.
pub(crate) trait Listed {
    fn id(&self) -> &str;

    /// The time by which it can be selected.
    fn at_ms(&self) -> Option<i64> {
        None
    }
}

/// The page that a request asks for, of a list in this order.
pub(crate) fn page<'a, T: Listed + 'a>(
    items: impl Iterator<Item = &'a T>,
    request: &SenderRequest,
    json: impl Fn(&T) -> Value,
) -> Result<Reply, Reply> {
    let query = Query::of(request);
    let limit = query.limit()?;
    let (after, before) = (query.time("after")?, query.time("before")?);
    let iterator = query.get("iterator");
    let is_asked_for = |item: &&T| {
        item.at_ms().is_none_or(|at| {
            after.is_none_or(|after| at > after) && before.is_none_or(|before| at < before)
        })
    };
    let mut items = items.filter(is_asked_for).peekable();
    if let Some(iterator) = iterator {
        while items.next_if(|item| item.id() != iterator).is_some() {}
        items.next();
    }
    let page: Vec<&T> = items.by_ref().take(limit).collect();
    let [first, last] = [page.first(), page.last()].map(|item| item.map(|item| item.id()));
    Ok(Reply::ok(&json!({
        "data": page.iter().map(|item| json(item)).collect::<Vec<_>>(),
        "iterator": last,
        "prevIterator": first.map(|id| format!("-{id}")),
        "done": items.peek().is_none(),
    })))
}

/// A time as Svix writes it.
pub(crate) fn time(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).unwrap_or_default().to_string()
}

pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn of(request: &SenderRequest) -> Self {
        Self(parsed(&request.query))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    fn limit(&self) -> Result<usize, Reply> {
        let Some(limit) = self.get("limit") else { return Ok(LIMIT_DEFAULT) };
        let limit = limit.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
        limit.ok_or_else(|| Reply::invalid(["query", "limit"], "Given limit must not exceed 250"))
    }

    fn time(&self, name: &str) -> Result<Option<i64>, Reply> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let time: Result<Timestamp, _> = text.parse();
        let invalid = |_| Reply::invalid(["query", name], "invalid date-time");
        Ok(Some(time.map_err(invalid)?.as_millisecond()))
    }
}
