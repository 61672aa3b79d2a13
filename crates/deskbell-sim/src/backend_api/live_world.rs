//! A world whose state the API shows: what a message says is in the directory when the message is taken.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::directory::SharedDirectory;
use crate::truth::Truth;
use crate::world::{Message, World};

/// The messages of a [`World`]; taking one also changes the directory.
///
/// The directory and the [`Truth`] agree on the version of every object. What a membership shows of its user and its
/// organization is from when it last changed itself.
#[derive(Debug)]
pub struct LiveWorld {
    world: World,
    directory: SharedDirectory,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

impl LiveWorld {
    #[must_use]
    pub fn new(world: World, directory: SharedDirectory) -> Self {
        Self { world, directory }
    }

    /// What must hold once every message taken so far has arrived.
    #[must_use]
    pub fn truth(&self) -> &Truth {
        self.world.truth()
    }
}

impl Iterator for LiveWorld {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        let directory = &self.directory;
        self.world.next_observed(|message, effect| {
            if let Ok(Data { data }) = serde_json::from_slice(&message.body) {
                directory.lock().apply(effect, data.get().as_bytes());
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.world.size_hint()
    }
}
