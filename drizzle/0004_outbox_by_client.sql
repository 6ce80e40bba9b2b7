DROP INDEX `outbox_due`;--> statement-breakpoint
CREATE INDEX `outbox_mails` ON `outbox` (`next_attempt_at_ms`) WHERE "outbox"."done_at_ms" is null and "outbox"."kind" = 'mail';--> statement-breakpoint
CREATE INDEX `outbox_logouts` ON `outbox` (`tenant_id`,`target`,`next_attempt_at_ms`) WHERE "outbox"."done_at_ms" is null and "outbox"."kind" = 'logout';