//! A request's body, put together from its chunks and never more than allowed.

use bytes::{Bytes, BytesMut};

use crate::rejection::BodyTooLarge;

/// What is set aside at once for a body in several chunks: a sender may announce more than it ever sends.
const CAPACITY_BYTES_MAX: usize = 16 * 1024;

/// Collects chunks up to a limit. A body in one chunk is not copied; one in many tiny chunks costs its own size only.
#[derive(Debug)]
pub(crate) struct LimitedBody {
    bytes_max: usize,
    first: Bytes,
    rest: BytesMut,
}

impl LimitedBody {
    /// `announced_bytes` is what the sender says it will send, as by `content-length`.
    pub(crate) fn new(
        bytes_max: usize,
        announced_bytes: Option<u64>,
    ) -> Result<Self, BodyTooLarge> {
        let too_large = announced_bytes
            .is_some_and(|announced| usize::try_from(announced).map_or(true, |it| it > bytes_max));
        if too_large {
            return Err(BodyTooLarge { bytes_max });
        }
        Ok(Self { bytes_max, first: Bytes::new(), rest: BytesMut::new() })
    }

    pub(crate) fn push(&mut self, chunk: Bytes) -> Result<(), BodyTooLarge> {
        let bytes = self.first.len() + self.rest.len();
        if chunk.len() > self.bytes_max - bytes {
            return Err(BodyTooLarge { bytes_max: self.bytes_max });
        }
        if bytes == 0 {
            self.first = chunk;
            return Ok(());
        }
        if self.rest.is_empty() {
            self.rest.reserve((bytes + chunk.len()).max(CAPACITY_BYTES_MAX.min(self.bytes_max)));
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&chunk);
        Ok(())
    }

    pub(crate) fn finish(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(bytes_max: usize, chunks: &[&'static [u8]]) -> Result<Bytes, BodyTooLarge> {
        let mut body = LimitedBody::new(bytes_max, None)?;
        chunks.iter().try_for_each(|chunk| body.push(Bytes::from_static(chunk)))?;
        Ok(body.finish())
    }

    #[test]
    fn chunks_are_put_together_in_order() {
        let cases: [(&[&'static [u8]], &[u8]); 5] = [
            (&[], b""),
            (&[b""], b""),
            (&[b"abc"], b"abc"),
            (&[b"", b"a", b"", b"bc"], b"abc"),
            (&[b"a", b"b", b"c"], b"abc"),
        ];
        for (chunks, expected) in cases {
            assert_eq!(collect(3, chunks).unwrap(), expected, "{chunks:?}");
        }
    }

    #[test]
    fn one_byte_more_than_the_limit_is_refused() {
        let too_large = BodyTooLarge { bytes_max: 3 };
        let cases: [&[&'static [u8]]; 3] = [&[b"abcd"], &[b"abc", b"d"], &[b"a", b"b", b"cd"]];
        for chunks in cases {
            assert_eq!(collect(3, chunks).unwrap_err(), too_large, "{chunks:?}");
        }
        assert!(collect(0, &[b""]).is_ok());
        assert!(collect(0, &[b"a"]).is_err());
    }

    #[test]
    fn what_is_announced_is_refused_before_it_is_read() {
        assert!(LimitedBody::new(3, Some(3)).is_ok());
        assert!(LimitedBody::new(3, Some(4)).is_err());
        assert!(LimitedBody::new(3, Some(u64::MAX)).is_err());
    }

    #[test]
    fn one_chunk_is_not_copied() {
        let chunk = Bytes::from(vec![7; 100]);
        let mut body = LimitedBody::new(100, Some(100)).unwrap();
        body.push(chunk.clone()).unwrap();
        assert_eq!(body.finish().as_ptr(), chunk.as_ptr());
    }
}
