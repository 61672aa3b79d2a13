//! Refusals in a row: too many of them say that the table is at fault, and not its rows.

use std::collections::HashMap;

use crate::db::{Refusal, RefusalKind};
use crate::mirror_target::Part;

/// More refusals of one code in a row block the table or the statement: the fault is hardly the
/// rows'.
const REFUSALS_IN_A_ROW_MAX: u32 = 100;

/// The refusals in a row of each part.
pub(super) type Streaks = HashMap<Part, Streak>;

/// Refusals of one code, one after another.
#[derive(Debug, Default)]
pub(super) struct Streak {
    code: String,
    length: u32,
    /// However long it is, it says nothing about the table.
    is_endless: bool,
}

impl Streak {
    /// For retries: that they are refused again says nothing new.
    pub(super) fn endless() -> Self {
        Self { is_endless: true, ..Self::default() }
    }

    pub(super) fn done(&mut self) {
        self.length = 0;
    }

    /// Counts a refusal that says something about the row; whether there were too many.
    pub(super) fn refused(&mut self, refusal: &Refusal) -> bool {
        if self.is_endless || refusal.kind != RefusalKind::Lasting {
            return false;
        }
        if self.code != refusal.code {
            *self = Self { code: refusal.code.clone(), ..Self::default() };
        }
        self.length += 1;
        self.length > REFUSALS_IN_A_ROW_MAX
    }
}
