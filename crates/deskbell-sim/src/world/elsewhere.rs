//! What happens to everything but users, organizations and memberships, in a world that has all of Clerk's entities.

use rand::Rng;
use serde_json::Value;

use super::domain::Domain;
use super::envelope::DeletedObject;
use super::invitation::{ENDS, Invitation, OrganizationInvitation};
use super::lives::gone;
use super::notice::{self, Notice};
use super::role::{Permission, Role};
use super::session::Session;
use super::waitlist::WaitlistEntry;
use super::{World, bystander, version};
use crate::truth::{
    EMAILS, Effect, INVITATIONS, ORGANIZATION_DOMAINS, ORGANIZATION_INVITATIONS, PERMISSIONS,
    ROLES, Row, SESSIONS, SMS, WAITLIST_ENTRIES,
};

impl World {
    /// Does one thing. It may come to nothing, where there is nothing yet to do it to.
    pub(super) fn live_elsewhere(&mut self) {
        match self.rng.random_range(0..100) {
            0..=15 => self.begin_session(),
            16..=27 => self.end_session(),
            28..=34 => self.send_notice(EMAILS),
            35..=38 => self.send_notice(SMS),
            39..=40 => self.unknown_event(),
            41..=45 => self.invite(),
            46..=48 => self.end_invitation(),
            49..=54 => self.invite_to_organization(),
            55..=58 => self.end_organization_invitation(),
            59..=63 => self.add_domain(),
            64..=67 => self.change_domain(),
            68 => self.delete_domain(),
            69..=70 => self.create_permission(),
            71..=72 => self.change_permission(),
            73..=75 => self.create_role(),
            76..=77 => self.change_role(),
            78 => self.delete_role_or_permission(),
            79..=82 => self.join_waitlist(),
            83..=84 => self.leave_waitlist(),
            _ => self.bill(),
        }
    }

    /// Puts a message into the outbox that is a new version of an object.
    pub(super) fn emit_version(
        &mut self,
        event_type: &'static str,
        (table, id, updated_at): (&'static str, &str, i64),
        data: &Value,
        row: Row,
    ) {
        let (id, occurred_at) = (id.to_owned(), self.now_ms);
        self.emit(event_type, occurred_at, data, |message_id| Effect::Upsert {
            table,
            id,
            version: version(updated_at, occurred_at, event_type, message_id),
            row,
        });
    }

    fn emit_end(&mut self, event_type: &'static str, table: &'static str, id: &str) {
        let object = event_type.split('.').next().unwrap_or_default();
        let object = if object == "organizationDomain" { "organization_domain" } else { object };
        let data = DeletedObject { deleted: true, external_id: None, id, object, slug: None };
        self.emit(event_type, self.now_ms, &data, |_| gone(table, id, &[], &[]));
    }

    /// Forgets what has ended with its user or organization.
    pub(super) fn forget(&mut self, dependants: &[(&'static str, String)]) {
        for (table, id) in dependants {
            match *table {
                SESSIONS => drop(self.more.sessions.remove(id)),
                ORGANIZATION_DOMAINS => drop(self.more.domains.remove(id)),
                _ => drop(self.more.organization_invitations.remove(id)),
            }
        }
    }

    fn begin_session(&mut self) {
        let at_ms = self.now_ms;
        let Some(user) = self.users.draw_mut(&mut self.rng) else { return };
        let session = Session::begin(&user.id, at_ms, &mut self.rng);
        user.dependants.push((SESSIONS, session.id.clone()));
        self.emit_session("session.created", &session);
        self.more.sessions.insert(session);
    }

    fn end_session(&mut self) {
        let at_ms = self.now_ms;
        let Some(session) = self.more.sessions.draw_mut(&mut self.rng) else { return };
        if session.status != "active" || session.updated_at == at_ms {
            return;
        }
        session.end(at_ms, &mut self.rng);
        let session = session.clone();
        let event_type = match session.status {
            "ended" => "session.ended",
            "removed" => "session.removed",
            _ => "session.revoked",
        };
        self.emit_session(event_type, &session);
    }

    fn emit_session(&mut self, event_type: &'static str, session: &Session) {
        let key = (SESSIONS, session.id.as_str(), session.updated_at);
        self.emit_version(event_type, key, &session.payload(), session.row());
    }

    fn send_notice(&mut self, table: &'static str) {
        let Some(user) = self.users.draw(&mut self.rng).cloned() else { return };
        let (event_type, Notice { id, payload, row }) = match table {
            EMAILS => ("email.created", notice::email(&user, self.now_ms, &mut self.rng)),
            _ => ("sms.created", notice::sms(&user, self.now_ms, &mut self.rng)),
        };
        self.emit_version(event_type, (table, &id, self.now_ms), &payload, row);
    }

    /// Clerk adds types: one that no catalog has must be stored all the same.
    fn unknown_event(&mut self) {
        let Some(user) = self.users.draw(&mut self.rng).cloned() else { return };
        let data = bystander::bounce(&user, self.now_ms, &mut self.rng);
        self.emit("emailDelivery.bounced", self.now_ms, &data, |_| Effect::Nothing);
    }

    fn invite(&mut self) {
        let invitation = Invitation::send(None, self.now_ms, &mut self.rng);
        self.emit_invitation("invitation.created", &invitation);
        self.more.invitations.insert(invitation);
    }

    fn end_invitation(&mut self) {
        let Some(id) = self.more.invitations.draw(&mut self.rng).map(|one| one.id.clone()) else {
            return;
        };
        let Some(mut invitation) = self.more.invitations.remove(&id) else { return };
        let end = self.rng.random_range(0..ENDS.len());
        invitation.end(ENDS[end], self.now_ms);
        self.emit_invitation(["invitation.accepted", "invitation.revoked"][end], &invitation);
    }

    fn emit_invitation(&mut self, event_type: &'static str, invitation: &Invitation) {
        let key = (INVITATIONS, invitation.id.as_str(), invitation.updated_at);
        self.emit_version(event_type, key, &invitation.payload(), invitation.row());
    }

    fn invite_to_organization(&mut self) {
        let at_ms = self.now_ms;
        let Some(inviter) = self.users.draw(&mut self.rng).map(|user| user.id.clone()) else {
            return;
        };
        let Some(organization) = self.organizations.draw_mut(&mut self.rng) else { return };
        let (id, rng) = (organization.id.clone(), &mut self.rng);
        let invitation = OrganizationInvitation::send(&id, &inviter, at_ms, rng);
        organization.dependants.push((ORGANIZATION_INVITATIONS, invitation.id.clone()));
        self.emit_organization_invitation("organizationInvitation.created", &invitation);
        self.more.organization_invitations.insert(invitation);
    }

    fn end_organization_invitation(&mut self) {
        let invitations = &mut self.more.organization_invitations;
        let Some(id) = invitations.draw(&mut self.rng).map(|one| one.id.clone()) else { return };
        let Some(mut invitation) = invitations.remove(&id) else { return };
        let Some(user) = self.users.draw(&mut self.rng).map(|user| user.id.clone()) else { return };
        let end = self.rng.random_range(0..ENDS.len());
        invitation.end(ENDS[end], &user, self.now_ms);
        let types = ["organizationInvitation.accepted", "organizationInvitation.revoked"];
        self.emit_organization_invitation(types[end], &invitation);
    }

    fn emit_organization_invitation(
        &mut self,
        event_type: &'static str,
        invitation: &OrganizationInvitation,
    ) {
        let Some(organization) = self.organizations.get(&invitation.organization_id) else {
            return;
        };
        let data = invitation.payload(organization);
        let key = (ORGANIZATION_INVITATIONS, invitation.id.as_str(), invitation.updated_at);
        self.emit_version(event_type, key, &data, invitation.row());
    }

    fn add_domain(&mut self) {
        let at_ms = self.now_ms;
        let Some(organization) = self.organizations.draw_mut(&mut self.rng) else { return };
        let domain = Domain::add(&organization.id, at_ms, &mut self.rng);
        organization.dependants.push((ORGANIZATION_DOMAINS, domain.id.clone()));
        self.emit_domain("organizationDomain.created", &domain);
        self.more.domains.insert(domain);
    }

    fn change_domain(&mut self) {
        let at_ms = self.now_ms;
        let Some(domain) = self.more.domains.draw_mut(&mut self.rng) else { return };
        domain.change(at_ms, &mut self.rng);
        let domain = domain.clone();
        self.emit_domain("organizationDomain.updated", &domain);
    }

    fn delete_domain(&mut self) {
        let Some(id) = self.more.domains.draw(&mut self.rng).map(|one| one.id.clone()) else {
            return;
        };
        self.more.domains.remove(&id);
        self.emit_end("organizationDomain.deleted", ORGANIZATION_DOMAINS, &id);
    }

    fn emit_domain(&mut self, event_type: &'static str, domain: &Domain) {
        let Some(organization) = self.organizations.get(&domain.organization_id) else { return };
        let data = domain.payload(organization);
        let key = (ORGANIZATION_DOMAINS, domain.id.as_str(), domain.updated_at);
        self.emit_version(event_type, key, &data, domain.row());
    }

    fn create_permission(&mut self) {
        let permission = Permission::create(self.now_ms, &mut self.rng);
        self.emit_permission("permission.created", &permission);
        self.more.permissions.insert(permission);
    }

    fn change_permission(&mut self) {
        let at_ms = self.now_ms;
        let Some(permission) = self.more.permissions.draw_mut(&mut self.rng) else { return };
        permission.change(at_ms, &mut self.rng);
        let permission = permission.clone();
        self.emit_permission("permission.updated", &permission);
    }

    fn emit_permission(&mut self, event_type: &'static str, permission: &Permission) {
        let key = (PERMISSIONS, permission.id.as_str(), permission.updated_at);
        self.emit_version(event_type, key, &permission.payload(), permission.row());
    }

    fn create_role(&mut self) {
        let permission = self.more.permissions.draw(&mut self.rng).cloned();
        let role = Role::create(permission.as_ref(), self.now_ms, &mut self.rng);
        self.emit_role("role.created", &role);
        self.more.roles.insert(role);
    }

    fn change_role(&mut self) {
        let at_ms = self.now_ms;
        let permission = self.more.permissions.draw(&mut self.rng).cloned();
        let Some(role) = self.more.roles.draw_mut(&mut self.rng) else { return };
        role.change(permission.as_ref(), at_ms, &mut self.rng);
        let role = role.clone();
        self.emit_role("role.updated", &role);
    }

    fn emit_role(&mut self, event_type: &'static str, role: &Role) {
        let key = (ROLES, role.id.as_str(), role.updated_at);
        self.emit_version(event_type, key, &role.payload(), role.row());
    }

    fn delete_role_or_permission(&mut self) {
        if self.rng.random() {
            let Some(id) = self.more.roles.draw(&mut self.rng).map(|one| one.id.clone()) else {
                return;
            };
            self.more.roles.remove(&id);
            self.emit_end("role.deleted", ROLES, &id);
        } else {
            let permissions = &mut self.more.permissions;
            let Some(id) = permissions.draw(&mut self.rng).map(|one| one.id.clone()) else {
                return;
            };
            permissions.remove(&id);
            self.emit_end("permission.deleted", PERMISSIONS, &id);
        }
    }

    fn join_waitlist(&mut self) {
        let entry = WaitlistEntry::join(self.now_ms, &mut self.rng);
        self.emit_waitlist_entry("waitlistEntry.created", &entry);
        self.more.waitlist.insert(entry);
    }

    /// Somebody who waited is invited: the invitation comes first, and the entry names it.
    fn leave_waitlist(&mut self) {
        let Some(id) = self.more.waitlist.draw(&mut self.rng).map(|one| one.id.clone()) else {
            return;
        };
        let Some(mut entry) = self.more.waitlist.remove(&id) else { return };
        let address = entry.email_address.clone();
        let invitation = Invitation::send(Some(address), self.now_ms, &mut self.rng);
        self.emit_invitation("invitation.created", &invitation);
        entry.invite(&invitation, self.now_ms);
        self.emit_waitlist_entry("waitlistEntry.updated", &entry);
        self.more.invitations.insert(invitation);
    }

    fn emit_waitlist_entry(&mut self, event_type: &'static str, entry: &WaitlistEntry) {
        let key = (WAITLIST_ENTRIES, entry.id.as_str(), entry.updated_at);
        self.emit_version(event_type, key, &entry.payload(), entry.row());
    }
}
