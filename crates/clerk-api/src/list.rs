//! What a list of Clerk's Backend API is like, and where one object is read.

use crate::order::Order;

/// Parameters of a query that are always the same.
pub type Filters = &'static [(&'static str, &'static str)];

/// A list of Clerk's Backend API.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct List {
    /// The name in cursors and errors.
    pub name: &'static str,
    pub path: &'static str,
    /// The queries that together give the list. Most lists need one.
    pub parts: &'static [Filters],
    pub order: Order,
    /// Whether a page may be asked for by the last id of the page before (`starting_after`). The others have offsets.
    pub has_starting_after: bool,
    /// Where one object of the list is read by its id.
    pub single: Option<&'static SinglePath>,
    /// Where the objects are counted, if not by the list's own `total_count`.
    pub count_path: Option<&'static str>,
    /// Whether an object that is not in the list does not exist.
    pub is_complete: bool,
}

/// A list that belongs to one object of another list.
#[derive(Debug, PartialEq, Eq)]
pub struct ChildList(pub(crate) List);

/// Where one object is read; `{id}` stands for the id.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinglePath {
    pub path: &'static str,
    pub filters: Filters,
}

/// Where several objects are read by their ids in one request.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ManyPath {
    pub path: &'static str,
    /// The parameter that an id is given as; it is repeated.
    pub ids: &'static str,
    pub filters: Filters,
}
