//! What somebody looks for, by ids of Clerk's form.

use deskbell_sync::entity::{self, Entity};

const ID_BYTES_MAX: usize = 64;

/// An entity that somebody looks for in a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Wanted {
    User {
        id: String,
    },
    Organization {
        id: String,
    },
    /// The membership of a user in an organization.
    Membership {
        user_id: String,
        organization_id: String,
    },
}

/// A text that is not an id of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected an id that begins with `{prefix}`, of at most {ID_BYTES_MAX} letters, digits, `_` and `-`"
)]
pub struct MalformedId {
    pub prefix: &'static str,
}

impl Wanted {
    /// The user with this id.
    ///
    /// # Errors
    /// The text is not the id of a user.
    pub fn user(id: &str) -> Result<Self, MalformedId> {
        Ok(Self::User { id: checked(id, "user_")? })
    }

    /// The organization with this id.
    ///
    /// # Errors
    /// The text is not the id of an organization.
    pub fn organization(id: &str) -> Result<Self, MalformedId> {
        Ok(Self::Organization { id: checked(id, "org_")? })
    }

    /// The membership of this user in this organization.
    ///
    /// # Errors
    /// One of the texts is not such an id.
    pub fn membership(user_id: &str, organization_id: &str) -> Result<Self, MalformedId> {
        let (user_id, organization_id) =
            (checked(user_id, "user_")?, checked(organization_id, "org_")?);
        Ok(Self::Membership { user_id, organization_id })
    }

    pub(super) fn entity(&self) -> Option<&'static Entity> {
        entity::find(match self {
            Self::User { .. } => "user",
            Self::Organization { .. } => "organization",
            Self::Membership { .. } => "organization_membership",
        })
    }

    /// The columns that it is found by.
    pub(super) fn columns(&self) -> &'static [&'static str] {
        match self {
            Self::User { .. } | Self::Organization { .. } => &["id"],
            Self::Membership { .. } => &["user_id", "organization_id"],
        }
    }
}

fn checked(id: &str, prefix: &'static str) -> Result<String, MalformedId> {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let rest = id.strip_prefix(prefix).unwrap_or_default();
    if rest.is_empty() || id.len() > ID_BYTES_MAX || !rest.bytes().all(is_valid) {
        return Err(MalformedId { prefix });
    }
    Ok(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_clerks_form_are_looked_for() {
        let longest = format!("user_{}", "a".repeat(59));
        for id in ["user_29w83sxmDNGwOuEthce5gg56FcC", "user_a-b_C", &longest] {
            assert!(Wanted::user(id).is_ok(), "{id}");
        }
        let too_long = format!("user_{}", "a".repeat(60));
        for id in ["", "user_", "org_1", "user_1/../x", "user_1%2f", "user_ä", "User_1", &too_long]
        {
            assert_eq!(Wanted::user(id), Err(MalformedId { prefix: "user_" }), "{id}");
        }
        assert!(Wanted::organization("org_1").is_ok() && Wanted::organization("user_1").is_err());
        assert!(Wanted::membership("user_1", "org_1").is_ok());
        assert!(Wanted::membership("org_1", "user_1").is_err());
    }
}
