//! The catalog: every type of event that Clerk is known to send, with what it means and a sample.
//!
//! Behind the feature `catalog`, since the samples are some 90 KB.
//!
//! ```
//! use clerk_webhooks::catalog;
//!
//! let entry = catalog::find("organizationMembership.deleted").unwrap();
//! assert_eq!(entry.entity, Some("organization_membership"));
//! assert!(entry.sample.contains("\"public_user_data\""));
//! assert!(catalog::find("membership.deleted").is_none());
//! ```

use crate::event_type::EventType;
use crate::payload::{
    Email, EventAttributes, Invitation, Organization, OrganizationDomain, OrganizationInvitation,
    OrganizationMembership, PaymentAttempt, Permission, Role, Session, Sms, Subscription,
    SubscriptionItem, User, WaitlistEntry,
};
use crate::shape::Describe;
pub use crate::shape::Shape;

/// What is known of a type of event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatalogEntry {
    /// The type.
    pub event_type: EventType,
    /// When Clerk sends it, in a sentence.
    pub description: &'static str,
    /// The kind of entity that it is about, as [`EventType::entity`] names it.
    pub entity: Option<&'static str>,
    /// A body as Clerk might send it: the whole envelope, as JSON with line breaks. The people, names
    /// and ids in it are made up.
    pub sample: &'static str,
}

/// Every type, those of one entity together.
#[must_use]
pub fn all() -> &'static [CatalogEntry] {
    ENTRIES
}

/// The entry of a type, compared as it stands.
#[must_use]
pub fn find(event_type: &str) -> Option<&'static CatalogEntry> {
    ENTRIES.iter().find(|entry| entry.event_type.as_str() == event_type)
}

/// What the `data` of events about an entity may hold, except that of deleted ones; `None` for an
/// entity that the catalog does not have.
#[must_use]
pub fn shape(entity: &str) -> Option<Shape> {
    Some(match entity {
        "user" => User::shape(),
        "organization" => Organization::shape(),
        "organization_domain" => OrganizationDomain::shape(),
        "organization_membership" => OrganizationMembership::shape(),
        "organization_invitation" => OrganizationInvitation::shape(),
        "invitation" => Invitation::shape(),
        "role" => Role::shape(),
        "permission" => Permission::shape(),
        "session" => Session::shape(),
        "email" => Email::shape(),
        "sms" => Sms::shape(),
        "waitlist_entry" => WaitlistEntry::shape(),
        "subscription" => Subscription::shape(),
        "subscription_item" => SubscriptionItem::shape(),
        "payment_attempt" => PaymentAttempt::shape(),
        _ => return None,
    })
}

/// What `event_attributes` may hold.
#[must_use]
pub fn attributes_shape() -> Shape {
    EventAttributes::shape()
}

macro_rules! entries {
    ($($entity:literal { $($variant:ident $event_type:literal $description:literal,)+ })+) => {
        &[$($(CatalogEntry {
            event_type: EventType::$variant,
            description: $description,
            entity: Some($entity),
            sample: include_str!(concat!("../samples/", $event_type, ".json")),
        },)+)+]
    };
}

static ENTRIES: &[CatalogEntry] = entries! {
    "user" {
        UserCreated "user.created" "A user signed up or was created.",
        UserUpdated "user.updated" "A user changed.",
        UserDeleted "user.deleted" "A user was deleted.",
    }
    "organization" {
        OrganizationCreated "organization.created" "An organization was created.",
        OrganizationUpdated "organization.updated" "An organization changed.",
        OrganizationDeleted "organization.deleted" "An organization was deleted.",
    }
    "organization_domain" {
        OrganizationDomainCreated "organizationDomain.created" "A domain was added to an organization.",
        OrganizationDomainUpdated "organizationDomain.updated" "A domain of an organization changed.",
        OrganizationDomainDeleted "organizationDomain.deleted" "A domain was taken from an organization.",
    }
    "organization_membership" {
        OrganizationMembershipCreated "organizationMembership.created" "A user joined an organization.",
        OrganizationMembershipUpdated "organizationMembership.updated" "A membership changed, such as its role.",
        OrganizationMembershipDeleted "organizationMembership.deleted" "A user left an organization; the membership comes whole.",
    }
    "organization_invitation" {
        OrganizationInvitationCreated "organizationInvitation.created" "Somebody was invited into an organization.",
        OrganizationInvitationAccepted "organizationInvitation.accepted" "An invitation into an organization was accepted.",
        OrganizationInvitationRevoked "organizationInvitation.revoked" "An invitation into an organization was withdrawn.",
    }
    "invitation" {
        InvitationCreated "invitation.created" "Somebody was invited to sign up.",
        InvitationAccepted "invitation.accepted" "An invitation to sign up was accepted.",
        InvitationRevoked "invitation.revoked" "An invitation to sign up was withdrawn.",
    }
    "role" {
        RoleCreated "role.created" "A role was created.",
        RoleUpdated "role.updated" "A role changed.",
        RoleDeleted "role.deleted" "A role was deleted.",
    }
    "permission" {
        PermissionCreated "permission.created" "A permission was created.",
        PermissionUpdated "permission.updated" "A permission changed.",
        PermissionDeleted "permission.deleted" "A permission was deleted.",
    }
    "session" {
        SessionCreated "session.created" "Somebody signed in.",
        SessionUpdated "session.updated" "A session changed.",
        SessionPending "session.pending" "Somebody signed in, with a task still to do.",
        SessionEnded "session.ended" "Somebody signed out.",
        SessionRemoved "session.removed" "A session was taken off its device.",
        SessionRevoked "session.revoked" "A session was ended from elsewhere.",
    }
    "email" {
        EmailCreated "email.created" "An email is sent, or is yours to send.",
    }
    "sms" {
        SmsCreated "sms.created" "A text message is sent, or is yours to send.",
    }
    "waitlist_entry" {
        WaitlistEntryCreated "waitlistEntry.created" "Somebody joined the waitlist.",
        WaitlistEntryUpdated "waitlistEntry.updated" "A place on the waitlist changed.",
    }
    "subscription" {
        SubscriptionCreated "subscription.created" "A subscription was created.",
        SubscriptionUpdated "subscription.updated" "A subscription changed.",
        SubscriptionActive "subscription.active" "A subscription became active.",
        SubscriptionPastDue "subscription.pastDue" "A payment of a subscription is missing.",
    }
    "subscription_item" {
        SubscriptionItemCreated "subscriptionItem.created" "A plan was added to a subscription.",
        SubscriptionItemUpdated "subscriptionItem.updated" "A subscription item changed, such as its price.",
        SubscriptionItemActive "subscriptionItem.active" "A subscription item came into force.",
        SubscriptionItemCanceled "subscriptionItem.canceled" "A subscription item will end with its period.",
        SubscriptionItemUpcoming "subscriptionItem.upcoming" "A subscription item will begin after another ends.",
        SubscriptionItemEnded "subscriptionItem.ended" "A subscription item ended.",
        SubscriptionItemAbandoned "subscriptionItem.abandoned" "An upcoming subscription item was replaced before it began.",
        SubscriptionItemIncomplete "subscriptionItem.incomplete" "A subscription item waits for the payer to do something.",
        SubscriptionItemPastDue "subscriptionItem.pastDue" "A payment of a subscription item is missing.",
        SubscriptionItemFreeTrialEnding "subscriptionItem.freeTrialEnding" "A free trial ends in three days, or less.",
        SubscriptionItemExpired "subscriptionItem.expired" "A subscription item was not completed in time.",
    }
    "payment_attempt" {
        PaymentAttemptCreated "paymentAttempt.created" "A payment was begun.",
        PaymentAttemptUpdated "paymentAttempt.updated" "A payment succeeded or failed.",
    }
};
