//! Users: <https://clerk.com/docs/reference/backend/types/backend-user>.
//!
//! One that a directory deprovisions is updated, not deleted. The memberships that a user nests are
//! no versions of the memberships: not every payload has them, and none says which one is gone.

use super::column::{boolean, id, integer, json, text, time};
use super::declaration::{Children, Entity};

pub(super) const USER: Entity = Entity {
    name: "user",
    table: "users",
    upserted_by: &["user.created", "user.updated"],
    deleted_by: &["user.deleted"],
    columns: &[
        id("id"),
        text("external_id").indexed(),
        text("username"),
        text("first_name"),
        text("last_name"),
        text("primary_email_address")
            .primary("email_addresses", "primary_email_address_id", "email_address")
            .indexed(),
        id("primary_email_address_id"),
        text("primary_phone_number").primary(
            "phone_numbers",
            "primary_phone_number_id",
            "phone_number",
        ),
        id("primary_phone_number_id"),
        text("primary_web3_wallet").primary(
            "web3_wallets",
            "primary_web3_wallet_id",
            "web3_wallet",
        ),
        text("image_url"),
        boolean("has_image"),
        boolean("banned"),
        boolean("locked"),
        boolean("deprovisioned"),
        boolean("password_enabled"),
        boolean("two_factor_enabled"),
        json("public_metadata"),
        json("unsafe_metadata"),
        json("private_metadata"),
        text("locale"),
        time("last_sign_in_at"),
        time("last_active_at"),
        time("legal_accepted_at"),
        time("created_at"),
        time("updated_at"),
        id("primary_web3_wallet_id"),
        boolean("totp_enabled"),
        boolean("backup_code_enabled"),
        time("mfa_enabled_at"),
        time("mfa_disabled_at"),
        time("password_last_updated_at"),
        boolean("delete_self_enabled"),
        boolean("create_organization_enabled"),
        integer("create_organizations_limit"),
        boolean("bypass_client_trust"),
        text("timezone"),
    ],
    nested_as: &["user", "public_user_data", "public_inviter_data"],
    children: &[
        EMAIL_ADDRESSES,
        PHONE_NUMBERS,
        EXTERNAL_ACCOUNTS,
        WEB3_WALLETS,
        PASSKEYS,
        ENTERPRISE_ACCOUNTS,
    ],
    ..Entity::PLAIN
};

const EMAIL_ADDRESSES: Children = Children {
    table: "user_email_addresses",
    list: "email_addresses",
    parent: "user_id",
    columns: &[
        id("id").from(&[&["id"], &["email_address"]]),
        text("email_address").indexed(),
        text("verification_status").from(&[&["verification", "status"]]),
        text("verification_strategy").from(&[&["verification", "strategy"]]),
        boolean("reserved"),
        boolean("matches_sso_connection"),
        time("created_at"),
        time("updated_at"),
    ],
    of: None,
};

const PHONE_NUMBERS: Children = Children {
    table: "user_phone_numbers",
    list: "phone_numbers",
    parent: "user_id",
    columns: &[
        id("id").from(&[&["id"], &["phone_number"]]),
        text("phone_number").indexed(),
        text("verification_status").from(&[&["verification", "status"]]),
        text("verification_strategy").from(&[&["verification", "strategy"]]),
        boolean("reserved"),
        boolean("reserved_for_second_factor"),
        boolean("default_second_factor"),
        time("created_at"),
        time("updated_at"),
    ],
    of: None,
};

const EXTERNAL_ACCOUNTS: Children = Children {
    table: "user_external_accounts",
    list: "external_accounts",
    parent: "user_id",
    columns: &[
        id("id").from(&[&["id"], &["external_account_id"]]),
        text("provider"),
        text("provider_user_id").indexed(),
        id("identification_id"),
        text("approved_scopes"),
        text("email_address").indexed(),
        boolean("email_address_verified"),
        text("first_name"),
        text("last_name"),
        text("image_url").from(&[&["image_url"], &["avatar_url"]]),
        text("username"),
        text("phone_number"),
        text("label"),
        json("public_metadata"),
        text("verification_status").from(&[&["verification", "status"]]),
        text("verification_strategy").from(&[&["verification", "strategy"]]),
        time("created_at"),
        time("updated_at"),
    ],
    of: None,
};

const WEB3_WALLETS: Children = Children {
    table: "user_web3_wallets",
    list: "web3_wallets",
    parent: "user_id",
    columns: &[
        id("id").from(&[&["id"], &["web3_wallet"]]),
        text("web3_wallet").indexed(),
        text("verification_status").from(&[&["verification", "status"]]),
        text("verification_strategy").from(&[&["verification", "strategy"]]),
        time("created_at"),
        time("updated_at"),
    ],
    of: None,
};

const PASSKEYS: Children = Children {
    table: "user_passkeys",
    list: "passkeys",
    parent: "user_id",
    columns: &[
        id("id").from(&[&["id"], &["name"], &["passkey_name"]]),
        text("name").from(&[&["name"], &["passkey_name"]]),
        text("verification_status").from(&[&["verification", "status"]]),
        text("verification_strategy").from(&[&["verification", "strategy"]]),
        time("last_used_at"),
        time("created_at"),
        time("updated_at"),
    ],
    of: None,
};

const ENTERPRISE_ACCOUNTS: Children = Children {
    table: "user_enterprise_accounts",
    list: "enterprise_accounts",
    parent: "user_id",
    columns: &[
        id("id"),
        text("protocol"),
        text("provider"),
        boolean("active"),
        text("email_address").indexed(),
        text("first_name"),
        text("last_name"),
        text("provider_user_id").indexed(),
        id("enterprise_connection_id")
            .from(&[&["enterprise_connection_id"], &["enterprise_connection", "id"]]),
        text("enterprise_connection_name").from(&[&["enterprise_connection", "name"]]),
        json("public_metadata"),
        text("verification_status").from(&[&["verification", "status"]]),
        text("verification_strategy").from(&[&["verification", "strategy"]]),
        time("last_authenticated_at"),
        time("created_at"),
        time("updated_at"),
    ],
    of: None,
};
