CREATE TABLE `codes` (
	`digest` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`client_id` text NOT NULL,
	`user_id` text NOT NULL,
	`session_id` text NOT NULL,
	`session_ends_at_ms` integer NOT NULL,
	`org_id` text,
	`redirect_uri` text,
	`challenge` text,
	`nonce` text,
	`scopes` text NOT NULL,
	`resources` text NOT NULL,
	`offline` integer NOT NULL,
	`auth_time_s` integer NOT NULL,
	`acr` text NOT NULL,
	`amr` text NOT NULL,
	`issued_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`used_at_ms` integer,
	`failures` integer NOT NULL,
	`grant_id` text,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `codes_user` ON `codes` (`tenant_id`,`user_id`);--> statement-breakpoint
CREATE INDEX `codes_unused` ON `codes` (`expires_at_ms`) WHERE "codes"."used_at_ms" is null;--> statement-breakpoint
CREATE INDEX `codes_used` ON `codes` (`expires_at_ms`) WHERE "codes"."used_at_ms" is not null;--> statement-breakpoint
CREATE TABLE `consents` (
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`client_id` text NOT NULL,
	`resource_key` text NOT NULL,
	`org_id` text NOT NULL,
	`scopes` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `user_id`, `client_id`, `resource_key`, `org_id`),
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `consents_client` ON `consents` (`tenant_id`,`client_id`);--> statement-breakpoint
CREATE TABLE `interactions` (
	`digest` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`browser_digest` text NOT NULL,
	`request` text,
	`section` text,
	`fresh_since_ms` integer,
	`progress` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`finished_at_ms` integer,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `interactions_expiry` ON `interactions` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `memberships` (
	`tenant_id` text NOT NULL,
	`org_id` text NOT NULL,
	`user_id` text NOT NULL,
	`roles` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `org_id`, `user_id`),
	FOREIGN KEY (`tenant_id`,`org_id`) REFERENCES `organizations`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `memberships_user` ON `memberships` (`tenant_id`,`user_id`,`org_id`);--> statement-breakpoint
CREATE TABLE `organizations` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `id`),
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `outbox` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`kind` text NOT NULL,
	`target` text NOT NULL,
	`payload` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`next_attempt_at_ms` integer NOT NULL,
	`attempts` integer NOT NULL,
	`done_at_ms` integer,
	`outcome` text,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `outbox_due` ON `outbox` (`next_attempt_at_ms`) WHERE "outbox"."done_at_ms" is null;--> statement-breakpoint
CREATE INDEX `outbox_done` ON `outbox` (`done_at_ms`) WHERE "outbox"."done_at_ms" is not null;--> statement-breakpoint
CREATE INDEX `outbox_mailbox` ON `outbox` (`tenant_id`,`created_at_ms`) WHERE "outbox"."outcome" = 'mailbox';--> statement-breakpoint
CREATE TABLE `passkeys` (
	`tenant_id` text NOT NULL,
	`id` text NOT NULL,
	`user_id` text NOT NULL,
	`public_key` text NOT NULL,
	`counter` integer NOT NULL,
	`transports` text NOT NULL,
	`synced` integer NOT NULL,
	`name` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`last_used_at_ms` integer,
	PRIMARY KEY(`tenant_id`, `id`),
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `passkeys_user` ON `passkeys` (`tenant_id`,`user_id`);--> statement-breakpoint
CREATE TABLE `passwords` (
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`digest` text NOT NULL,
	`changed_at_ms` integer NOT NULL,
	`must_change` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `user_id`),
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `proofs` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`kind` text NOT NULL,
	`user_id` text,
	`bound_to` text NOT NULL,
	`code_digest` text NOT NULL,
	`link_digest` text,
	`sealed_data` text,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer NOT NULL,
	`failures` integer NOT NULL,
	`used_at_ms` integer,
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `proofs_bound` ON `proofs` (`tenant_id`,`bound_to`,`kind`,`created_at_ms`);--> statement-breakpoint
CREATE UNIQUE INDEX `proofs_link` ON `proofs` (`tenant_id`,`link_digest`) WHERE "proofs"."link_digest" is not null;--> statement-breakpoint
CREATE INDEX `proofs_user` ON `proofs` (`tenant_id`,`user_id`,`created_at_ms`) WHERE "proofs"."user_id" is not null;--> statement-breakpoint
CREATE INDEX `proofs_expiry` ON `proofs` (`expires_at_ms`);--> statement-breakpoint
CREATE TABLE `recovery_codes` (
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`digest` text NOT NULL,
	`used_at_ms` integer,
	PRIMARY KEY(`tenant_id`, `user_id`, `digest`),
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `roles` (
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`permissions` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `name`),
	FOREIGN KEY (`tenant_id`) REFERENCES `tenants`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `sign_in_failures` (
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`network` text NOT NULL,
	`failures` integer NOT NULL,
	`last_at_ms` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `user_id`, `network`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `sign_in_failures_last` ON `sign_in_failures` (`last_at_ms`);--> statement-breakpoint
CREATE TABLE `totp` (
	`tenant_id` text NOT NULL,
	`user_id` text NOT NULL,
	`sealed_secret` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`confirmed_at_ms` integer,
	`last_step` integer NOT NULL,
	PRIMARY KEY(`tenant_id`, `user_id`),
	FOREIGN KEY (`tenant_id`,`user_id`) REFERENCES `users`(`tenant_id`,`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `clients` ADD `post_logout_redirect_uris` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
ALTER TABLE `clients` ADD `backchannel_logout_uri` text;--> statement-breakpoint
ALTER TABLE `clients` ADD `first_party` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `clients` ADD `require_pkce` integer DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE `grants` ADD `amr` text DEFAULT '[]' NOT NULL;--> statement-breakpoint
CREATE INDEX `grants_user` ON `grants` (`tenant_id`,`user_id`);--> statement-breakpoint
ALTER TABLE `sessions` ADD `secret_digest` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `auth_time_ms` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `amr` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `acr` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `last_seen_ms` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `expires_at_ms` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `user_agent` text;--> statement-breakpoint
ALTER TABLE `sessions` ADD `ip` text;--> statement-breakpoint
CREATE UNIQUE INDEX `sessions_secret` ON `sessions` (`tenant_id`,`secret_digest`) WHERE "sessions"."secret_digest" is not null;--> statement-breakpoint
CREATE INDEX `sessions_user` ON `sessions` (`tenant_id`,`user_id`);--> statement-breakpoint
CREATE INDEX `sessions_expiry` ON `sessions` (`expires_at_ms`) WHERE "sessions"."secret_digest" is not null;--> statement-breakpoint
CREATE INDEX `sessions_ended` ON `sessions` (`ended_at_ms`) WHERE "sessions"."secret_digest" is not null and "sessions"."ended_at_ms" is not null;--> statement-breakpoint
ALTER TABLE `tenants` ADD `people` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `attributes` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `email_key` text DEFAULT '' NOT NULL;--> statement-breakpoint
-- Not the generator's. Addresses with letters beyond ASCII get their right key when they are next written.
UPDATE `users` SET `email_key` = lower(`email`);--> statement-breakpoint
CREATE INDEX `users_email` ON `users` (`tenant_id`,`email_key`);