//! The sender's lists come in pages: `{data, iterator, done}`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

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
    /// The iterator of the next page; `None` behind the last one.
    pub next: Option<String>,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: Vec<T>,
    #[serde(default)]
    iterator: Option<String>,
    done: bool,
}

impl<T: DeserializeOwned> SenderPage<T> {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, SenderAnswerError> {
        let answer: Answer<T> = parsed(json)?;
        let next = answer.iterator.filter(|_| !answer.done);
        Ok(Self { items: answer.data, next })
    }
}

/// The parameters of a page.
pub(crate) fn query(iterator: Option<&str>) -> Vec<(&'static str, String)> {
    let mut query = vec![("limit", LIMIT_MAX.to_string())];
    query.extend(iterator.map(|iterator| ("iterator", iterator.to_owned())));
    query
}
