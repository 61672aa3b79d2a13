CREATE SCHEMA "clerk";

CREATE TABLE "clerk"."_migrations" (
  "step" text NOT NULL COLLATE "C",
  "version" bigint NOT NULL,
  "applied_at" timestamptz NOT NULL,
  PRIMARY KEY ("step") );

CREATE TABLE "clerk"."_checkpoints" (
  "log_id" text NOT NULL COLLATE "C",
  "destination" text NOT NULL COLLATE "C",
  "seq" bigint NOT NULL,
  "message_id" text NOT NULL COLLATE "C",
  "token" bigint NOT NULL,
  "mapping_rev" bigint NOT NULL,
  "updated_at" timestamptz NOT NULL,
  "statements_seq" bigint NOT NULL DEFAULT 0,
  PRIMARY KEY ("destination",
  "log_id") );

CREATE TABLE "clerk"."_tombstones" (
  "entity" text NOT NULL COLLATE "C",
  "id" text NOT NULL COLLATE "C",
  "occurred_at" timestamptz NOT NULL,
  "message_id" text NOT NULL COLLATE "C",
  PRIMARY KEY ("entity",
  "id") );

CREATE TABLE "clerk"."_suppressed" (
  "entity" text NOT NULL COLLATE "C",
  "id" text NOT NULL COLLATE "C",
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  PRIMARY KEY ("entity",
  "id") );

CREATE TABLE "clerk"."_versions" (
  "mapping" text NOT NULL COLLATE "C",
  "id" text NOT NULL COLLATE "C",
  "_updated_at_ms" bigint,
  "_occurred_at_ms" bigint,
  "_message_id" text COLLATE "C",
  "created_at_ms" bigint,
  "parent_1" text COLLATE "C",
  "parent_2" text COLLATE "C",
  "key" text COLLATE "C",
  "columns" text,
  "ended_at_ms" bigint,
  "ended_by" text COLLATE "C",
  "shown" text COLLATE "C",
  "flagged" boolean NOT NULL DEFAULT false,
  "parked_since" timestamptz,
  "given_up" boolean NOT NULL DEFAULT false,
  "source" text COLLATE "C",
  "event_type" text COLLATE "C",
  "retry" boolean NOT NULL DEFAULT false,
  "mapping_rev" bigint,
  PRIMARY KEY ("mapping",
  "id") );

CREATE INDEX "_versions_mapping_key_idx" ON "clerk"."_versions" ("mapping",
  "key");

CREATE INDEX "_versions_mapping_shown_idx" ON "clerk"."_versions" ("mapping",
  "shown");

CREATE INDEX "_versions_mapping_parent_1_idx" ON "clerk"."_versions" ("mapping",
  "parent_1");

CREATE INDEX "_versions_mapping_parent_2_idx" ON "clerk"."_versions" ("mapping",
  "parent_2");

CREATE INDEX "_versions_mapping_parked_since_idx" ON "clerk"."_versions" ("mapping",
  "parked_since");

CREATE TABLE "clerk"."_dead_letters" (
  "destination" text NOT NULL COLLATE "C",
  "source" text NOT NULL COLLATE "C",
  "message_id" text NOT NULL COLLATE "C",
  "event_type" text NOT NULL COLLATE "C",
  "part" text NOT NULL COLLATE "C",
  "entity" text NOT NULL COLLATE "C",
  "id" text NOT NULL COLLATE "C",
  "reason" text NOT NULL,
  "retry" boolean NOT NULL DEFAULT false,
  "failed_at" timestamptz,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  PRIMARY KEY ("destination",
  "source",
  "message_id",
  "part",
  "entity",
  "id") );

CREATE INDEX "_dead_letters_entity_id_idx" ON "clerk"."_dead_letters" ("entity",
  "id");

CREATE TABLE "clerk"."users" (
  "id" text NOT NULL COLLATE "C",
  "external_id" text,
  "username" text,
  "first_name" text,
  "last_name" text,
  "primary_email_address" text,
  "primary_email_address_id" text COLLATE "C",
  "primary_phone_number" text,
  "primary_phone_number_id" text COLLATE "C",
  "primary_web3_wallet" text,
  "image_url" text,
  "has_image" boolean,
  "banned" boolean,
  "locked" boolean,
  "deprovisioned" boolean,
  "password_enabled" boolean,
  "two_factor_enabled" boolean,
  "public_metadata" jsonb,
  "unsafe_metadata" jsonb,
  "private_metadata" jsonb,
  "locale" text,
  "last_sign_in_at" timestamptz,
  "last_active_at" timestamptz,
  "legal_accepted_at" timestamptz,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "primary_web3_wallet_id" text COLLATE "C",
  "totp_enabled" boolean,
  "backup_code_enabled" boolean,
  "mfa_enabled_at" timestamptz,
  "mfa_disabled_at" timestamptz,
  "password_last_updated_at" timestamptz,
  "delete_self_enabled" boolean,
  "create_organization_enabled" boolean,
  "create_organizations_limit" bigint,
  "bypass_client_trust" boolean,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "users_external_id_idx" ON "clerk"."users" ("external_id");

CREATE INDEX "users_primary_email_address_idx" ON "clerk"."users" ("primary_email_address");

CREATE TABLE "clerk"."user_email_addresses" (
  "user_id" text NOT NULL COLLATE "C",
  "id" text NOT NULL COLLATE "C",
  "email_address" text,
  "verification_status" text,
  "verification_strategy" text,
  "reserved" boolean,
  "matches_sso_connection" boolean,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("user_id",
  "id") );

CREATE TABLE "clerk"."user_phone_numbers" (
  "user_id" text NOT NULL COLLATE "C",
  "id" text NOT NULL COLLATE "C",
  "phone_number" text,
  "verification_status" text,
  "verification_strategy" text,
  "reserved" boolean,
  "reserved_for_second_factor" boolean,
  "default_second_factor" boolean,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("user_id",
  "id") );

CREATE TABLE "clerk"."user_external_accounts" (
  "user_id" text NOT NULL COLLATE "C",
  "id" text NOT NULL COLLATE "C",
  "provider" text,
  "provider_user_id" text,
  "identification_id" text COLLATE "C",
  "approved_scopes" text,
  "email_address" text,
  "email_address_verified" boolean,
  "first_name" text,
  "last_name" text,
  "image_url" text,
  "username" text,
  "phone_number" text,
  "label" text,
  "public_metadata" jsonb,
  "verification_status" text,
  "verification_strategy" text,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("user_id",
  "id") );

CREATE TABLE "clerk"."organizations" (
  "id" text NOT NULL COLLATE "C",
  "name" text,
  "slug" text,
  "image_url" text,
  "has_image" boolean,
  "members_count" bigint,
  "pending_invitations_count" bigint,
  "max_allowed_memberships" bigint,
  "admin_delete_enabled" boolean,
  "created_by" text COLLATE "C",
  "public_metadata" jsonb,
  "private_metadata" jsonb,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "missing_member_with_elevated_permissions" boolean,
  "last_active_at" timestamptz,
  "role_set_key" text,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "organizations_slug_idx" ON "clerk"."organizations" ("slug");

CREATE TABLE "clerk"."organization_memberships" (
  "id" text NOT NULL COLLATE "C",
  "organization_id" text COLLATE "C",
  "user_id" text COLLATE "C",
  "role" text,
  "role_name" text,
  "permissions" jsonb,
  "public_metadata" jsonb,
  "private_metadata" jsonb,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "organization_memberships_organization_id_idx" ON "clerk"."organization_memberships" ("organization_id");

CREATE INDEX "organization_memberships_user_id_idx" ON "clerk"."organization_memberships" ("user_id");

CREATE TABLE "clerk"."organization_domains" (
  "id" text NOT NULL COLLATE "C",
  "organization_id" text COLLATE "C",
  "name" text,
  "enrollment_mode" text,
  "affiliation_email_address" text,
  "verification_status" text,
  "verification_strategy" text,
  "verification_attempts" bigint,
  "verification_expire_at" timestamptz,
  "verification_verified_at" timestamptz,
  "affiliation_verification_status" text,
  "affiliation_verification_strategy" text,
  "affiliation_verification_verified_at" timestamptz,
  "ownership_verification_status" text,
  "ownership_verification_strategy" text,
  "ownership_verification_verified_at" timestamptz,
  "total_pending_invitations" bigint,
  "total_pending_suggestions" bigint,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "organization_domains_organization_id_idx" ON "clerk"."organization_domains" ("organization_id");

CREATE INDEX "organization_domains_name_idx" ON "clerk"."organization_domains" ("name");

CREATE TABLE "clerk"."organization_invitations" (
  "id" text NOT NULL COLLATE "C",
  "organization_id" text COLLATE "C",
  "email_address" text,
  "role" text,
  "role_name" text,
  "status" text,
  "inviter_id" text COLLATE "C",
  "user_id" text COLLATE "C",
  "url" text,
  "public_metadata" jsonb,
  "private_metadata" jsonb,
  "expires_at" timestamptz,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "organization_invitations_organization_id_idx" ON "clerk"."organization_invitations" ("organization_id");

CREATE INDEX "organization_invitations_email_address_idx" ON "clerk"."organization_invitations" ("email_address");

CREATE TABLE "clerk"."invitations" (
  "id" text NOT NULL COLLATE "C",
  "email_address" text,
  "status" text,
  "revoked" boolean,
  "url" text,
  "public_metadata" jsonb,
  "expires_at" timestamptz,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "invitations_email_address_idx" ON "clerk"."invitations" ("email_address");

CREATE TABLE "clerk"."sessions" (
  "id" text NOT NULL COLLATE "C",
  "user_id" text COLLATE "C",
  "client_id" text COLLATE "C",
  "status" text,
  "last_active_organization_id" text COLLATE "C",
  "actor_sub" text COLLATE "C",
  "latest_activity_id" text COLLATE "C",
  "device_type" text,
  "is_mobile" boolean,
  "browser_name" text,
  "browser_version" text,
  "ip_address" text,
  "city" text,
  "country" text,
  "last_active_at" timestamptz,
  "expire_at" timestamptz,
  "abandon_at" timestamptz,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "sessions_user_id_idx" ON "clerk"."sessions" ("user_id");

CREATE TABLE "clerk"."roles" (
  "id" text NOT NULL COLLATE "C",
  "name" text,
  "key" text,
  "description" text,
  "is_creator_eligible" boolean,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "roles_key_idx" ON "clerk"."roles" ("key");

CREATE TABLE "clerk"."role_permissions" (
  "role_id" text NOT NULL COLLATE "C",
  "id" text NOT NULL COLLATE "C",
  "name" text,
  "key" text,
  "description" text,
  "type" text,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("role_id",
  "id") );

CREATE TABLE "clerk"."permissions" (
  "id" text NOT NULL COLLATE "C",
  "name" text,
  "key" text,
  "description" text,
  "type" text,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "permissions_key_idx" ON "clerk"."permissions" ("key");

CREATE TABLE "clerk"."waitlist_entries" (
  "id" text NOT NULL COLLATE "C",
  "email_address" text,
  "status" text,
  "is_locked" boolean,
  "invitation_id" text COLLATE "C",
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "waitlist_entries_email_address_idx" ON "clerk"."waitlist_entries" ("email_address");

CREATE TABLE "clerk"."subscriptions" (
  "id" text NOT NULL COLLATE "C",
  "status" text,
  "payer_id" text COLLATE "C",
  "payer_user_id" text COLLATE "C",
  "payer_organization_id" text COLLATE "C",
  "latest_payment_id" text COLLATE "C",
  "payment_source_id" text COLLATE "C",
  "active_at" timestamptz,
  "past_due_at" timestamptz,
  "canceled_at" timestamptz,
  "ended_at" timestamptz,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "subscriptions_payer_user_id_idx" ON "clerk"."subscriptions" ("payer_user_id");

CREATE INDEX "subscriptions_payer_organization_id_idx" ON "clerk"."subscriptions" ("payer_organization_id");

CREATE TABLE "clerk"."subscription_items" (
  "id" text NOT NULL COLLATE "C",
  "subscription_id" text COLLATE "C",
  "status" text,
  "payer_id" text COLLATE "C",
  "payer_user_id" text COLLATE "C",
  "payer_organization_id" text COLLATE "C",
  "plan_id" text COLLATE "C",
  "plan_slug" text,
  "plan_name" text,
  "plan_amount" bigint,
  "plan_currency" text,
  "plan_is_recurring" boolean,
  "interval" text,
  "is_free_trial" boolean,
  "seats_quantity" bigint,
  "amount" bigint,
  "currency" text,
  "credit_amount" bigint,
  "proration_date" text,
  "lifetime_paid" bigint,
  "next_payment_amount" bigint,
  "next_payment_date" timestamptz,
  "period_start" timestamptz,
  "period_end" timestamptz,
  "past_due_at" timestamptz,
  "canceled_at" timestamptz,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "subscription_items_subscription_id_idx" ON "clerk"."subscription_items" ("subscription_id");

CREATE INDEX "subscription_items_payer_user_id_idx" ON "clerk"."subscription_items" ("payer_user_id");

CREATE INDEX "subscription_items_payer_organization_id_idx" ON "clerk"."subscription_items" ("payer_organization_id");

CREATE TABLE "clerk"."payment_attempts" (
  "id" text NOT NULL COLLATE "C",
  "instance_id" text COLLATE "C",
  "payment_id" text COLLATE "C",
  "statement_id" text COLLATE "C",
  "invoice_id" text COLLATE "C",
  "status" text,
  "charge_type" text,
  "payer_id" text COLLATE "C",
  "payer_user_id" text COLLATE "C",
  "payer_organization_id" text COLLATE "C",
  "payee_id" text COLLATE "C",
  "subtotal" bigint,
  "tax_total" bigint,
  "grand_total" bigint,
  "currency" text,
  "failed_reason_code" text,
  "failed_reason_decline_code" text,
  "gateway_external_id" text,
  "payment_source_id" text COLLATE "C",
  "payment_method" text,
  "card_type" text,
  "last4" text,
  "billing_date" timestamptz,
  "paid_at" timestamptz,
  "failed_at" timestamptz,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "payment_attempts_payment_id_idx" ON "clerk"."payment_attempts" ("payment_id");

CREATE INDEX "payment_attempts_statement_id_idx" ON "clerk"."payment_attempts" ("statement_id");

CREATE INDEX "payment_attempts_payer_user_id_idx" ON "clerk"."payment_attempts" ("payer_user_id");

CREATE INDEX "payment_attempts_payer_organization_id_idx" ON "clerk"."payment_attempts" ("payer_organization_id");

CREATE TABLE "clerk"."emails" (
  "id" text NOT NULL COLLATE "C",
  "slug" text,
  "user_id" text COLLATE "C",
  "email_address_id" text COLLATE "C",
  "to_email_address" text,
  "from_email_name" text,
  "reply_to_email_name" text,
  "status" text,
  "delivered_by_clerk" boolean,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "emails_user_id_idx" ON "clerk"."emails" ("user_id");

CREATE INDEX "emails_to_email_address_idx" ON "clerk"."emails" ("to_email_address");

CREATE TABLE "clerk"."sms" (
  "id" text NOT NULL COLLATE "C",
  "slug" text,
  "user_id" text COLLATE "C",
  "phone_number_id" text COLLATE "C",
  "to_phone_number" text,
  "from_phone_number" text,
  "status" text,
  "delivered_by_clerk" boolean,
  "created_at" timestamptz,
  "updated_at" timestamptz,
  "raw" jsonb NOT NULL,
  "_updated_at_ms" bigint NOT NULL,
  "_occurred_at_ms" bigint NOT NULL,
  "_message_id" text NOT NULL COLLATE "C",
  "_mapping_rev" bigint NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "sms_user_id_idx" ON "clerk"."sms" ("user_id");

CREATE INDEX "sms_to_phone_number_idx" ON "clerk"."sms" ("to_phone_number");
