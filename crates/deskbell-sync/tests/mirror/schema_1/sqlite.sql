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
  "statements_seq" integer NOT NULL DEFAULT 0,
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

CREATE TABLE "clerk__versions" (
  "mapping" text NOT NULL,
  "id" text NOT NULL,
  "_updated_at_ms" integer,
  "_occurred_at_ms" integer,
  "_message_id" text,
  "created_at_ms" integer,
  "parent_1" text,
  "parent_2" text,
  "key" text,
  "columns" text,
  "ended_at_ms" integer,
  "ended_by" text,
  "shown" text,
  "flagged" boolean NOT NULL DEFAULT false,
  "parked_since" text,
  "given_up" boolean NOT NULL DEFAULT false,
  "source" text,
  "event_type" text,
  "retry" boolean NOT NULL DEFAULT false,
  "mapping_rev" integer,
  PRIMARY KEY ("mapping",
  "id") );

CREATE INDEX "clerk__versions_mapping_key_idx" ON "clerk__versions" ("mapping",
  "key");

CREATE INDEX "clerk__versions_mapping_shown_idx" ON "clerk__versions" ("mapping",
  "shown");

CREATE INDEX "clerk__versions_mapping_parent_1_idx" ON "clerk__versions" ("mapping",
  "parent_1");

CREATE INDEX "clerk__versions_mapping_parent_2_idx" ON "clerk__versions" ("mapping",
  "parent_2");

CREATE INDEX "clerk__versions_mapping_parked_since_idx" ON "clerk__versions" ("mapping",
  "parked_since");

CREATE TABLE "clerk__dead_letters" (
  "destination" text NOT NULL,
  "source" text NOT NULL,
  "message_id" text NOT NULL,
  "event_type" text NOT NULL,
  "part" text NOT NULL,
  "entity" text NOT NULL,
  "id" text NOT NULL,
  "reason" text NOT NULL,
  "retry" boolean NOT NULL DEFAULT false,
  "failed_at" text,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  PRIMARY KEY ("destination",
  "source",
  "message_id",
  "part",
  "entity",
  "id") );

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

CREATE TABLE "clerk_user_email_addresses" (
  "user_id" text NOT NULL,
  "id" text NOT NULL,
  "email_address" text,
  "verification_status" text,
  "verification_strategy" text,
  "reserved" boolean,
  "matches_sso_connection" boolean,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("user_id",
  "id") );

CREATE TABLE "clerk_user_phone_numbers" (
  "user_id" text NOT NULL,
  "id" text NOT NULL,
  "phone_number" text,
  "verification_status" text,
  "verification_strategy" text,
  "reserved" boolean,
  "reserved_for_second_factor" boolean,
  "default_second_factor" boolean,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("user_id",
  "id") );

CREATE TABLE "clerk_user_external_accounts" (
  "user_id" text NOT NULL,
  "id" text NOT NULL,
  "provider" text,
  "provider_user_id" text,
  "identification_id" text,
  "approved_scopes" text,
  "email_address" text,
  "email_address_verified" boolean,
  "first_name" text,
  "last_name" text,
  "image_url" text,
  "username" text,
  "phone_number" text,
  "label" text,
  "public_metadata" text,
  "verification_status" text,
  "verification_strategy" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("user_id",
  "id") );

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

CREATE TABLE "clerk_organization_domains" (
  "id" text NOT NULL,
  "organization_id" text,
  "name" text,
  "enrollment_mode" text,
  "affiliation_email_address" text,
  "verification_status" text,
  "verification_strategy" text,
  "verification_attempts" integer,
  "verification_expire_at" text,
  "verification_verified_at" text,
  "affiliation_verification_status" text,
  "affiliation_verification_strategy" text,
  "affiliation_verification_verified_at" text,
  "ownership_verification_status" text,
  "ownership_verification_strategy" text,
  "ownership_verification_verified_at" text,
  "total_pending_invitations" integer,
  "total_pending_suggestions" integer,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_organization_domains_organization_id_idx" ON "clerk_organization_domains" ("organization_id");

CREATE INDEX "clerk_organization_domains_name_idx" ON "clerk_organization_domains" ("name");

CREATE TABLE "clerk_organization_invitations" (
  "id" text NOT NULL,
  "organization_id" text,
  "email_address" text,
  "role" text,
  "role_name" text,
  "status" text,
  "inviter_id" text,
  "user_id" text,
  "url" text,
  "public_metadata" text,
  "private_metadata" text,
  "expires_at" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_organization_invitations_organization_id_idx" ON "clerk_organization_invitations" ("organization_id");

CREATE INDEX "clerk_organization_invitations_email_address_idx" ON "clerk_organization_invitations" ("email_address");

CREATE TABLE "clerk_invitations" (
  "id" text NOT NULL,
  "email_address" text,
  "status" text,
  "revoked" boolean,
  "url" text,
  "public_metadata" text,
  "expires_at" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_invitations_email_address_idx" ON "clerk_invitations" ("email_address");

CREATE TABLE "clerk_sessions" (
  "id" text NOT NULL,
  "user_id" text,
  "client_id" text,
  "status" text,
  "last_active_organization_id" text,
  "actor_sub" text,
  "latest_activity_id" text,
  "device_type" text,
  "is_mobile" boolean,
  "browser_name" text,
  "browser_version" text,
  "ip_address" text,
  "city" text,
  "country" text,
  "last_active_at" text,
  "expire_at" text,
  "abandon_at" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_sessions_user_id_idx" ON "clerk_sessions" ("user_id");

CREATE TABLE "clerk_roles" (
  "id" text NOT NULL,
  "name" text,
  "key" text,
  "description" text,
  "is_creator_eligible" boolean,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_roles_key_idx" ON "clerk_roles" ("key");

CREATE TABLE "clerk_role_permissions" (
  "role_id" text NOT NULL,
  "id" text NOT NULL,
  "name" text,
  "key" text,
  "description" text,
  "type" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("role_id",
  "id") );

CREATE TABLE "clerk_permissions" (
  "id" text NOT NULL,
  "name" text,
  "key" text,
  "description" text,
  "type" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_permissions_key_idx" ON "clerk_permissions" ("key");

CREATE TABLE "clerk_waitlist_entries" (
  "id" text NOT NULL,
  "email_address" text,
  "status" text,
  "is_locked" boolean,
  "invitation_id" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_waitlist_entries_email_address_idx" ON "clerk_waitlist_entries" ("email_address");

CREATE TABLE "clerk_subscriptions" (
  "id" text NOT NULL,
  "status" text,
  "payer_id" text,
  "payer_user_id" text,
  "payer_organization_id" text,
  "latest_payment_id" text,
  "payment_source_id" text,
  "active_at" text,
  "past_due_at" text,
  "canceled_at" text,
  "ended_at" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_subscriptions_payer_user_id_idx" ON "clerk_subscriptions" ("payer_user_id");

CREATE INDEX "clerk_subscriptions_payer_organization_id_idx" ON "clerk_subscriptions" ("payer_organization_id");

CREATE TABLE "clerk_subscription_items" (
  "id" text NOT NULL,
  "subscription_id" text,
  "status" text,
  "payer_id" text,
  "payer_user_id" text,
  "payer_organization_id" text,
  "plan_id" text,
  "plan_slug" text,
  "plan_name" text,
  "plan_amount" integer,
  "plan_currency" text,
  "plan_is_recurring" boolean,
  "interval" text,
  "is_free_trial" boolean,
  "seats_quantity" integer,
  "amount" integer,
  "currency" text,
  "credit_amount" integer,
  "proration_date" text,
  "lifetime_paid" integer,
  "next_payment_amount" integer,
  "next_payment_date" text,
  "period_start" text,
  "period_end" text,
  "past_due_at" text,
  "canceled_at" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_subscription_items_subscription_id_idx" ON "clerk_subscription_items" ("subscription_id");

CREATE INDEX "clerk_subscription_items_payer_user_id_idx" ON "clerk_subscription_items" ("payer_user_id");

CREATE INDEX "clerk_subscription_items_payer_organization_id_idx" ON "clerk_subscription_items" ("payer_organization_id");

CREATE TABLE "clerk_payment_attempts" (
  "id" text NOT NULL,
  "instance_id" text,
  "payment_id" text,
  "statement_id" text,
  "invoice_id" text,
  "status" text,
  "charge_type" text,
  "payer_id" text,
  "payer_user_id" text,
  "payer_organization_id" text,
  "payee_id" text,
  "subtotal" integer,
  "tax_total" integer,
  "grand_total" integer,
  "currency" text,
  "failed_reason_code" text,
  "failed_reason_decline_code" text,
  "gateway_external_id" text,
  "payment_source_id" text,
  "payment_method" text,
  "card_type" text,
  "last4" text,
  "billing_date" text,
  "paid_at" text,
  "failed_at" text,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_payment_attempts_payment_id_idx" ON "clerk_payment_attempts" ("payment_id");

CREATE INDEX "clerk_payment_attempts_statement_id_idx" ON "clerk_payment_attempts" ("statement_id");

CREATE INDEX "clerk_payment_attempts_payer_user_id_idx" ON "clerk_payment_attempts" ("payer_user_id");

CREATE INDEX "clerk_payment_attempts_payer_organization_id_idx" ON "clerk_payment_attempts" ("payer_organization_id");

CREATE TABLE "clerk_emails" (
  "id" text NOT NULL,
  "slug" text,
  "user_id" text,
  "email_address_id" text,
  "to_email_address" text,
  "from_email_name" text,
  "reply_to_email_name" text,
  "status" text,
  "delivered_by_clerk" boolean,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_emails_user_id_idx" ON "clerk_emails" ("user_id");

CREATE INDEX "clerk_emails_to_email_address_idx" ON "clerk_emails" ("to_email_address");

CREATE TABLE "clerk_sms" (
  "id" text NOT NULL,
  "slug" text,
  "user_id" text,
  "phone_number_id" text,
  "to_phone_number" text,
  "from_phone_number" text,
  "status" text,
  "delivered_by_clerk" boolean,
  "created_at" text,
  "updated_at" text,
  "raw" text NOT NULL,
  "_updated_at_ms" integer NOT NULL,
  "_occurred_at_ms" integer NOT NULL,
  "_message_id" text NOT NULL,
  "_mapping_rev" integer NOT NULL,
  PRIMARY KEY ("id") );

CREATE INDEX "clerk_sms_user_id_idx" ON "clerk_sms" ("user_id");

CREATE INDEX "clerk_sms_to_phone_number_idx" ON "clerk_sms" ("to_phone_number");
