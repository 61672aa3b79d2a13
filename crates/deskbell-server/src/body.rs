//! Reading a body that a stranger sends: bounded in size, in time, and in what all of them hold.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::body_budget::{BodyBudget, BudgetExhausted, PartialBody, Reserved};
use crate::client::{Client, Phase};
use crate::replies::Refusal;

/// The share of the budget for requests that are not in time: they are read only to learn
/// whether they are authentic, and a clock is wrong.
const LATE_SHARE: usize = 16;

/// What may be read, and how long it may take.
#[derive(Debug, Clone)]
pub(crate) struct BodyReader {
    bytes_max: usize,
    timeout: Duration,
    /// What all bodies together may hold in memory.
    budget: BodyBudget,
    /// What those of requests that are not in time may hold, apart from the others.
    late_budget: BodyBudget,
}

/// Whether a request's timestamp is within the tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timeliness {
    InTime,
    Late,
}

/// A body that was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than `body_bytes_max` ({bytes_max} bytes)")]
    TooLarge { bytes_max: usize },
    #[error("the body did not arrive within {} s", .timeout.as_secs())]
    TooSlow { timeout: Duration },
    #[error("the connection was closed in the middle of the body")]
    Incomplete,
    #[error("the bodies of all requests together have reached their memory limit")]
    NoRoom,
    #[error("too many requests in flight")]
    Crowded,
    #[error("the body was the slowest and was cut off to make room for others")]
    Cut,
}

impl BodyError {
    /// The word for it in the log.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::TooSlow { .. } => "too_slow",
            Self::Incomplete => "incomplete",
            Self::NoRoom | Self::Crowded => "no_room",
            Self::Cut => "cut",
        }
    }
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge { .. } => Self::TooLarge,
            BodyError::TooSlow { .. } | BodyError::Cut => Self::TooSlow,
            BodyError::Incomplete => Self::Incomplete,
            BodyError::NoRoom | BodyError::Crowded => Self::Overloaded,
        }
    }
}

/// A body in memory, and what it has reserved of the budget.
#[derive(Debug)]
pub(crate) struct BodyBytes {
    pub(crate) bytes: Bytes,
    _reserved: Option<Reserved>,
}

impl BodyReader {
    pub(crate) fn new(bytes_max: usize, timeout: Duration, in_flight_bytes_max: usize) -> Self {
        let budget = BodyBudget::new(in_flight_bytes_max);
        let late_budget = BodyBudget::new((in_flight_bytes_max / LATE_SHARE).max(bytes_max));
        Self { bytes_max, timeout, budget, late_budget }
    }

    /// Refuses a body that says of itself that it is too large, before its first byte.
    pub(crate) fn check_announced(&self, body: &Body) -> Result<(), BodyError> {
        if announced(body) > self.bytes_max { Err(self.too_large()) } else { Ok(()) }
    }

    pub(crate) async fn read(
        &self,
        body: &mut Body,
        timeliness: Timeliness,
        client: Option<&Client>,
    ) -> Result<BodyBytes, BodyError> {
        self.check_announced(body)?;
        let budget = match timeliness {
            Timeliness::InTime => &self.budget,
            Timeliness::Late => &self.late_budget,
        };
        let enter = |phase| client.is_none_or(|client| client.enter(phase));
        enter(Phase::Body);
        let coming = Coming { budget, client, bytes_max: self.bytes_max };
        let read = timeout(self.timeout, coming.collect(body)).await;
        let fits = enter(Phase::Busy);
        let read = read.unwrap_or(Err(BodyError::TooSlow { timeout: self.timeout }))?;
        if fits { Ok(read) } else { Err(BodyError::Crowded) }
    }

    fn too_large(&self) -> BodyError {
        BodyError::TooLarge { bytes_max: self.bytes_max }
    }
}

fn announced(body: &Body) -> usize {
    usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX)
}

struct Coming<'a> {
    budget: &'a BodyBudget,
    client: Option<&'a Client>,
    bytes_max: usize,
}

impl Coming<'_> {
    async fn collect(&self, body: &mut Body) -> Result<BodyBytes, BodyError> {
        let announced = announced(body);
        let mut pieces = Pieces::default();
        let mut reserved = None;
        // From the first piece on that is not all of it.
        let mut partial: Option<PartialBody<'_>> = None;
        while let Some(data) = next_piece(body, partial.as_ref()).await? {
            if pieces.len() + data.len() > self.bytes_max {
                return Err(BodyError::TooLarge { bytes_max: self.bytes_max });
            }
            let length = data.len();
            self.reserve(&mut reserved, length, partial.as_ref()).await?;
            pieces.add(data, announced);
            if body.is_end_stream() {
                break;
            }
            match &partial {
                Some(partial) => partial.reading.received(length),
                None => partial = Some(PartialBody::new(self.budget, self.client, length)),
            }
        }
        Ok(BodyBytes { bytes: pieces.into_bytes(), _reserved: reserved })
    }

    async fn reserve(
        &self,
        held: &mut Option<Reserved>,
        bytes: usize,
        partial: Option<&PartialBody<'_>>,
    ) -> Result<(), BodyError> {
        let too_large = |_| BodyError::TooLarge { bytes_max: self.bytes_max };
        let bytes = u32::try_from(bytes).map_err(too_large)?;
        let more = or_cut(self.budget.reserve(bytes), partial)
            .await?
            .map_err(|BudgetExhausted| BodyError::NoRoom)?;
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }
}

/// The next piece of the body, unless it is cut.
async fn next_piece(
    body: &mut Body,
    partial: Option<&PartialBody<'_>>,
) -> Result<Option<Bytes>, BodyError> {
    loop {
        let Some(frame) = or_cut(body.frame(), partial).await? else { return Ok(None) };
        let frame = frame.map_err(|_| BodyError::Incomplete)?;
        // Trailers are nothing of the body.
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
}

async fn or_cut<T>(
    future: impl Future<Output = T>,
    partial: Option<&PartialBody<'_>>,
) -> Result<T, BodyError> {
    let Some(partial) = partial else { return Ok(future.await) };
    tokio::select! {
        biased;
        output = future => Ok(output),
        () = partial.reading.is_cut() => Err(BodyError::Cut),
    }
}

/// The pieces so far. Most bodies come in one, which then needs no copy.
#[derive(Default)]
struct Pieces {
    first: Bytes,
    rest: BytesMut,
}

impl Pieces {
    fn len(&self) -> usize {
        self.first.len() + self.rest.len()
    }

    fn add(&mut self, data: Bytes, announced: usize) {
        if self.len() == 0 {
            self.first = data;
            return;
        }
        if self.rest.is_empty() {
            self.rest.reserve(announced.max(self.len() + data.len()));
            self.rest.extend_from_slice(&std::mem::take(&mut self.first));
        }
        self.rest.extend_from_slice(&data);
    }

    fn into_bytes(self) -> Bytes {
        if self.rest.is_empty() { self.first } else { self.rest.freeze() }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn read(reader: &BodyReader, mut body: Body) -> Result<BodyBytes, BodyError> {
        reader.read(&mut body, Timeliness::InTime, None).await
    }

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
            assert_eq!(read(&reader(), body).await.unwrap().bytes, "0123456789");
        }
        assert_eq!(read(&reader(), Body::empty()).await.unwrap().bytes, "");
    }

    #[tokio::test]
    async fn one_byte_too_many_is_refused_announced_or_not() {
        for body in [Body::from("0123456789a"), pieces(&["0123", "456789", "a"])] {
            assert_eq!(
                read(&reader(), body).await.unwrap_err(),
                BodyError::TooLarge { bytes_max: 10 }
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        assert_eq!(
            read(&reader(), endless).await.unwrap_err(),
            BodyError::TooSlow { timeout: Duration::from_secs(5) }
        );
    }

    #[tokio::test]
    async fn a_sender_that_breaks_off_is_no_fault_of_ours() {
        let broken = stream::iter([Ok("01"), Err(std::io::Error::other("reset"))]);
        let refused = read(&reader(), Body::from_stream(broken)).await.unwrap_err();
        assert_eq!(refused, BodyError::Incomplete);
    }

    #[tokio::test]
    async fn bodies_share_the_room_and_give_it_back() {
        let reader = reader();
        let held = read(&reader, Body::from("0123456789")).await.unwrap();
        assert_eq!(read(&reader, Body::from("0123456789")).await.unwrap_err(), BodyError::NoRoom);
        drop(held);
        read(&reader, Body::from("0123456789")).await.unwrap();
    }
}
