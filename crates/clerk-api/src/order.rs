//! The order in which a list gives its objects.

use crate::item::Item;

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By creation, asked for: what is created during a walk comes at its end.
    OldestFirst,
    /// By creation, the newest first, asked for.
    NewestFirst,
    /// By the last change, the latest first, asked for.
    LastUpdatedFirst,
    /// By creation, the newest first: the list has no other order.
    AlwaysNewestFirst,
}

impl Order {
    /// The value of `order_by`, if the list has that parameter.
    #[must_use]
    pub fn parameter(self) -> Option<&'static str> {
        match self {
            Self::OldestFirst => Some("+created_at"),
            Self::NewestFirst => Some("-created_at"),
            Self::LastUpdatedFirst => Some("-updated_at"),
            Self::AlwaysNewestFirst => None,
        }
    }

    /// The parameter that asks for objects created before or after a time, in the direction of the order.
    pub(crate) fn bound_parameter(self) -> &'static str {
        if self == Self::OldestFirst { "created_at_after" } else { "created_at_before" }
    }

    /// The bound that asks for objects created at this time and those behind it.
    pub(crate) fn bound_at(self, key: i64) -> i64 {
        if self == Self::OldestFirst { key - 1 } else { key + 1 }
    }

    /// What the objects are ordered by, in Unix milliseconds.
    pub(crate) fn key(self, item: &Item) -> Option<i64> {
        match self {
            Self::LastUpdatedFirst => item.updated_at,
            Self::OldestFirst | Self::NewestFirst | Self::AlwaysNewestFirst => item.created_at,
        }
    }

    /// Whether one key comes strictly before the other.
    pub(crate) fn is_before(self, one: i64, other: i64) -> bool {
        if self == Self::OldestFirst { one < other } else { one > other }
    }
}
