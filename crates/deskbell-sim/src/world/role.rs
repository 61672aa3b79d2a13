//! Roles of organizations, and the permissions that they give.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::ids::entity_id;
use super::pool::HasId;
use crate::truth::{Row, time};

#[derive(Debug, Clone)]
pub(crate) struct Permission {
    pub(crate) id: String,
    number: u32,
    name: String,
    created_at: i64,
    pub(crate) updated_at: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) id: String,
    number: u32,
    name: String,
    is_creator_eligible: bool,
    /// Those that it gave when it last changed.
    permissions: Vec<Permission>,
    created_at: i64,
    pub(crate) updated_at: i64,
}

impl Permission {
    pub(crate) fn create(at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        let number = rng.random();
        Self {
            id: entity_id("perm_", at_ms, rng),
            number,
            name: format!("Read things {number}"),
            created_at: at_ms,
            updated_at: at_ms,
        }
    }

    pub(crate) fn change(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        self.name = format!("Read & write things {}", rng.random::<u16>());
        self.updated_at = at_ms;
    }

    fn key(&self) -> String {
        format!("org:things_{}:read", self.number)
    }

    pub(crate) fn payload(&self) -> Value {
        json!({
            "created_at": self.created_at,
            "description": null,
            "id": self.id,
            "key": self.key(),
            "name": self.name,
            "object": "permission",
            "type": "user",
            "updated_at": self.updated_at,
        })
    }

    /// The row of table `permissions`.
    pub(crate) fn row(&self) -> Row {
        Row::from([
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("key", self.key().into()),
            ("description", Value::Null),
            ("type", "user".into()),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }
}

impl Role {
    pub(crate) fn create(
        permission: Option<&Permission>,
        at_ms: i64,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let number = rng.random();
        Self {
            id: entity_id("role_", at_ms, rng),
            number,
            name: format!("Role {number}"),
            is_creator_eligible: rng.random(),
            permissions: permission.cloned().into_iter().collect(),
            created_at: at_ms,
            updated_at: at_ms,
        }
    }

    pub(crate) fn change(
        &mut self,
        permission: Option<&Permission>,
        at_ms: i64,
        rng: &mut ChaCha8Rng,
    ) {
        self.name = format!("Role <{}>", rng.random::<u16>());
        self.permissions = permission.cloned().into_iter().collect();
        self.updated_at = at_ms;
    }

    fn key(&self) -> String {
        format!("org:role_{}", self.number)
    }

    pub(crate) fn payload(&self) -> Value {
        json!({
            "created_at": self.created_at,
            "description": null,
            "id": self.id,
            "is_creator_eligible": self.is_creator_eligible,
            "key": self.key(),
            "name": self.name,
            "object": "role",
            "permissions": self.permissions.iter().map(Permission::payload).collect::<Vec<_>>(),
            "updated_at": self.updated_at,
        })
    }

    /// The row of table `roles`.
    pub(crate) fn row(&self) -> Row {
        Row::from([
            ("id", self.id.as_str().into()),
            ("name", self.name.as_str().into()),
            ("key", self.key().into()),
            ("description", Value::Null),
            ("is_creator_eligible", self.is_creator_eligible.into()),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }
}

impl HasId for Permission {
    fn id(&self) -> &str {
        &self.id
    }
}

impl HasId for Role {
    fn id(&self) -> &str {
        &self.id
    }
}
