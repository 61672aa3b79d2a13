//! What happens in the world: one act at a time, each with the messages that Clerk would send of it.

use rand::Rng;

use super::bystander;
use super::envelope::DeletedObject;
use super::membership::Membership;
use super::organization::Organization;
use super::user::User;
use super::{World, version};
use crate::truth::{Effect, ORGANIZATION_MEMBERSHIPS, ORGANIZATIONS, USERS};

/// The share of acts that are about neither users nor organizations, in a world that has all entities.
const ELSEWHERE: f64 = 0.35;

/// When the `organizationMembership.deleted` of a deleted parent's memberships come, which Clerk does not document.
#[derive(Clone, Copy, PartialEq)]
enum CascadeEvents {
    Before,
    After,
    Never,
}

impl World {
    /// Does one thing. It may come to nothing (no organization to leave yet), never to an endless wait: users sign up.
    pub(super) fn live(&mut self) {
        if self.has_all_entities && !self.users.is_empty() && self.rng.random_bool(ELSEWHERE) {
            return self.live_elsewhere();
        }
        match self.rng.random_range(0..100) {
            _ if self.users.is_empty() => self.sign_up(),
            0..=17 if self.users.len() < self.users_max => self.sign_up(),
            0..=51 => self.change_user(),
            52..=55 => self.delete_user(),
            56..=59 => self.found_organization(),
            60..=65 => self.change_organization(),
            66 => self.delete_organization(),
            67..=79 => self.join_organization(),
            80..=85 => self.change_membership(),
            86..=89 => self.leave_organization(),
            _ => self.something_else(),
        }
    }

    fn sign_up(&mut self) {
        let user = User::sign_up(self.now_ms, &mut self.rng);
        self.emit_user("user.created", &user, self.now_ms);
        self.users.insert(user);
    }

    /// One update, or two in the same millisecond: then the event's time decides, or else the message id.
    fn change_user(&mut self) {
        let at_ms = self.now_ms;
        let twice = self.rng.random_bool(0.08);
        let Some(user) = self.users.draw_mut(&mut self.rng) else { return };
        user.change(at_ms, &mut self.rng);
        let first = user.clone();
        let second = twice.then(|| {
            user.change(at_ms, &mut self.rng);
            user.clone()
        });
        let first_delay_ms = self.rng.random_range(0..=2);
        self.emit_user("user.updated", &first, at_ms + first_delay_ms);
        if let Some(second) = second {
            self.now_ms += self.rng.random_range(0..=2);
            self.emit_user("user.updated", &second, self.now_ms);
        }
    }

    fn delete_user(&mut self) {
        let Some(id) = self.users.draw(&mut self.rng).map(|user| user.id.clone()) else { return };
        let Some(user) = self.users.get(&id).cloned() else { return };
        let cascade = self.cascade_events();
        if cascade == CascadeEvents::Before {
            self.end_memberships(&user.membership_ids);
        }
        let data = DeletedObject {
            deleted: true,
            external_id: user.external_id.as_deref(),
            id: &user.id,
            object: "user",
            slug: None,
        };
        let effect = gone(USERS, &user.id, &user.membership_ids, &user.dependants);
        self.emit("user.deleted", self.now_ms, &data, |_| effect);
        if cascade == CascadeEvents::After {
            self.end_memberships(&user.membership_ids);
        }
        self.forget_memberships(&user.membership_ids);
        self.forget(&user.dependants);
        self.users.remove(&user.id);
    }

    fn found_organization(&mut self) {
        let Some(founder) = self.users.draw(&mut self.rng).map(|user| user.id.clone()) else {
            return;
        };
        let organization = Organization::found(&founder, self.now_ms, &mut self.rng);
        let id = organization.id.clone();
        self.emit_organization("organization.created", &organization);
        self.organizations.insert(organization);
        self.join(&id, &founder);
    }

    fn change_organization(&mut self) {
        let at_ms = self.now_ms;
        let Some(organization) = self.organizations.draw_mut(&mut self.rng) else { return };
        organization.change(at_ms, &mut self.rng);
        let organization = organization.clone();
        self.emit_organization("organization.updated", &organization);
    }

    fn delete_organization(&mut self) {
        let Some(organization) = self.organizations.draw(&mut self.rng).cloned() else { return };
        let cascade = self.cascade_events();
        if cascade == CascadeEvents::Before {
            self.end_memberships(&organization.membership_ids);
        }
        let data = DeletedObject {
            deleted: true,
            external_id: None,
            id: &organization.id,
            object: "organization",
            slug: Some(&organization.slug),
        };
        let effect = gone(
            ORGANIZATIONS,
            &organization.id,
            &organization.membership_ids,
            &organization.dependants,
        );
        self.emit("organization.deleted", self.now_ms, &data, |_| effect);
        if cascade == CascadeEvents::After {
            self.end_memberships(&organization.membership_ids);
        }
        self.forget_memberships(&organization.membership_ids);
        self.forget(&organization.dependants);
        self.organizations.remove(&organization.id);
    }

    fn join_organization(&mut self) {
        let organization = self.organizations.draw(&mut self.rng).map(|org| org.id.clone());
        let user = self.users.draw(&mut self.rng).map(|user| user.id.clone());
        if let (Some(organization), Some(user)) = (organization, user) {
            self.join(&organization, &user);
        }
    }

    fn change_membership(&mut self) {
        let at_ms = self.now_ms;
        let Some(membership) = self.memberships.draw_mut(&mut self.rng) else { return };
        membership.change(at_ms, &mut self.rng);
        let membership = membership.clone();
        self.emit_membership("organizationMembership.updated", &membership);
    }

    fn leave_organization(&mut self) {
        let Some(id) = self.memberships.draw(&mut self.rng).map(|member| member.id.clone()) else {
            return;
        };
        self.end_memberships(std::slice::from_ref(&id));
        self.forget_memberships(&[id]);
    }

    fn something_else(&mut self) {
        if self.has_all_entities {
            return self.live_elsewhere();
        }
        let Some(user) = self.users.draw(&mut self.rng).cloned() else { return };
        let (event_type, data) = bystander::about(&user, self.now_ms, &mut self.rng);
        self.emit(event_type, self.now_ms, &data, |_| Effect::Nothing);
    }

    /// Makes a user a member, unless the user is one already.
    fn join(&mut self, organization_id: &str, user_id: &str) {
        let Some(organization) = self.organizations.get(organization_id) else { return };
        let Some(user) = self.users.get(user_id) else { return };
        let already = user.membership_ids.iter().filter_map(|id| self.memberships.get(id));
        if already.into_iter().any(|membership| membership.organization_id == organization_id) {
            return;
        }
        let membership = Membership::join(organization, user, self.now_ms, &mut self.rng);
        if let Some(organization) = self.organizations.get_mut(organization_id) {
            organization.membership_ids.push(membership.id.clone());
        }
        if let Some(user) = self.users.get_mut(user_id) {
            user.membership_ids.push(membership.id.clone());
        }
        self.emit_membership("organizationMembership.created", &membership);
        self.memberships.insert(membership);
    }

    fn cascade_events(&mut self) -> CascadeEvents {
        match self.rng.random_range(0..4) {
            0 => CascadeEvents::Before,
            1 => CascadeEvents::After,
            _ => CascadeEvents::Never,
        }
    }

    /// Emits the end of memberships: with the whole object, unlike every other deletion.
    fn end_memberships(&mut self, ids: &[String]) {
        for id in ids {
            let Some(membership) = self.memberships.get(id).cloned() else { continue };
            self.emit_membership("organizationMembership.deleted", &membership);
        }
    }

    /// Takes memberships out of the world, and out of their user's and their organization's lists.
    fn forget_memberships(&mut self, ids: &[String]) {
        for id in ids {
            let Some(membership) = self.memberships.remove(id) else { continue };
            if let Some(user) = self.users.get_mut(&membership.user_id) {
                user.membership_ids.retain(|known| known != id);
            }
            if let Some(organization) = self.organizations.get_mut(&membership.organization_id) {
                organization.membership_ids.retain(|known| known != id);
            }
        }
    }

    fn emit_user(&mut self, event_type: &'static str, user: &User, occurred_at: i64) {
        self.emit(event_type, occurred_at, user, |message_id| Effect::Upsert {
            table: USERS,
            id: user.id.clone(),
            version: version(user.updated_at, occurred_at, event_type, message_id),
            row: user.row(),
        });
    }

    fn emit_organization(&mut self, event_type: &'static str, organization: &Organization) {
        let occurred_at = self.now_ms;
        self.emit(event_type, occurred_at, organization, |message_id| Effect::Upsert {
            table: ORGANIZATIONS,
            id: organization.id.clone(),
            version: version(organization.updated_at, occurred_at, event_type, message_id),
            row: organization.row(),
        });
    }

    fn emit_membership(&mut self, event_type: &'static str, membership: &Membership) {
        let Some(organization) = self.organizations.get(&membership.organization_id).cloned()
        else {
            return;
        };
        let Some(user) = self.users.get(&membership.user_id).cloned() else { return };
        let occurred_at = self.now_ms;
        let payload = membership.payload(&organization, &user);
        self.emit(event_type, occurred_at, &payload, |message_id| {
            if event_type == "organizationMembership.deleted" {
                return gone(ORGANIZATION_MEMBERSHIPS, &membership.id, &[], &[]);
            }
            Effect::Upsert {
                table: ORGANIZATION_MEMBERSHIPS,
                id: membership.id.clone(),
                version: version(membership.updated_at, occurred_at, event_type, message_id),
                row: membership.row(),
            }
        });
    }
}

/// The entity is gone, with its memberships and whatever else depends on it.
pub(super) fn gone(
    table: &'static str,
    id: &str,
    membership_ids: &[String],
    others: &[(&'static str, String)],
) -> Effect {
    let memberships = membership_ids.iter().map(|id| (ORGANIZATION_MEMBERSHIPS, id.clone()));
    let dependants = memberships.chain(others.iter().cloned()).collect();
    Effect::Delete { table, id: id.to_owned(), dependants }
}
