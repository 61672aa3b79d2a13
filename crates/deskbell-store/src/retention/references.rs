//! The events that name a deleted user, as both databases find them.

use std::collections::{BTreeMap, BTreeSet};

use super::{index_key, is_address, user_refs_in};
use crate::LogId;
use crate::rows::{self, Columns};

/// The events that name one user, or an invitation to an address of theirs.
#[derive(Debug, Default)]
pub(crate) struct References {
    /// By `seq`: the message's id, and whether a delivery of it is pending.
    events: BTreeMap<i64, (String, bool)>,
    /// The user's addresses, as the index has them.
    pub(crate) addresses: BTreeSet<String>,
}

impl References {
    /// `seq, message_id, is_pending, payload, payload_bytes`: the payload where it is the user's own
    /// object.
    pub(crate) fn add_with_payload(
        &mut self,
        row: &impl Columns,
        log: LogId,
    ) -> Result<(), sqlx::Error> {
        let payload = rows::payload(row, 3, 4)?;
        let named = user_refs_in(&payload).into_iter().filter(|user_ref| is_address(user_ref));
        self.addresses.extend(named.map(|address| index_key(&address, log)));
        self.add(row)
    }

    /// `seq, message_id, is_pending`
    pub(crate) fn add(&mut self, row: &impl Columns) -> Result<(), sqlx::Error> {
        self.events.insert(row.integer(0)?, (row.string(1)?, row.flag(2)?));
        Ok(())
    }

    /// Whether every reader is past all of them, and none is still to be delivered.
    pub(crate) fn can_erase(&self, read_by_all: i64) -> bool {
        self.events.iter().all(|(seq, (_, is_pending))| *seq <= read_by_all && !is_pending)
    }

    pub(crate) fn seqs(&self) -> Vec<i64> {
        self.events.keys().copied().collect()
    }

    pub(crate) fn into_message_ids(self) -> Vec<String> {
        self.events.into_values().map(|(message_id, _)| message_id).collect()
    }
}
