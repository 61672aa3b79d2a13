//! Parts of a mirror that can be blocked alone.

use clerk_webhooks::UnixMillis;
use deskbell_store::Seq;

/// A table or a statement, which can wait while the rest goes on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    pub kind: PartKind,
    /// The mirror's table, the mapped table's name, or what a statement is known by.
    pub name: String,
}

/// The kind of a part that can be blocked alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartKind {
    /// A table of the mirror, with its child tables.
    Mirror,
    /// A table of the application's that is filled from an entity.
    Mapped,
    /// A statement of the application's.
    Statement,
}

impl Part {
    pub(crate) fn is(&self, kind: PartKind, name: &str) -> bool {
        self.kind == kind && self.name == name
    }
}

impl PartKind {
    const ALL: [Self; 3] = [Self::Mirror, Self::Mapped, Self::Statement];

    /// As stored in `_blocked`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Mapped => "mapped",
            Self::Statement => "statement",
        }
    }

    pub(crate) fn of(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A part that the database refuses whatever the row. Everything behind `seq` waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    pub part: Part,
    /// The last event that was applied to it.
    pub seq: Seq,
    /// Since when, by the database's clock.
    pub since: Option<UnixMillis>,
    pub reason: String,
    pub cause: String,
    /// Whether it is time to try it again.
    pub is_due: bool,
}
