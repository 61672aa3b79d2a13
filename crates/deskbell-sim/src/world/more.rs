//! What is alive beside users, organizations and memberships.

use super::domain::Domain;
use super::invitation::{Invitation, OrganizationInvitation};
use super::payment::PaymentAttempt;
use super::pool::Pool;
use super::role::{Permission, Role};
use super::session::Session;
use super::subscription::Subscription;
use super::waitlist::WaitlistEntry;

/// Those that may still change; of invitations and payments, those that are pending.
#[derive(Debug)]
pub(crate) struct More {
    pub(crate) sessions: Pool<Session>,
    pub(crate) invitations: Pool<Invitation>,
    pub(crate) organization_invitations: Pool<OrganizationInvitation>,
    pub(crate) domains: Pool<Domain>,
    pub(crate) roles: Pool<Role>,
    pub(crate) permissions: Pool<Permission>,
    pub(crate) waitlist: Pool<WaitlistEntry>,
    pub(crate) subscriptions: Pool<Subscription>,
    pub(crate) payment_attempts: Pool<PaymentAttempt>,
}

impl More {
    pub(crate) fn new() -> Self {
        Self {
            sessions: Pool::new(),
            invitations: Pool::new(),
            organization_invitations: Pool::new(),
            domains: Pool::new(),
            roles: Pool::new(),
            permissions: Pool::new(),
            waitlist: Pool::new(),
            subscriptions: Pool::new(),
            payment_attempts: Pool::new(),
        }
    }
}
