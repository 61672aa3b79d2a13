//! How the simulated sender behaves.

use crate::world::INSTANCE_ID;

/// How the API behaves.
#[derive(Debug, Clone)]
pub struct SenderApiOptions {
    /// The one key that is valid at Clerk.
    pub secret_key: String,
    /// The instance that the key is of.
    pub instance_id: String,
    pub app_id: String,
    pub region: String,
    /// Whether the instance has an application in the sender from the beginning.
    pub has_app: bool,
    /// The event types that the sender knows; `None` for one that has no list and takes any type.
    pub event_types: Option<Vec<String>>,
    /// The name of an endpoint's list of types: `filterTypes` until 1.x, `eventTypes` from 2.x on. The other one is
    /// ignored.
    pub types_member: &'static str,
    /// Whether `replay-missing` is there, as in the hosted service alone.
    pub has_replay_missing: bool,
}

impl Default for SenderApiOptions {
    /// An instance with an application, without endpoints, whose sender knows Clerk's event types.
    fn default() -> Self {
        let types = ["user.created", "user.updated", "user.deleted", "organization.created"];
        Self {
            secret_key: "sk_test_SimulatedByDeskbell".to_owned(),
            instance_id: INSTANCE_ID.to_owned(),
            app_id: "app_SimulatedByDeskbell".to_owned(),
            region: "eu".to_owned(),
            has_app: true,
            event_types: Some(types.map(str::to_owned).to_vec()),
            types_member: "filterTypes",
            has_replay_missing: false,
        }
    }
}
