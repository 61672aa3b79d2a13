//! `[mirror]`: whether there is the default mirror, which needs no destination.

use serde::{Deserialize, Serialize};

/// The mirror that is there where no database is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MirrorConfig {
    /// Whether there is a mirror in `sqlite://clerk.db` if no destination of type `database` is
    /// configured. Default: `true` without any destination, and where that file has this mirror
    /// already; `false` otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

impl MirrorConfig {
    pub(super) fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}
