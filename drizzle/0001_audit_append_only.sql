-- Of a row only the count ever changes, and only upwards: the same happened again.
CREATE TRIGGER `audit_no_update`
BEFORE UPDATE OF `seq`, `time_ms`, `type`, `tenant`, `actor`, `client_id`, `subject`, `fingerprint`, `ip`, `request_id`, `outcome`, `reason`, `grant_id` ON `audit`
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;
--> statement-breakpoint
CREATE TRIGGER `audit_count_up` BEFORE UPDATE OF `count` ON `audit`
WHEN new.`count` < old.`count`
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;
--> statement-breakpoint
-- Rows are deleted only by a retention that first says, in the open, from when on it keeps them (milliseconds, in meta
-- under 'audit_keep_from_ms'): without that, not even this program can delete one.
CREATE TRIGGER `audit_no_delete` BEFORE DELETE ON `audit`
WHEN old.`time_ms` >= COALESCE((SELECT CAST(`value` AS INTEGER) FROM `meta` WHERE `key` = 'audit_keep_from_ms'), 0)
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;
