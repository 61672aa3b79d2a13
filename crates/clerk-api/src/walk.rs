//! What to read: a list, from where, and how much at once.

use crate::cursor::Cursor;
use crate::error::InvalidId;
use crate::list::{ChildList, List};
use crate::object_id::checked;

/// The most objects in a page. Clerk answers a greater `limit` with ten.
pub const PAGE_SIZE_MAX: u16 = 500;
/// The fewest: a page has to show the last object of the page before, and one more.
pub const PAGE_SIZE_MIN: u16 = 2;

/// A list to read from its beginning or from a cursor.
#[derive(Debug, Clone)]
pub struct Walk {
    pub(crate) list: &'static List,
    pub(crate) parent: Option<String>,
    pub(crate) page_size: u16,
    pub(crate) cursor: Cursor,
}

/// A cursor that is of another list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a cursor of {expected}, found one of {found}")]
pub struct ForeignCursor {
    pub expected: String,
    pub found: String,
}

impl List {
    /// The whole list.
    #[must_use]
    pub fn walk(&'static self) -> Walk {
        Walk::new(self, None)
    }
}

impl ChildList {
    /// The list of this parent.
    ///
    /// # Errors
    /// The text cannot be an id.
    pub fn walk(&'static self, parent_id: &str) -> Result<Walk, InvalidId> {
        Ok(Walk::new(&self.0, Some(checked(parent_id)?.to_owned())))
    }

    /// What the list is like.
    #[must_use]
    pub fn list(&self) -> &List {
        &self.0
    }
}

impl Walk {
    fn new(list: &'static List, parent: Option<String>) -> Self {
        let cursor = Cursor::start(list.name, parent.as_deref(), 0);
        Self { list, parent, page_size: PAGE_SIZE_MAX, cursor }
    }

    /// How many objects to ask for at once, from [`PAGE_SIZE_MIN`] to [`PAGE_SIZE_MAX`]: less memory, more requests.
    #[must_use]
    pub fn page_size(self, objects: u16) -> Self {
        Self { page_size: objects.clamp(PAGE_SIZE_MIN, PAGE_SIZE_MAX), ..self }
    }

    /// Continues where the cursor is.
    ///
    /// # Errors
    /// The cursor is of another list, or of the list of another parent.
    pub fn resume(self, cursor: Cursor) -> Result<Self, ForeignCursor> {
        let is_ours = cursor.list == self.list.name
            && cursor.parent == self.parent
            && cursor.part < self.list.parts.len();
        if !is_ours {
            return Err(ForeignCursor {
                expected: described(self.list.name, self.parent.as_deref()),
                found: described(&cursor.list, cursor.parent.as_deref()),
            });
        }
        Ok(Self { cursor, ..self })
    }
}

fn described(list: &str, parent: Option<&str>) -> String {
    parent.map_or_else(|| list.to_owned(), |parent| format!("{list} of {parent}"))
}
