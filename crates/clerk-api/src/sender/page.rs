//! The sender's lists come in pages: `{data, iterator, done}`.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::error::SenderAnswerError;
use super::json::parsed;

/// The most objects in a page.
pub const LIMIT_MAX: u16 = 250;
/// Pages of a list that is read as a whole.
pub(crate) const PAGES_MAX: usize = 40;

/// A page of one of the sender's lists.
#[derive(Debug, Clone)]
pub struct SenderPage<T> {
    pub items: Vec<T>,
    /// How many objects of the page have not the expected form, and are left out.
    pub unreadable: usize,
    /// The iterator of the next page; `None` behind the last one.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Box<RawValue>>,
    #[serde(default)]
    iterator: Option<String>,
    done: bool,
}

impl<T: DeserializeOwned> SenderPage<T> {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, SenderAnswerError> {
        let answer: Answer = parsed(json)?;
        let next = answer.iterator.filter(|_| !answer.done);
        let objects = answer.data.len();
        let items = answer.data.iter().filter_map(|item| serde_json::from_str(item.get()).ok());
        let items: Vec<T> = items.collect();
        Ok(Self { unreadable: objects - items.len(), items, next })
    }
}

/// The parameters of a page.
pub(crate) fn query(iterator: Option<&str>) -> Vec<(&'static str, String)> {
    let mut query = vec![("limit", LIMIT_MAX.to_string())];
    query.extend(iterator.map(|iterator| ("iterator", iterator.to_owned())));
    query
}
