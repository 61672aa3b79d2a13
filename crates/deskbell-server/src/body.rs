//! Reading a body that a stranger sends: bounded in size, in time, and in what all of them hold.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::refusals::Cause;
use crate::replies::Refusal;

/// What may be read, and how long it may take.
#[derive(Debug, Clone)]
pub(crate) struct BodyReader {
    bytes_max: usize,
    timeout: Duration,
    /// Bytes that all bodies together may hold in memory.
    room: Arc<Semaphore>,
}

/// A body that was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than `body_bytes_max`, which is {bytes_max}")]
    TooLarge { bytes_max: usize },
    #[error("the body did not come within {} s", .timeout.as_secs())]
    TooSlow { timeout: Duration },
    #[error("the connection ended in the middle of the body")]
    Incomplete,
    #[error("the bodies of all requests together hold as much memory as they may")]
    NoRoom,
}

impl BodyError {
    pub(crate) fn cause(self) -> Cause {
        match self {
            Self::TooLarge { .. } => Cause::TooLarge,
            Self::TooSlow { .. } => Cause::TooSlow,
            Self::Incomplete => Cause::Incomplete,
            Self::NoRoom => Cause::NoRoom,
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::TooLarge,
            BodyError::TooSlow { .. } => Self::TooSlow,
            BodyError::Incomplete => Self::Incomplete,
            BodyError::NoRoom => Self::Overloaded,
        }
    }
}

/// A body in memory, and the room that it takes up there.
#[derive(Debug)]
pub(crate) struct BodyBytes {
    pub(crate) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl BodyReader {
    pub(crate) fn new(bytes_max: usize, timeout: Duration, in_flight_bytes_max: usize) -> Self {
        let room = Arc::new(Semaphore::new(in_flight_bytes_max.min(Semaphore::MAX_PERMITS)));
        Self { bytes_max, timeout, room }
    }

    /// Reads the body. One that says that it is too large is refused before its first byte.
    pub(crate) async fn read(&self, body: Body) -> Result<BodyBytes, BodyError> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > self.bytes_max {
            return Err(self.too_large());
        }
        timeout(self.timeout, self.collect(body, announced))
            .await
            .unwrap_or(Err(BodyError::TooSlow { timeout: self.timeout }))
    }

    fn too_large(&self) -> BodyError {
        BodyError::TooLarge { bytes_max: self.bytes_max }
    }

    async fn collect(&self, mut body: Body, announced: usize) -> Result<BodyBytes, BodyError> {
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        let mut room = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Incomplete)?.into_data() else { continue };
            let length = first.len() + rest.len() + data.len();
            if length > self.bytes_max {
                return Err(self.too_large());
            }
            self.take_room(&mut room, data.len())?;
            // Most bodies come in one piece, which then needs no copy.
            if first.is_empty() && rest.is_empty() {
                first = data;
                continue;
            }
            if rest.is_empty() {
                rest.reserve(announced.max(length));
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
        let bytes = if rest.is_empty() { first } else { rest.freeze() };
        Ok(BodyBytes { bytes, _room: room })
    }

    fn take_room(
        &self,
        held: &mut Option<OwnedSemaphorePermit>,
        bytes: usize,
    ) -> Result<(), BodyError> {
        let bytes = u32::try_from(bytes).map_err(|_| self.too_large())?;
        let more =
            Arc::clone(&self.room).try_acquire_many_owned(bytes).map_err(|_| BodyError::NoRoom)?;
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn reader() -> BodyReader {
        BodyReader::new(10, Duration::from_secs(5), 15)
    }

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<_> = pieces.iter().map(|piece| Ok::<_, std::io::Error>(*piece)).collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn a_body_comes_back_whole_in_one_piece_or_several() {
        for body in [Body::from("0123456789"), pieces(&["", "01", "", "234", "56789"])] {
            assert_eq!(reader().read(body).await.unwrap().bytes, "0123456789");
        }
        assert_eq!(reader().read(Body::empty()).await.unwrap().bytes, "");
    }

    #[tokio::test]
    async fn one_byte_too_many_is_refused_announced_or_not() {
        for body in [Body::from("0123456789a"), pieces(&["0123", "456789", "a"])] {
            assert_eq!(
                reader().read(body).await.unwrap_err(),
                BodyError::TooLarge { bytes_max: 10 }
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(
            reader().read(endless).await.unwrap_err(),
            BodyError::TooSlow { timeout: Duration::from_secs(5) }
        );
    }

    #[tokio::test]
    async fn a_sender_that_breaks_off_is_no_fault_of_ours() {
        let broken = stream::iter([Ok("01"), Err(std::io::Error::other("reset"))]);
        let refused = reader().read(Body::from_stream(broken)).await.unwrap_err();
        assert_eq!(refused, BodyError::Incomplete);
    }

    #[tokio::test]
    async fn bodies_share_the_room_and_give_it_back() {
        let reader = reader();
        let held = reader.read(Body::from("0123456789")).await.unwrap();
        assert_eq!(reader.read(Body::from("0123456789")).await.unwrap_err(), BodyError::NoRoom);
        drop(held);
        reader.read(Body::from("0123456789")).await.unwrap();
    }
}
