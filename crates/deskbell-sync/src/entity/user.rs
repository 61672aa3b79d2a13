//! Users: <https://clerk.com/docs/reference/backend/types/backend-user>.

use super::Entity;
use super::column::{boolean, integer, json, text, time};

pub(super) const USER: Entity = Entity {
    name: "user",
    table: "users",
    upserted_by: &["user.created", "user.updated"],
    deleted_by: &["user.deleted"],
    parents: &[],
    version: "updated_at",
    columns: &[
        text("id"),
        text("external_id").indexed(),
        text("username"),
        text("first_name"),
        text("last_name"),
        text("primary_email_address")
            .primary("email_addresses", "primary_email_address_id", "email_address")
            .indexed(),
        text("primary_email_address_id"),
        text("primary_phone_number").primary(
            "phone_numbers",
            "primary_phone_number_id",
            "phone_number",
        ),
        text("primary_phone_number_id"),
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
        text("primary_web3_wallet_id"),
        boolean("totp_enabled"),
        boolean("backup_code_enabled"),
        time("mfa_enabled_at"),
        time("mfa_disabled_at"),
        time("password_last_updated_at"),
        boolean("delete_self_enabled"),
        boolean("create_organization_enabled"),
        integer("create_organizations_limit"),
        boolean("bypass_client_trust"),
    ],
    nested_as: &["user", "public_user_data"],
};
