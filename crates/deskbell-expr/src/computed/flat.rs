//! Members by the names that the mirror's columns have, each with its JSON pointers in `data`.
//!
//! The mirror declares its columns above this crate; its tests compare the two.

/// A name, and the pointers to where its value may be; the first that has one counts.
type Flat = (&'static str, &'static [&'static str]);

/// The names that an entity's root has beside its members'.
pub(super) fn members(entity: &str) -> impl Iterator<Item = &'static Flat> + use<> {
    let lists: &[&[Flat]] = match entity {
        "organization_membership" => &[ORGANIZATION_MEMBERSHIP],
        "organization_domain" => &[ORGANIZATION_DOMAIN],
        "organization_invitation" => &[ORGANIZATION_INVITATION],
        "invitation" => &[INVITATION],
        "session" => &[SESSION],
        "waitlist_entry" => &[WAITLIST_ENTRY],
        "subscription" => &[SUBSCRIPTION, PAYER, PLAN],
        "subscription_item" => &[SUBSCRIPTION_ITEM, PAYER, PLAN],
        "payment_attempt" => &[PAYMENT_ATTEMPT, PAYER, PLAN],
        "email" | "sms" => &[MESSAGE],
        _ => &[],
    };
    lists.iter().copied().flatten()
}

const ORGANIZATION_MEMBERSHIP: &[Flat] = &[
    ("organization_id", &["/organization/id", "/organization_id"]),
    ("user_id", &["/public_user_data/user_id", "/user_id"]),
    ("organization_name", &["/organization/name"]),
    ("organization_slug", &["/organization/slug"]),
    ("organization_image_url", &["/organization/image_url"]),
    ("user_identifier", &["/public_user_data/identifier"]),
    ("user_username", &["/public_user_data/username"]),
    ("user_first_name", &["/public_user_data/first_name"]),
    ("user_last_name", &["/public_user_data/last_name"]),
    ("user_image_url", &["/public_user_data/image_url"]),
];

const ORGANIZATION_DOMAIN: &[Flat] = &[
    ("organization_id", &["/organization_id", "/public_organization_data/id"]),
    ("verification_status", &["/verification/status"]),
    ("verification_strategy", &["/verification/strategy"]),
    ("verification_attempts", &["/verification/attempts"]),
    ("verification_expire_at", &["/verification/expire_at", "/verification/expires_at"]),
    ("verification_verified_at", &["/verification/verified_at"]),
    ("affiliation_verification_status", &["/affiliation_verification/status"]),
    ("affiliation_verification_strategy", &["/affiliation_verification/strategy"]),
    ("affiliation_verification_verified_at", &["/affiliation_verification/verified_at"]),
    ("ownership_verification_status", &["/ownership_verification/status"]),
    ("ownership_verification_strategy", &["/ownership_verification/strategy"]),
    ("ownership_verification_verified_at", &["/ownership_verification/verified_at"]),
];

const ORGANIZATION_INVITATION: &[Flat] = &[
    (
        "organization_id",
        &["/organization_id", "/public_organization_data/id", "/data/public_organization_data/id"],
    ),
    ("inviter_id", &["/inviter_id", "/public_inviter_data/user_id"]),
    ("expires_at", &["/expires_at", "/expire_at"]),
];

const INVITATION: &[Flat] = &[("expires_at", &["/expires_at", "/expire_at"])];

const SESSION: &[Flat] = &[
    ("user_id", &["/user_id", "/user/id"]),
    ("actor_sub", &["/actor/sub"]),
    ("latest_activity_id", &["/latest_activity/id"]),
    ("device_type", &["/latest_activity/device_type"]),
    ("is_mobile", &["/latest_activity/is_mobile"]),
    ("browser_name", &["/latest_activity/browser_name"]),
    ("browser_version", &["/latest_activity/browser_version"]),
    ("ip_address", &["/latest_activity/ip_address"]),
    ("city", &["/latest_activity/city"]),
    ("country", &["/latest_activity/country"]),
    ("expire_at", &["/expire_at", "/expires_at"]),
];

const MESSAGE: &[Flat] = &[("created_at", &["/created_at", "/created_at_ms"])];

const WAITLIST_ENTRY: &[Flat] = &[("invitation_id", &["/invitation/id", "/invitation_id"])];

const PAYER: &[Flat] = &[
    ("payer_user_id", &["/payer/user_id"]),
    ("payer_organization_id", &["/payer/organization_id"]),
    ("payer_email", &["/payer/email"]),
    ("payer_first_name", &["/payer/first_name"]),
    ("payer_last_name", &["/payer/last_name"]),
    ("payer_organization_name", &["/payer/organization_name"]),
];

const PLAN: &[Flat] = &[("plan_id", &["/plan_id", "/plan/id"]), ("plan_slug", &["/plan/slug"])];

const SUBSCRIPTION: &[Flat] =
    &[("payer_id", &["/payer_id", "/payer/id"]), ("subscription_id", &["/subscription_id"])];

const SUBSCRIPTION_ITEM: &[Flat] = &[
    ("payer_id", &["/payer/id", "/payer_id"]),
    ("plan_name", &["/plan/name"]),
    ("plan_amount", &["/plan/amount/amount", "/plan/amount"]),
    ("plan_currency", &["/plan/currency", "/plan/amount/currency"]),
    ("plan_is_recurring", &["/plan/is_recurring"]),
    ("plan_free_trial_enabled", &["/plan/free_trial_enabled"]),
    ("plan_free_trial_days", &["/plan/free_trial_days"]),
    ("interval", &["/interval", "/plan_period"]),
    ("seats_quantity", &["/seats/quantity"]),
    ("currency", &["/amount/currency", "/plan/currency"]),
    ("credit_amount", &["/credits/total/amount", "/credit/amount/amount"]),
];

const PAYMENT_ATTEMPT: &[Flat] = &[
    ("payer_id", &["/payer/id", "/payer_id"]),
    ("subscription_id", &["/subscription_id"]),
    ("payee_id", &["/payee/id"]),
    ("subtotal", &["/totals/subtotal/amount"]),
    ("tax_total", &["/totals/tax_total/amount"]),
    ("grand_total", &["/totals/grand_total/amount"]),
    ("currency", &["/totals/grand_total/currency"]),
    ("failed_reason_code", &["/failed_reason/code"]),
    ("failed_reason_decline_code", &["/failed_reason/decline_code"]),
    ("payment_source_id", &["/payment_source/id"]),
    ("payment_method", &["/payment_source/payment_method"]),
    ("card_type", &["/payment_source/card_type"]),
    ("last4", &["/payment_source/last4"]),
];
