//! A position in a list, which can be stored as text.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How many of the last objects a cursor names: as many may be deleted before it without an extra request.
pub(crate) const TAIL_MAX: usize = 10;

/// A position in a list: a walk that is resumed there misses nothing that exists all the time.
///
/// Its text is JSON of less than a kilobyte and may be stored for as long as needed; [`FromStr`] reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(crate) list: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<String>,
    /// Which of the list's queries.
    pub(crate) part: usize,
    /// How many objects were before the position. 0 stands for the beginning, also where there is a tail.
    pub(crate) offset: u64,
    /// Only objects created later than this are asked for (in a list with the newest first: earlier), in Unix
    /// milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) bound: Option<i64>,
    /// The last objects before the position.
    pub(crate) tail: Vec<Seen>,
}

/// An object that was read: its id, and what the list is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen(pub(crate) String, pub(crate) Option<i64>);

/// A text that is no cursor.
#[derive(Debug, thiserror::Error)]
#[error("the text is no cursor of a list")]
pub struct CursorError(#[source] serde_json::Error);

impl Cursor {
    /// The beginning of one part of a list.
    pub(crate) fn start(list: &str, parent: Option<&str>, part: usize) -> Self {
        Self {
            list: list.to_owned(),
            parent: parent.map(str::to_owned),
            part,
            offset: 0,
            bound: None,
            tail: Vec::new(),
        }
    }

    /// The name of the list.
    #[must_use]
    pub fn list(&self) -> &str {
        &self.list
    }

    pub(crate) fn has_seen(&self, id: &str) -> bool {
        self.tail.iter().any(|seen| seen.0 == id)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        serde_json::from_str(text).map_err(CursorError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_from_its_text() {
        let mut cursor = Cursor::start("payment_attempts", Some("stmt_1"), 1);
        cursor.offset = 500;
        cursor.bound = Some(7);
        cursor.tail = vec![Seen("a".to_owned(), Some(9)), Seen("b".to_owned(), None)];
        for cursor in [cursor, Cursor::start("users", None, 0)] {
            assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        }
        assert!("".parse::<Cursor>().is_err());
        assert!("{}".parse::<Cursor>().is_err());
    }
}
