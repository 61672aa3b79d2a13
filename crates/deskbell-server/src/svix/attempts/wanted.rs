//! Which attempts a client asks for.

use deskbell_admin::AttemptQuery;

use crate::svix::errors::{ApiError, Part};
use crate::svix::pages::{ListOut, Position};
use crate::svix::query::Query;
use crate::svix::status::MessageStatus;

/// What the query of a list of attempts says.
#[derive(Debug)]
pub(in crate::svix) struct Wanted {
    pub(in crate::svix) attempts: AttemptQuery,
    pub(in crate::svix) status: Option<MessageStatus>,
    pub(in crate::svix) with_content: bool,
}

impl Wanted {
    /// Reads what all lists of attempts have.
    pub(in crate::svix) fn of(query: &mut Query) -> Result<Self, ApiError> {
        query.refuse(&["channel", "tag"])?;
        // Nothing is ever cancelled, so that both values mean the same.
        query.flag("expanded_statuses", true)?;
        let cursor = match Position::of(query)? {
            Some(Position::After(cursor)) => Some(cursor),
            Some(Position::Before(_)) => return Err(crate::svix::pages::malformed()),
            None => None,
        };
        Ok(Self {
            status: MessageStatus::of_query(query.number("status")?)?,
            with_content: query.flag("with_content", true)?,
            attempts: AttemptQuery {
                types: query.types()?,
                status_class: status_class(query)?,
                before: query.time("before")?,
                after: query.time("after")?,
                cursor,
                limit: query.limit()?,
                ..AttemptQuery::default()
            },
        })
    }

    /// Whether the list begins with the newest attempt of all, and leaves none out.
    pub(in crate::svix) fn begins_with_newest(&self) -> bool {
        let AttemptQuery { cursor, before, status_class, result, .. } = &self.attempts;
        cursor.is_none() && before.is_none() && status_class.is_none() && result.is_none()
    }
}

/// The class of HTTP statuses.
fn status_class(query: &mut Query) -> Result<Option<u16>, ApiError> {
    let class = query.number("status_code_class")?;
    match class {
        None | Some(100 | 200 | 300 | 400 | 500) => Ok(class),
        Some(_) => {
            let message = "expected 100, 200, 300, 400 or 500";
            Err(ApiError::invalid(Part::Query, "status_code_class", message))
        }
    }
}

/// A page whose next one begins at this cursor. There is no way back: its items are found forwards only.
pub(in crate::svix) fn page<T>(data: Vec<T>, next: Option<String>) -> ListOut<T> {
    let done = next.is_none();
    ListOut { data, iterator: next.map(Position::after), prev_iterator: None, done }
}
