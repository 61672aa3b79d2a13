//! What became of events at every destination, mirrors included: commands read it here, and nowhere
//! else.

pub(crate) mod mirrors;
