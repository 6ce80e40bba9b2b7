DROP INDEX `sessions_expiry`;--> statement-breakpoint
CREATE INDEX `sessions_open_visit` ON `sessions` (`tenant_id`,`last_seen_ms`) WHERE "sessions"."secret_digest" is not null and "sessions"."ended_at_ms" is null;--> statement-breakpoint
CREATE INDEX `sessions_open_expiry` ON `sessions` (`expires_at_ms`) WHERE "sessions"."secret_digest" is not null and "sessions"."ended_at_ms" is null;