//! `Payload`: an event's body, and what a store keeps of it.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use bytes::Bytes;

use crate::packing;

/// The body of an event. It reads as its bytes.
///
/// A store keeps it compressed where that makes it smaller, and compresses it at most once.
#[derive(Clone, Default)]
pub struct Payload {
    bytes: Bytes,
    /// `None`: compressed, it is no smaller.
    packed: OnceLock<Option<Bytes>>,
}

impl Payload {
    /// Compresses it now rather than when it is written.
    pub(crate) fn pack(&self) {
        self.packed();
    }

    /// What it takes in memory, as it came and compressed, so far.
    pub(crate) fn bytes_held(&self) -> usize {
        let packed = self.packed.get().and_then(Option::as_ref);
        self.bytes.len() + packed.map_or(0, Bytes::len)
    }

    /// The bytes, which are shared and not copied.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// What a store that reads compressed payloads keeps, and the length of what comes back; `None`
    /// where it is better stored as it is.
    pub(crate) fn packed(&self) -> Option<(&[u8], i32)> {
        let packed = self.packed.get_or_init(|| packing::compress(&self.bytes).map(Bytes::from));
        // A longer one is not compressed.
        packed.as_deref().zip(i32::try_from(self.bytes.len()).ok())
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T: Into<Bytes>> From<T> for Payload {
    fn from(bytes: T) -> Self {
        Self { bytes: bytes.into(), packed: OnceLock::new() }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<T: AsRef<[u8]>> PartialEq<T> for Payload {
    fn eq(&self, other: &T) -> bool {
        *self.bytes == *other.as_ref()
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    /// Without the bytes, which contain personal data and, in some types, one-time codes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.bytes.len())
    }
}
