//! How long a template and its result may be.

use std::io;

/// The longest template, in bytes; a longer one is refused at start.
pub(super) const TEMPLATE_BYTES_MAX: usize = 1 << 20;
/// The longest text that a template may come to, in bytes; at more, rendering fails.
pub(super) const RENDERED_BYTES_MAX: usize = 1 << 20;

/// A buffer that takes no more than [`RENDERED_BYTES_MAX`].
#[derive(Default)]
pub(super) struct Bounded {
    pub(super) bytes: Vec<u8>,
    pub(super) full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > RENDERED_BYTES_MAX {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
