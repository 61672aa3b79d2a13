//! What holds for the workspace as a whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assistants;
mod floors;
mod limits;
mod links;
mod lock_file;
mod module_floors;
mod one_binary;
