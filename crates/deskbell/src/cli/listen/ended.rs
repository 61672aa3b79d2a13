//! How it ends.

use std::process::ExitCode;

use deskbell_devtools::listen::Totals;

use super::super::exit;

/// The exit code after the last event that was asked for.
pub(super) fn ended(totals: Totals) -> ExitCode {
    ExitCode::from(if totals.failed == 0 { exit::DONE } else { exit::FAILED })
}
