//! `Sensitive`: a value that does not show itself.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// A value that must not reach a log by accident: a one-time code, a link that signs somebody in,
/// metadata that an application keeps private.
///
/// `Debug` shows `[redacted]`. It reads like the value that it holds, and serializes as that: what is
/// written to JSON is in clear.
///
/// ```
/// use clerk_webhooks::payload::Sensitive;
///
/// let code = Sensitive::from("123456".to_owned());
/// assert_eq!(format!("{code:?}"), "[redacted]");
/// assert_eq!(code.len(), 6);
/// assert_eq!(code.into_inner(), "123456");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// The value itself.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Sensitive<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Sensitive<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(feature = "catalog")]
impl<T: crate::shape::Describe> crate::shape::Describe for Sensitive<T> {
    fn shape() -> crate::shape::Shape {
        T::shape()
    }
}
