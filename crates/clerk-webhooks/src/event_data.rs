//! `EventData`: the typed payload of an event, one variant a type.

use serde_json::value::RawValue;

use crate::event_type::EventType;
use crate::payload::fields::{Entity, Fields, NoId};
use crate::payload::{
    DeletedObject, Email, Invitation, Organization, OrganizationDomain, OrganizationInvitation,
    OrganizationMembership, PaymentAttempt, Permission, Role, Session, Sms, Subscription,
    SubscriptionItem, User, WaitlistEntry,
};

/// The payload of an event, by its type.
///
/// What does not fit is no error: an authentic event is always had, at the least as
/// [`Other`](Self::Other) with its JSON in [`Event::raw`](crate::Event::raw).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventData {
    /// `user.created`.
    UserCreated(Box<User>),
    /// `user.updated`.
    UserUpdated(Box<User>),
    /// `user.deleted`.
    UserDeleted(Box<DeletedObject>),
    /// `organization.created`.
    OrganizationCreated(Box<Organization>),
    /// `organization.updated`.
    OrganizationUpdated(Box<Organization>),
    /// `organization.deleted`.
    OrganizationDeleted(Box<DeletedObject>),
    /// `organizationDomain.created`.
    OrganizationDomainCreated(Box<OrganizationDomain>),
    /// `organizationDomain.updated`.
    OrganizationDomainUpdated(Box<OrganizationDomain>),
    /// `organizationDomain.deleted`.
    OrganizationDomainDeleted(Box<DeletedObject>),
    /// `organizationMembership.created`.
    OrganizationMembershipCreated(Box<OrganizationMembership>),
    /// `organizationMembership.updated`.
    OrganizationMembershipUpdated(Box<OrganizationMembership>),
    /// `organizationMembership.deleted`.
    OrganizationMembershipDeleted(Box<OrganizationMembership>),
    /// `organizationInvitation.created`.
    OrganizationInvitationCreated(Box<OrganizationInvitation>),
    /// `organizationInvitation.accepted`.
    OrganizationInvitationAccepted(Box<OrganizationInvitation>),
    /// `organizationInvitation.revoked`.
    OrganizationInvitationRevoked(Box<OrganizationInvitation>),
    /// `invitation.created`.
    InvitationCreated(Box<Invitation>),
    /// `invitation.accepted`.
    InvitationAccepted(Box<Invitation>),
    /// `invitation.revoked`.
    InvitationRevoked(Box<Invitation>),
    /// `role.created`.
    RoleCreated(Box<Role>),
    /// `role.updated`.
    RoleUpdated(Box<Role>),
    /// `role.deleted`.
    RoleDeleted(Box<DeletedObject>),
    /// `permission.created`.
    PermissionCreated(Box<Permission>),
    /// `permission.updated`.
    PermissionUpdated(Box<Permission>),
    /// `permission.deleted`.
    PermissionDeleted(Box<DeletedObject>),
    /// `session.created`.
    SessionCreated(Box<Session>),
    /// `session.updated`.
    SessionUpdated(Box<Session>),
    /// `session.pending`.
    SessionPending(Box<Session>),
    /// `session.ended`.
    SessionEnded(Box<Session>),
    /// `session.removed`.
    SessionRemoved(Box<Session>),
    /// `session.revoked`.
    SessionRevoked(Box<Session>),
    /// `email.created`.
    EmailCreated(Box<Email>),
    /// `sms.created`.
    SmsCreated(Box<Sms>),
    /// `waitlistEntry.created`.
    WaitlistEntryCreated(Box<WaitlistEntry>),
    /// `waitlistEntry.updated`.
    WaitlistEntryUpdated(Box<WaitlistEntry>),
    /// `subscription.created`.
    SubscriptionCreated(Box<Subscription>),
    /// `subscription.updated`.
    SubscriptionUpdated(Box<Subscription>),
    /// `subscription.active`.
    SubscriptionActive(Box<Subscription>),
    /// `subscription.pastDue`.
    SubscriptionPastDue(Box<Subscription>),
    /// `subscriptionItem.created`.
    SubscriptionItemCreated(Box<SubscriptionItem>),
    /// `subscriptionItem.updated`.
    SubscriptionItemUpdated(Box<SubscriptionItem>),
    /// `subscriptionItem.active`.
    SubscriptionItemActive(Box<SubscriptionItem>),
    /// `subscriptionItem.canceled`.
    SubscriptionItemCanceled(Box<SubscriptionItem>),
    /// `subscriptionItem.upcoming`.
    SubscriptionItemUpcoming(Box<SubscriptionItem>),
    /// `subscriptionItem.ended`.
    SubscriptionItemEnded(Box<SubscriptionItem>),
    /// `subscriptionItem.abandoned`.
    SubscriptionItemAbandoned(Box<SubscriptionItem>),
    /// `subscriptionItem.incomplete`.
    SubscriptionItemIncomplete(Box<SubscriptionItem>),
    /// `subscriptionItem.pastDue`.
    SubscriptionItemPastDue(Box<SubscriptionItem>),
    /// `subscriptionItem.freeTrialEnding`.
    SubscriptionItemFreeTrialEnding(Box<SubscriptionItem>),
    /// `subscriptionItem.expired`.
    SubscriptionItemExpired(Box<SubscriptionItem>),
    /// `paymentAttempt.created`.
    PaymentAttemptCreated(Box<PaymentAttempt>),
    /// `paymentAttempt.updated`.
    PaymentAttemptUpdated(Box<PaymentAttempt>),
    /// A payload without a typed form.
    Other {
        /// Why it has none.
        reason: OtherReason,
    },
}

/// Why a payload has no typed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum OtherReason {
    /// This version does not know the type.
    #[error("unknown event type")]
    UnknownType,
    /// There is no `data`, or `null`.
    #[error("the event has no `data`")]
    NoData,
    /// The `data` is not an object.
    #[error("the `data` of the event is not an object")]
    NotAnObject,
    /// `data` has no `id` that is a text.
    #[error("the `data` of the event has no `id`")]
    NoId,
}

impl EventData {
    /// Reads the `data` of an event of a type; never fails.
    ///
    /// ```
    /// use clerk_webhooks::{EventData, EventType, OtherReason};
    /// use serde_json::value::RawValue;
    ///
    /// let data = RawValue::from_string(r#"{"id": "user_2a", "deleted": true}"#.to_owned())?;
    /// let EventData::UserDeleted(user) = EventData::read(&EventType::UserDeleted, Some(&data)) else {
    ///     panic!("not a deleted user");
    /// };
    /// assert_eq!(user.id, "user_2a");
    ///
    /// let unknown = EventData::read(&EventType::from("agent.created"), Some(&data));
    /// assert_eq!(unknown, EventData::Other { reason: OtherReason::UnknownType });
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn read(event_type: &EventType, data: Option<&RawValue>) -> Self {
        let typed = match event_type {
            EventType::UserCreated => read(data, Self::UserCreated),
            EventType::UserUpdated => read(data, Self::UserUpdated),
            EventType::UserDeleted => read(data, Self::UserDeleted),
            EventType::OrganizationCreated => read(data, Self::OrganizationCreated),
            EventType::OrganizationUpdated => read(data, Self::OrganizationUpdated),
            EventType::OrganizationDeleted => read(data, Self::OrganizationDeleted),
            EventType::OrganizationDomainCreated => read(data, Self::OrganizationDomainCreated),
            EventType::OrganizationDomainUpdated => read(data, Self::OrganizationDomainUpdated),
            EventType::OrganizationDomainDeleted => read(data, Self::OrganizationDomainDeleted),
            EventType::OrganizationMembershipCreated => {
                read(data, Self::OrganizationMembershipCreated)
            }
            EventType::OrganizationMembershipUpdated => {
                read(data, Self::OrganizationMembershipUpdated)
            }
            EventType::OrganizationMembershipDeleted => {
                read(data, Self::OrganizationMembershipDeleted)
            }
            EventType::OrganizationInvitationCreated => {
                read(data, Self::OrganizationInvitationCreated)
            }
            EventType::OrganizationInvitationAccepted => {
                read(data, Self::OrganizationInvitationAccepted)
            }
            EventType::OrganizationInvitationRevoked => {
                read(data, Self::OrganizationInvitationRevoked)
            }
            EventType::InvitationCreated => read(data, Self::InvitationCreated),
            EventType::InvitationAccepted => read(data, Self::InvitationAccepted),
            EventType::InvitationRevoked => read(data, Self::InvitationRevoked),
            EventType::RoleCreated => read(data, Self::RoleCreated),
            EventType::RoleUpdated => read(data, Self::RoleUpdated),
            EventType::RoleDeleted => read(data, Self::RoleDeleted),
            EventType::PermissionCreated => read(data, Self::PermissionCreated),
            EventType::PermissionUpdated => read(data, Self::PermissionUpdated),
            EventType::PermissionDeleted => read(data, Self::PermissionDeleted),
            EventType::SessionCreated => read(data, Self::SessionCreated),
            EventType::SessionUpdated => read(data, Self::SessionUpdated),
            EventType::SessionPending => read(data, Self::SessionPending),
            EventType::SessionEnded => read(data, Self::SessionEnded),
            EventType::SessionRemoved => read(data, Self::SessionRemoved),
            EventType::SessionRevoked => read(data, Self::SessionRevoked),
            EventType::EmailCreated => read(data, Self::EmailCreated),
            EventType::SmsCreated => read(data, Self::SmsCreated),
            EventType::WaitlistEntryCreated => read(data, Self::WaitlistEntryCreated),
            EventType::WaitlistEntryUpdated => read(data, Self::WaitlistEntryUpdated),
            EventType::SubscriptionCreated => read(data, Self::SubscriptionCreated),
            EventType::SubscriptionUpdated => read(data, Self::SubscriptionUpdated),
            EventType::SubscriptionActive => read(data, Self::SubscriptionActive),
            EventType::SubscriptionPastDue => read(data, Self::SubscriptionPastDue),
            EventType::SubscriptionItemCreated => read(data, Self::SubscriptionItemCreated),
            EventType::SubscriptionItemUpdated => read(data, Self::SubscriptionItemUpdated),
            EventType::SubscriptionItemActive => read(data, Self::SubscriptionItemActive),
            EventType::SubscriptionItemCanceled => read(data, Self::SubscriptionItemCanceled),
            EventType::SubscriptionItemUpcoming => read(data, Self::SubscriptionItemUpcoming),
            EventType::SubscriptionItemEnded => read(data, Self::SubscriptionItemEnded),
            EventType::SubscriptionItemAbandoned => read(data, Self::SubscriptionItemAbandoned),
            EventType::SubscriptionItemIncomplete => read(data, Self::SubscriptionItemIncomplete),
            EventType::SubscriptionItemPastDue => read(data, Self::SubscriptionItemPastDue),
            EventType::SubscriptionItemFreeTrialEnding => {
                read(data, Self::SubscriptionItemFreeTrialEnding)
            }
            EventType::SubscriptionItemExpired => read(data, Self::SubscriptionItemExpired),
            EventType::PaymentAttemptCreated => read(data, Self::PaymentAttemptCreated),
            EventType::PaymentAttemptUpdated => read(data, Self::PaymentAttemptUpdated),
            EventType::Unknown(_) => Err(OtherReason::UnknownType),
        };
        typed.unwrap_or_else(|reason| Self::Other { reason })
    }
}

fn read<T: Entity>(
    data: Option<&RawValue>,
    variant: fn(Box<T>) -> EventData,
) -> Result<EventData, OtherReason> {
    let json = data.map(RawValue::get).filter(|json| *json != "null").ok_or(OtherReason::NoData)?;
    let fields = Fields::from_json(json).map_err(|_| OtherReason::NotAnObject)?;
    let entity = T::from_fields(fields).map_err(|NoId| OtherReason::NoId)?;
    Ok(variant(Box::new(entity)))
}
