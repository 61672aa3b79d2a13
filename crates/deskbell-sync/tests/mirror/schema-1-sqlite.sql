CREATE TABLE "clerk__migrations" (
  "step" text NOT NULL,
  "version" integer NOT NULL,
  "applied_at" text NOT NULL,
  PRIMARY KEY ("step") ) WITHOUT ROWID;

CREATE TABLE "clerk__checkpoints" (
  "log_id" text NOT NULL,
  "destination" text NOT NULL,
  "seq" integer NOT NULL,
  "message_id" text NOT NULL,
  "token" integer NOT NULL,
  "mapping_rev" integer NOT NULL,
  "updated_at" text NOT NULL,
  PRIMARY KEY ("destination",
  "log_id") ) WITHOUT ROWID;

CREATE TABLE "clerk__tombstones" (
  "entity" text NOT NULL,
  "id" text NOT NULL,
  "occurred_at" text NOT NULL,
  "message_id" text NOT NULL,
  PRIMARY KEY ("entity",
  "id") ) WITHOUT ROWID;

CREATE TABLE "clerk__suppressed" (
  "entity" text NOT NULL,
  "id" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  PRIMARY KEY ("entity",
  "id") ) WITHOUT ROWID;

CREATE TABLE "clerk__dead_letters" (
  "source" text NOT NULL,
  "message_id" text NOT NULL,
  "event_type" text NOT NULL,
  "entity" text NOT NULL,
  "id" text,
  "reason" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  PRIMARY KEY ("source",
  "message_id",
  "entity") );

CREATE INDEX "clerk__dead_letters_entity_id_idx" ON "clerk__dead_letters" ("entity",
  "id");

CREATE TABLE "clerk_users" (
  "id" text NOT NULL,
  "external_id" text,
  "username" text,
  "first_name" text,
  "last_name" text,
  "primary_email_address" text,
  "primary_email_address_id" text,
  "primary_phone_number" text,
  "primary_phone_number_id" text,
  "primary_web3_wallet" text,
  "image_url" text,
  "has_image" boolean,
  "banned" boolean,
  "locked" boolean,
  "deprovisioned" boolean,
  "password_enabled" boolean,
  "two_factor_enabled" boolean,
  "public_metadata" text,
  "unsafe_metadata" text,
  "private_metadata" text,
  "locale" text,
  "last_sign_in_at" text,
  "last_active_at" text,
  "legal_accepted_at" text,
  "created_at" text,
  "updated_at" text,
  "primary_web3_wallet_id" text,
  "totp_enabled" boolean,
  "backup_code_enabled" boolean,
  "mfa_enabled_at" text,
  "mfa_disabled_at" text,
  "password_last_updated_at" text,
  "delete_self_enabled" boolean,
  "create_organization_enabled" boolean,
  "create_organizations_limit" integer,
  "bypass_client_trust" boolean,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_users_external_id_idx" ON "clerk_users" ("external_id");

CREATE INDEX "clerk_users_primary_email_address_idx" ON "clerk_users" ("primary_email_address");

CREATE TABLE "clerk_organizations" (
  "id" text NOT NULL,
  "name" text,
  "slug" text,
  "image_url" text,
  "has_image" boolean,
  "members_count" integer,
  "pending_invitations_count" integer,
  "max_allowed_memberships" integer,
  "admin_delete_enabled" boolean,
  "created_by" text,
  "public_metadata" text,
  "private_metadata" text,
  "created_at" text,
  "updated_at" text,
  "missing_member_with_elevated_permissions" boolean,
  "last_active_at" text,
  "role_set_key" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_organizations_slug_idx" ON "clerk_organizations" ("slug");

CREATE TABLE "clerk_organization_memberships" (
  "id" text NOT NULL,
  "organization_id" text,
  "user_id" text,
  "role" text,
  "role_name" text,
  "permissions" text,
  "public_metadata" text,
  "private_metadata" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_organization_memberships_organization_id_idx" ON "clerk_organization_memberships" ("organization_id");

CREATE INDEX "clerk_organization_memberships_user_id_idx" ON "clerk_organization_memberships" ("user_id");
