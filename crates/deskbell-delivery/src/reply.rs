//! The first bytes of a reply, for a person who looks for what went wrong.

use bytes::{Bytes, BytesMut};
use deskbell_store::deliveries::REPLY_BYTES_MAX;
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

/// Reads the body up to [`REPLY_BYTES_MAX`], its end, its failure, or the deadline: what came until
/// then. A body that was read to its end leaves its connection to the next request.
pub(crate) async fn read(mut response: Response, deadline: Instant) -> Bytes {
    let mut reply = BytesMut::new();
    while let Ok(Ok(Some(piece))) = timeout_at(deadline, response.chunk()).await {
        let room = REPLY_BYTES_MAX - reply.len();
        if piece.len() > room {
            reply.extend_from_slice(&piece[..room]);
            break;
        }
        reply.extend_from_slice(&piece);
    }
    reply.freeze()
}
