//! `EventType`: every type of event that Clerk is known to send.

use crate::text_enum::text_enum;

/// What happened, as the envelope's `type` says it.
///
/// ```
/// use clerk_webhooks::EventType;
///
/// assert_eq!(EventType::from("user.created"), EventType::UserCreated);
/// assert_eq!(EventType::UserCreated.as_str(), "user.created");
///
/// let new = EventType::from("agent.created");
/// assert!(!new.is_known());
/// assert_eq!(new.to_string(), "agent.created");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventType {
    /// `user.created`: a user signed up or was created.
    UserCreated,
    /// `user.updated`: a user changed.
    UserUpdated,
    /// `user.deleted`: a user was deleted.
    UserDeleted,
    /// `organization.created`: an organization was created.
    OrganizationCreated,
    /// `organization.updated`: an organization changed.
    OrganizationUpdated,
    /// `organization.deleted`: an organization was deleted.
    OrganizationDeleted,
    /// `organizationDomain.created`: a domain was added to an organization.
    OrganizationDomainCreated,
    /// `organizationDomain.updated`: a domain of an organization changed.
    OrganizationDomainUpdated,
    /// `organizationDomain.deleted`: a domain was taken from an organization.
    OrganizationDomainDeleted,
    /// `organizationMembership.created`: a user joined an organization.
    OrganizationMembershipCreated,
    /// `organizationMembership.updated`: a membership changed, such as its role.
    OrganizationMembershipUpdated,
    /// `organizationMembership.deleted`: a user left an organization; the membership comes whole.
    OrganizationMembershipDeleted,
    /// `organizationInvitation.created`: somebody was invited into an organization.
    OrganizationInvitationCreated,
    /// `organizationInvitation.accepted`: an invitation into an organization was accepted.
    OrganizationInvitationAccepted,
    /// `organizationInvitation.revoked`: an invitation into an organization was withdrawn.
    OrganizationInvitationRevoked,
    /// `invitation.created`: somebody was invited to sign up.
    InvitationCreated,
    /// `invitation.accepted`: an invitation to sign up was accepted.
    InvitationAccepted,
    /// `invitation.revoked`: an invitation to sign up was withdrawn.
    InvitationRevoked,
    /// `role.created`: a role was created.
    RoleCreated,
    /// `role.updated`: a role changed.
    RoleUpdated,
    /// `role.deleted`: a role was deleted.
    RoleDeleted,
    /// `permission.created`: a permission was created.
    PermissionCreated,
    /// `permission.updated`: a permission changed.
    PermissionUpdated,
    /// `permission.deleted`: a permission was deleted.
    PermissionDeleted,
    /// `session.created`: somebody signed in.
    SessionCreated,
    /// `session.updated`: a session changed.
    SessionUpdated,
    /// `session.pending`: somebody signed in, with a task still to do.
    SessionPending,
    /// `session.ended`: somebody signed out.
    SessionEnded,
    /// `session.removed`: a session was taken off its device.
    SessionRemoved,
    /// `session.revoked`: a session was ended from elsewhere.
    SessionRevoked,
    /// `email.created`: an email is sent, or is yours to send.
    EmailCreated,
    /// `sms.created`: a text message is sent, or is yours to send.
    SmsCreated,
    /// `waitlistEntry.created`: somebody joined the waitlist.
    WaitlistEntryCreated,
    /// `waitlistEntry.updated`: a place on the waitlist changed.
    WaitlistEntryUpdated,
    /// `subscription.created`: a subscription was created.
    SubscriptionCreated,
    /// `subscription.updated`: a subscription changed.
    SubscriptionUpdated,
    /// `subscription.active`: a subscription became active.
    SubscriptionActive,
    /// `subscription.pastDue`: a payment of a subscription is missing.
    SubscriptionPastDue,
    /// `subscriptionItem.created`: a plan was added to a subscription.
    SubscriptionItemCreated,
    /// `subscriptionItem.updated`: a subscription item changed, such as its price.
    SubscriptionItemUpdated,
    /// `subscriptionItem.active`: a subscription item came into force.
    SubscriptionItemActive,
    /// `subscriptionItem.canceled`: a subscription item will end with its period.
    SubscriptionItemCanceled,
    /// `subscriptionItem.upcoming`: a subscription item will begin after another ends.
    SubscriptionItemUpcoming,
    /// `subscriptionItem.ended`: a subscription item ended.
    SubscriptionItemEnded,
    /// `subscriptionItem.abandoned`: an upcoming subscription item was replaced before it began.
    SubscriptionItemAbandoned,
    /// `subscriptionItem.incomplete`: a subscription item waits for the payer to do something.
    SubscriptionItemIncomplete,
    /// `subscriptionItem.pastDue`: a payment of a subscription item is missing.
    SubscriptionItemPastDue,
    /// `subscriptionItem.freeTrialEnding`: a free trial ends in three days, or less.
    SubscriptionItemFreeTrialEnding,
    /// `subscriptionItem.expired`: a subscription item was not completed in time.
    SubscriptionItemExpired,
    /// `paymentAttempt.created`: a payment was begun.
    PaymentAttemptCreated,
    /// `paymentAttempt.updated`: a payment succeeded or failed.
    PaymentAttemptUpdated,
    /// A type that this version does not know.
    Unknown(String),
}

text_enum!(EventType {
    UserCreated = "user.created",
    UserUpdated = "user.updated",
    UserDeleted = "user.deleted",
    OrganizationCreated = "organization.created",
    OrganizationUpdated = "organization.updated",
    OrganizationDeleted = "organization.deleted",
    OrganizationDomainCreated = "organizationDomain.created",
    OrganizationDomainUpdated = "organizationDomain.updated",
    OrganizationDomainDeleted = "organizationDomain.deleted",
    OrganizationMembershipCreated = "organizationMembership.created",
    OrganizationMembershipUpdated = "organizationMembership.updated",
    OrganizationMembershipDeleted = "organizationMembership.deleted",
    OrganizationInvitationCreated = "organizationInvitation.created",
    OrganizationInvitationAccepted = "organizationInvitation.accepted",
    OrganizationInvitationRevoked = "organizationInvitation.revoked",
    InvitationCreated = "invitation.created",
    InvitationAccepted = "invitation.accepted",
    InvitationRevoked = "invitation.revoked",
    RoleCreated = "role.created",
    RoleUpdated = "role.updated",
    RoleDeleted = "role.deleted",
    PermissionCreated = "permission.created",
    PermissionUpdated = "permission.updated",
    PermissionDeleted = "permission.deleted",
    SessionCreated = "session.created",
    SessionUpdated = "session.updated",
    SessionPending = "session.pending",
    SessionEnded = "session.ended",
    SessionRemoved = "session.removed",
    SessionRevoked = "session.revoked",
    EmailCreated = "email.created",
    SmsCreated = "sms.created",
    WaitlistEntryCreated = "waitlistEntry.created",
    WaitlistEntryUpdated = "waitlistEntry.updated",
    SubscriptionCreated = "subscription.created",
    SubscriptionUpdated = "subscription.updated",
    SubscriptionActive = "subscription.active",
    SubscriptionPastDue = "subscription.pastDue",
    SubscriptionItemCreated = "subscriptionItem.created",
    SubscriptionItemUpdated = "subscriptionItem.updated",
    SubscriptionItemActive = "subscriptionItem.active",
    SubscriptionItemCanceled = "subscriptionItem.canceled",
    SubscriptionItemUpcoming = "subscriptionItem.upcoming",
    SubscriptionItemEnded = "subscriptionItem.ended",
    SubscriptionItemAbandoned = "subscriptionItem.abandoned",
    SubscriptionItemIncomplete = "subscriptionItem.incomplete",
    SubscriptionItemPastDue = "subscriptionItem.pastDue",
    SubscriptionItemFreeTrialEnding = "subscriptionItem.freeTrialEnding",
    SubscriptionItemExpired = "subscriptionItem.expired",
    PaymentAttemptCreated = "paymentAttempt.created",
    PaymentAttemptUpdated = "paymentAttempt.updated",
});

impl EventType {
    /// Whether this version knows the type.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// The kind of entity that the event is about, such as `organization_membership` for
    /// `organizationMembership.created`; none for a type that is not known.
    ///
    /// ```
    /// use clerk_webhooks::EventType;
    /// assert_eq!(EventType::PaymentAttemptUpdated.entity(), Some("payment_attempt"));
    /// ```
    #[must_use]
    pub fn entity(&self) -> Option<&'static str> {
        if !self.is_known() {
            return None;
        }
        Some(match self.as_str().split_once('.')?.0 {
            "user" => "user",
            "organization" => "organization",
            "organizationDomain" => "organization_domain",
            "organizationMembership" => "organization_membership",
            "organizationInvitation" => "organization_invitation",
            "invitation" => "invitation",
            "role" => "role",
            "permission" => "permission",
            "session" => "session",
            "email" => "email",
            "sms" => "sms",
            "waitlistEntry" => "waitlist_entry",
            "subscription" => "subscription",
            "subscriptionItem" => "subscription_item",
            "paymentAttempt" => "payment_attempt",
            _ => return None,
        })
    }

    /// Whether its payloads bear one-time codes and magic links, that must not be kept or passed on
    /// without need: `email.created` and `sms.created`.
    #[must_use]
    pub fn bears_one_time_codes(&self) -> bool {
        matches!(self, Self::EmailCreated | Self::SmsCreated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_type_has_a_variant_and_an_entity() {
        for text in EventType::KNOWN {
            let event_type = EventType::from(*text);
            assert!(event_type.is_known() && event_type.entity().is_some(), "{text}");
            assert_eq!(event_type.as_str(), *text);
            let json = serde_json::to_string(&event_type).unwrap();
            assert_eq!(serde_json::from_str::<EventType>(&json).unwrap(), event_type);
        }
        assert_eq!(EventType::KNOWN.len(), 51);
    }

    #[test]
    fn a_type_is_compared_as_it_stands() {
        for text in ["User.created", "user.Created", "user.created ", "user", ""] {
            let event_type = EventType::from(text);
            assert_eq!(event_type, EventType::Unknown(text.to_owned()));
            assert_eq!((event_type.as_str(), event_type.entity()), (text, None));
        }
    }
}
