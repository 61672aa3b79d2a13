//! The pages of a list, one after the other.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use url::Url;

use crate::cursor::Cursor;
use crate::error::{PageError, RequestError};
use crate::item::{Item, Listing};
use crate::list::List;
use crate::position::{Start, Step, further_back};
use crate::requester::Requester;
use crate::walk::Walk;

/// Pages in a row that may have nothing new; as many again would not help.
const PAGES_WITHOUT_NEW_MAX: u32 = 50;
/// Statuses by which Clerk may say that it does not know the id of `starting_after`.
const UNKNOWN_ID: &[u16] = &[400, 404, 422];

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// What is new in it, in the list's order: at least one object. One that was read before may come again if the list changes.
    pub items: Vec<Item>,
    /// How many objects the list had, if Clerk said it; of a list with several parts, the part.
    pub total_count: Option<u64>,
    /// The time of the answer, by Clerk's clock, to the second (the header `Date`).
    pub answered_at: Option<SystemTime>,
    /// Where the list goes on, if it does; `None` behind its last object.
    pub next: Option<Cursor>,
}

/// The pages of a list that may change while it is read.
///
/// What exists from before the walk until after it is in a page. What is created meanwhile may be, what is deleted may
/// be, and an object may come twice.
pub struct Pages {
    requester: Arc<Requester>,
    list: &'static List,
    page_size: u16,
    /// The position; `None` behind the last page.
    cursor: Option<Cursor>,
}

impl Pages {
    pub(crate) fn new(requester: Arc<Requester>, walk: Walk) -> Self {
        let Walk { list, page_size, cursor, parent: _ } = walk;
        Self { requester, list, page_size, cursor: Some(cursor) }
    }

    /// The next page, or `None` behind the last one.
    ///
    /// A future that is dropped, and an error, leave the position where it is.
    ///
    /// # Errors
    /// The page could not be read; calling this again asks for the same page.
    pub async fn next(&mut self) -> Result<Option<Page>, PageError> {
        let (mut back, mut pages) = (0, 0);
        while let Some(cursor) = &self.cursor {
            if pages == PAGES_WITHOUT_NEW_MAX {
                return Err(PageError::NoProgress { list: self.list.name, pages });
            }
            pages += 1;
            let start = cursor.page_start(self.list, self.page_size, back);
            let answer = match self.requester.get(&self.url(cursor, &start)).await {
                Err(error) if is_of_unknown_id(&error, &start) => {
                    let without_id = cursor.without_id(self.list).ok_or(error)?;
                    self.cursor = Some(without_id);
                    continue;
                }
                answer => answer?,
            };
            let listing = Listing::parse(&answer.body)?;
            let (total_count, answered_at) = (listing.total_count, answer.answered_at);
            match cursor.step(self.list, self.page_size, &start, listing) {
                Step::Back => back = further_back(self.page_size, back),
                Step::Lost(without_id) => self.cursor = Some(without_id),
                Step::Forward { items, next } => {
                    back = 0;
                    self.cursor.clone_from(&next);
                    if !items.is_empty() {
                        return Ok(Some(Page { items, total_count, answered_at, next }));
                    }
                }
            }
        }
        Ok(None)
    }

    fn url(&self, cursor: &Cursor, start: &Start) -> Url {
        let filters = self.list.parts.get(cursor.part).copied().unwrap_or_default();
        let mut query: Vec<(&str, String)> =
            filters.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        if let Some(order) = self.list.order.parameter() {
            query.push(("order_by", order.to_owned()));
        }
        if let Some(bound) = cursor.bound {
            query.push((self.list.order.bound_parameter(), bound.to_string()));
        }
        query.push(("limit", self.page_size.to_string()));
        match start {
            Start::Beginning => {}
            Start::Offset(offset) => query.push(("offset", offset.to_string())),
            Start::After(id) => query.push(("starting_after", id.clone())),
        }
        self.requester.url(self.list.path, cursor.parent.as_deref(), &query)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("list", &self.list.name)
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

fn is_of_unknown_id(error: &RequestError, start: &Start) -> bool {
    matches!(start, Start::After(_))
        && matches!(error, RequestError::Rejected(error) if UNKNOWN_ID.contains(&error.status))
}
