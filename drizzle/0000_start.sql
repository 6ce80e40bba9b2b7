CREATE TABLE `audit` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`time_ms` integer NOT NULL,
	`type` text NOT NULL,
	`tenant` text,
	`actor` text,
	`client_id` text,
	`subject` text,
	`fingerprint` text,
	`ip` text,
	`request_id` text,
	`outcome` text NOT NULL,
	`reason` text,
	`grant_id` text,
	`count` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `audit_tenant` ON `audit` (`tenant`);--> statement-breakpoint
CREATE INDEX `audit_type` ON `audit` (`type`);--> statement-breakpoint
CREATE INDEX `audit_time` ON `audit` (`time_ms`);--> statement-breakpoint
CREATE TABLE `client_secrets` (
	`tenant_id` text NOT NULL,
	`client_id` text NOT NULL,
	`id` text NOT NULL,
	`digest` text NOT NULL,
	`kind` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	PRIMARY KEY(`tenant_id`, `client_id`, `id`),
	FOREIGN KEY (`tenant_id`,`client_id`) REFERENCES `clients`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `client_secrets_end` ON `client_secrets` (`expires_at_ms`) WHERE "client_secrets"."expires_at_ms" is not null;--> statement-breakpoint
CREATE TABLE `clients` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`public` integer NOT NULL,
	`grants` text NOT NULL,
	`scopes` text NOT NULL,
	`audience` text NOT NULL,
	`redirect_uris` text NOT NULL,
	`auth_method` text,
	`token_format` text,
	`introspect` text,
	`shape` text,
	`org_id` text,
	`refresh_rotation` integer NOT NULL,
	`access_token_ttl_s` integer,
	`refresh_token_ttl_s` integer,
	`self_registered` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`disabled_at_ms` integer,
	`deleted_at_ms` integer,
	`not_before_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`),
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE TABLE `grants` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`client_id` text NOT NULL,
	`user_id` text NOT NULL,
	`session_id` text,
	`org_id` text,
	`scopes` text NOT NULL,
	`audience` text NOT NULL,
	`offline` integer NOT NULL,
	`auth_time_s` integer,
	`acr` text,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`revoked_at_ms` integer,
	`keep_until_ms` integer NOT NULL,
	FOREIGN KEY (`tenant_id`,`session_id`) REFERENCES `sessions`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `grants_session` ON `grants` (`tenant_id`,`session_id`) WHERE "grants"."session_id" is not null;--> statement-breakpoint
CREATE INDEX `grants_keep_until` ON `grants` (`keep_until_ms`);--> statement-breakpoint
CREATE TABLE `meta` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `opaque_tokens` (
	`digest` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`client_id` text NOT NULL,
	`subject` text NOT NULL,
	`user_id` text,
	`scopes` text NOT NULL,
	`audience` text NOT NULL,
	`issued_at_ms` integer NOT NULL,
	`expires_at_s` integer,
	`not_before_s` integer,
	`token_id` text,
	`grant_id` text,
	`session_id` text,
	`org_id` text,
	`auth_time_s` integer,
	`acr` text,
	`rare` text,
	`revoked_at_ms` integer,
	`keep_until_ms` integer NOT NULL,
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `opaque_tokens_grant` ON `opaque_tokens` (`grant_id`) WHERE "opaque_tokens"."grant_id" is not null;--> statement-breakpoint
CREATE INDEX `opaque_tokens_keep_until` ON `opaque_tokens` (`keep_until_ms`);--> statement-breakpoint
CREATE TABLE `refresh_tokens` (
	`digest` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`grant_id` text NOT NULL,
	`issued_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`used_at_ms` integer,
	`successor_digest` text,
	`successor_sealed` text,
	`request_digest` text,
	FOREIGN KEY (`grant_id`) REFERENCES `grants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `refresh_tokens_grant` ON `refresh_tokens` (`grant_id`);--> statement-breakpoint
CREATE INDEX `refresh_tokens_expiry` ON `refresh_tokens` (`expires_at_ms`);--> statement-breakpoint
CREATE INDEX `refresh_tokens_sealed` ON `refresh_tokens` (`used_at_ms`) WHERE "refresh_tokens"."successor_sealed" is not null;--> statement-breakpoint
CREATE TABLE `resources` (
	`tenant_id` text NOT NULL,
	`key` text NOT NULL,
	`uri` text NOT NULL,
	`scopes` text NOT NULL,
	`owner_client_id` text,
	`token_format` text,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `key`),
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE TABLE `revoked_ids` (
	`tenant_id` text NOT NULL,
	`token_id` text NOT NULL,
	`expires_at_s` integer NOT NULL,
	`revoked_at_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `token_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `revoked_ids_expiry` ON `revoked_ids` (`expires_at_s`);--> statement-breakpoint
CREATE TABLE `sessions` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`user_id` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`ended_at_ms` integer,
	PRIMARY KEY(`tenant_id`, `id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `signing_keys` (
	`tenant_id` text NOT NULL,
	`kid` text NOT NULL,
	`algorithm` text NOT NULL,
	`status` text NOT NULL,
	`public_jwk` text NOT NULL,
	`sealed_private` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`activated_at_ms` integer,
	`retired_at_ms` integer,
	PRIMARY KEY(`tenant_id`, `kid`),
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `signing_keys_one_active` ON `signing_keys` (`tenant_id`) WHERE "signing_keys"."status" = 'active';--> statement-breakpoint
CREATE TABLE `tenants` (
	`id` text PRIMARY KEY NOT NULL,
	`slug` text NOT NULL,
	`name` text NOT NULL,
	`preset` text NOT NULL,
	`layout` text NOT NULL,
	`host` text,
	`introspection_policy` text NOT NULL,
	`introspection_policy_mode` text NOT NULL,
	`revocation_policy` text NOT NULL,
	`refresh_revocation` text NOT NULL,
	`shape` text NOT NULL,
	`default_audience` text NOT NULL,
	`algorithm` text NOT NULL,
	`access_token_ttl_s` integer NOT NULL,
	`refresh_token_ttl_s` integer NOT NULL,
	`created_at_ms` integer NOT NULL,
	`disabled_at_ms` integer,
	`deleted_at_ms` integer,
	`not_before_ms` integer NOT NULL,
	`longest_ttl_s` integer NOT NULL,
	`slug_held_until_ms` integer
) STRICT;
--> statement-breakpoint
CREATE INDEX `tenants_slug` ON `tenants` (`slug`);--> statement-breakpoint
CREATE UNIQUE INDEX `tenants_live_slug` ON `tenants` (`slug`) WHERE "tenants"."deleted_at_ms" is null;--> statement-breakpoint
CREATE UNIQUE INDEX `tenants_host` ON `tenants` (`host`) WHERE "tenants"."host" is not null;--> statement-breakpoint
CREATE TABLE `users` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`username` text NOT NULL,
	`username_key` text NOT NULL,
	`email` text NOT NULL,
	`email_verified` integer NOT NULL,
	`name` text,
	`created_at_ms` integer NOT NULL,
	`disabled_at_ms` integer,
	`deleted_at_ms` integer,
	`not_before_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`),
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `users_live_username` ON `users` (`tenant_id`,`username_key`) WHERE "users"."deleted_at_ms" is null;