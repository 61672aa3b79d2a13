//! `Bounded`: a stream that takes so much of an answer and no more.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a mail server may send between two writes of ours: more than every answer has, and than a TLS
/// handshake with its certificates. At more the attempt fails, and is tried again.
const ANSWER_BYTES_MAX: usize = 32 << 10;

/// Line ends among those bytes: lettre reads an answer from its beginning at each of its lines. The bytes
/// of TLS have as many by chance as a quarter of this. At more the attempt fails, and is tried again.
const ANSWER_LINES_MAX: usize = 512;

/// A stream that fails once more than [`ANSWER_BYTES_MAX`] or [`ANSWER_LINES_MAX`] were read since the
/// last write.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    peer: SocketAddr,
    bytes: usize,
    lines: usize,
}

impl<S> Bounded<S> {
    pub(super) fn new(stream: S, peer: SocketAddr) -> Self {
        Self { stream, peer, bytes: 0, lines: 0 }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> AsyncTokioStream
    for Bounded<S>
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = &buffer.filled()[before..];
        self.bytes += read.len();
        self.lines += read.iter().filter(|byte| **byte == b'\n').count();
        let reason = if self.bytes > ANSWER_BYTES_MAX {
            format!("it answers with more than {ANSWER_BYTES_MAX} bytes")
        } else if self.lines > ANSWER_LINES_MAX {
            format!("it answers with more than {ANSWER_LINES_MAX} lines")
        } else {
            return Poll::Ready(Ok(()));
        };
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, reason)))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        (self.bytes, self.lines) = (0, 0);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
