//! Organizations: <https://clerk.com/docs/reference/backend/types/backend-organization>.

use super::column::{boolean, id, integer, json, text, time};
use super::declaration::Entity;

pub(super) const ORGANIZATION: Entity = Entity {
    name: "organization",
    table: "organizations",
    upserted_by: &["organization.created", "organization.updated"],
    deleted_by: &["organization.deleted"],
    columns: &[
        id("id"),
        text("name"),
        text("slug").indexed(),
        text("image_url"),
        boolean("has_image"),
        integer("members_count"),
        integer("pending_invitations_count"),
        integer("max_allowed_memberships"),
        boolean("admin_delete_enabled"),
        id("created_by"),
        json("public_metadata"),
        json("private_metadata"),
        time("created_at"),
        time("updated_at"),
        boolean("missing_member_with_elevated_permissions"),
        time("last_active_at"),
        text("role_set_key"),
    ],
    nested_as: &["organization", "public_organization_data"],
    ..Entity::PLAIN
};
