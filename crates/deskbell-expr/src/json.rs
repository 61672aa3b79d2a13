//! Reading JSON text leniently: what no value can hold costs its own member and nothing around it.
//!
//! The mirror, expressions and templates all read through this module, so that they agree about every
//! payload. The text must be valid JSON, as an envelope's parts are. Nothing recurses: depth costs
//! nothing but time.

mod bounds;
mod scan;
mod text;
mod tree;

pub use bounds::STORED_DEPTH_MAX;
pub use scan::{end_of_string, end_of_value, is_space, skip_while};
pub use text::{clean, unescape, without_nul};
pub use tree::{DEPTH_MAX, tree};
