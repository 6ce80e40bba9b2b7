CREATE INDEX `organizations_name` ON `organizations` (`tenant_id`,"name" COLLATE NOCASE,`id`);--> statement-breakpoint
CREATE INDEX `grants_client` ON `grants` (`tenant_id`,`client_id`,`id`);--> statement-breakpoint
CREATE INDEX `opaque_tokens_client` ON `opaque_tokens` (`tenant_id`,`client_id`,`digest`);--> statement-breakpoint
CREATE INDEX `users_name` ON `users` (`tenant_id`,"name" COLLATE NOCASE) WHERE "users"."name" is not null and "users"."deleted_at_ms" is null;--> statement-breakpoint
CREATE INDEX `users_disabled` ON `users` (`tenant_id`,`username_key`) WHERE "users"."disabled_at_ms" is not null and "users"."deleted_at_ms" is null;