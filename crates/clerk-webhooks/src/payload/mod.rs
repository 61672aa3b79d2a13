//! The entities that events are about, one struct each, read as forgivingly as Clerk writes.
//!
//! What Clerk sends has changed through the years and does not keep to its own description, so:
//!
//! - every field is an `Option`, but the `id` of what an event is about; missing and `null` are `None`;
//! - a value that does not fit its field (a number in `username`) reads as `None` and stays in `extra`
//!   under its name, beside the members that this version does not know: one surprise never costs
//!   the rest of the entity. A list fits when all of its elements do;
//! - times are read from seconds, milliseconds and ISO-8601 text alike;
//! - sets of texts that Clerk may extend are enums with a variant `Unknown`;
//! - a member that is repeated counts as it stands last, as in JavaScript;
//! - codes, sign-in links and private metadata are [`Sensitive`]: `Debug` does not show them.
//!
//! Writing an entity to JSON gives what was read: fields and `extra` together, without those that are
//! `None`, and times in milliseconds.
//!
//! The structs are `#[non_exhaustive]`, since Clerk's objects grow. In tests, make one with
//! `serde_json::from_value`, or change a `Default` one.

mod account;
mod attributes;
mod deleted;
mod domain;
pub(crate) mod fields;
mod full_name;
mod identifier;
mod invitation;
mod membership;
mod message;
mod money;
mod organization;
mod payer;
mod payment;
mod plan;
mod primary;
mod role;
mod sensitive;
mod session;
mod subscription;
mod user;

pub use account::{EnterpriseAccount, ExternalAccount, SamlAccount, ScimUser, SsoConnection};
pub use attributes::{EventAttributes, HttpRequest};
pub use deleted::DeletedObject;
pub use domain::{EnrollmentMode, OrganizationDomain};
pub use fields::Extra;
pub use identifier::{
    EmailAddress, IdentificationLink, Passkey, PhoneNumber, Verification, VerificationFailure,
    VerificationStatus, Web3Wallet,
};
pub use invitation::{
    Invitation, InvitationStatus, OrganizationInvitation, OrganizationInvitationData,
    WaitlistEntry, WaitlistStatus,
};
pub use membership::{OrganizationMembership, PublicUserData};
pub use message::{Email, Sms};
pub use money::{Credit, Credits, Money, PayerCredit, Totals, UnitTotal};
pub use organization::{Organization, PublicOrganizationData};
pub use payer::Payer;
pub use payment::{
    ChargeType, Payee, PaymentAttempt, PaymentFailure, PaymentSource, PaymentStatus,
};
pub use plan::{Plan, UnitPrice, UnitPriceTier};
pub use primary::{Identifier, PrimaryId, primary};
pub use role::{Permission, Role};
pub use sensitive::Sensitive;
pub use session::{Session, SessionActivity, SessionStatus};
pub use subscription::{
    BillingInterval, Seats, Subscription, SubscriptionItem, SubscriptionItemStatus,
    SubscriptionStatus,
};
pub use user::User;
