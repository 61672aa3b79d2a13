//! Taking events from a feed and sending each on, in order, until somebody stops it.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::answer::Answer;
use super::feed::{Feed, FeedError, FeedItem};
use super::filter::Filter;
use super::message::{Body, Message, Withheld};
use super::targets::Targets;

/// What is listened to, and who is told.
pub struct Listening<'a> {
    pub feed: &'a mut dyn Feed,
    pub filter: &'a Filter,
    pub targets: &'a Targets,
    /// Events that are sent first.
    pub replays: Vec<Message>,
    /// What somebody wants to be sent besides.
    pub requests: mpsc::Receiver<Message>,
    /// After so many events it ends.
    pub events_max: Option<u64>,
    pub now_ms: fn() -> i64,
}

/// Something to show.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// It is sent now.
    Sending(Arc<Message>),
    Answered(Arc<Message>, Answer),
    Withheld(Arc<Message>, Withheld),
    Lost {
        reason: String,
    },
    Restored,
    Unreadable {
        messages: usize,
    },
    /// As [`FeedItem::Replaced`].
    Replaced,
}

/// How it went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub events: u64,
    /// Events that a handler did not acknowledge, or that could not be sent.
    pub failed: u64,
}

/// Sends events on until the feed ends or `events_max` are sent.
///
/// # Errors
/// The feed cannot go on.
pub async fn listen(
    mut listening: Listening<'_>,
    totals: &mut Totals,
    update: &mut (dyn FnMut(Update) + Send),
) -> Result<(), FeedError> {
    let events_max = listening.events_max.unwrap_or(u64::MAX);
    for message in std::mem::take(&mut listening.replays) {
        if totals.events < events_max {
            listening.send(message, totals, update).await;
        }
    }
    while totals.events < events_max {
        tokio::select! {
            Some(message) = listening.requests.recv() => {
                listening.send(message, totals, update).await;
            }
            item = listening.feed.next() => match item? {
                FeedItem::Message(message) => {
                    if listening.filter.holds(&message) {
                        listening.send(message, totals, update).await;
                    }
                }
                FeedItem::Lost { reason } => update(Update::Lost { reason }),
                FeedItem::Unreadable { messages } => update(Update::Unreadable { messages }),
                FeedItem::Restored => update(Update::Restored),
                FeedItem::Replaced => update(Update::Replaced),
            },
        }
    }
    Ok(())
}

impl Listening<'_> {
    async fn send(
        &self,
        message: Message,
        totals: &mut Totals,
        update: &mut (dyn FnMut(Update) + Send),
    ) {
        let message = Arc::new(message);
        totals.events += 1;
        if let Body::Withheld(withheld) = message.body {
            totals.failed += 1;
            return update(Update::Withheld(message, withheld));
        }
        update(Update::Sending(Arc::clone(&message)));
        let seconds = u64::try_from((self.now_ms)() / 1_000).unwrap_or_default();
        let mut is_failed = false;
        let answered = |answer: Answer| {
            is_failed |= !answer.is_success();
            update(Update::Answered(Arc::clone(&message), answer));
        };
        self.targets.send(&message, seconds, answered).await;
        totals.failed += u64::from(is_failed);
    }
}
