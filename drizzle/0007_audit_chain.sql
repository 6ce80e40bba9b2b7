CREATE INDEX `audit_tenant_type` ON `audit` (`tenant`,`type`);--> statement-breakpoint
CREATE INDEX `audit_actor` ON `audit` (`actor`) WHERE "audit"."actor" is not null;--> statement-breakpoint
CREATE INDEX `audit_client` ON `audit` (`client_id`) WHERE "audit"."client_id" is not null;--> statement-breakpoint
CREATE INDEX `audit_ip` ON `audit` (`ip`) WHERE "audit"."ip" is not null;--> statement-breakpoint
CREATE INDEX `audit_request` ON `audit` (`request_id`) WHERE "audit"."request_id" is not null;--> statement-breakpoint
-- Not the generator's, from here on. What a row carries of its chain never changes either.
CREATE TRIGGER `audit_no_rehash` BEFORE UPDATE OF `hash` ON `audit`
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;
--> statement-breakpoint
-- Rows come at the end only: neither between others nor, as INSERT OR REPLACE would, in place of another.
CREATE TRIGGER `audit_no_insert_before` BEFORE INSERT ON `audit`
WHEN new.`seq` > 0 AND new.`seq` <= (SELECT MAX(`seq`) FROM `audit`)
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;
--> statement-breakpoint
-- Retention says, in the open and chain by chain, up to which row it takes them: the chain's anchor. A row beyond it, or
-- the last of its chain, cannot be deleted, not even by this program.
DROP TRIGGER `audit_no_delete`;
--> statement-breakpoint
DELETE FROM `meta` WHERE `key` = 'audit_keep_from_ms';
--> statement-breakpoint
CREATE TRIGGER `audit_no_delete` BEFORE DELETE ON `audit`
WHEN old.`seq` > COALESCE((SELECT `number` FROM `audit_anchors` WHERE `chain` = COALESCE(old.`tenant`, '')), 0)
	OR NOT EXISTS (SELECT 1 FROM `audit` WHERE `tenant` IS old.`tenant` AND `seq` > old.`seq`)
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;
--> statement-breakpoint
-- An anchor is a row of its chain, with that row's hash, and only ever moves on.
CREATE TRIGGER `audit_anchors_new` BEFORE INSERT ON `audit_anchors`
WHEN NOT EXISTS (SELECT 1 FROM `audit` WHERE `seq` = new.`number` AND COALESCE(`tenant`, '') = new.`chain` AND COALESCE(`hash`, '') = new.`hash`)
	OR new.`number` <= COALESCE((SELECT `number` FROM `audit_anchors` WHERE `chain` = new.`chain`), 0)
BEGIN
	SELECT RAISE(ABORT, 'audit anchors only move on');
END;
--> statement-breakpoint
CREATE TRIGGER `audit_anchors_moved` BEFORE UPDATE ON `audit_anchors`
WHEN new.`chain` <> old.`chain` OR new.`number` <= old.`number`
	OR NOT EXISTS (SELECT 1 FROM `audit` WHERE `seq` = new.`number` AND COALESCE(`tenant`, '') = new.`chain` AND COALESCE(`hash`, '') = new.`hash`)
BEGIN
	SELECT RAISE(ABORT, 'audit anchors only move on');
END;
--> statement-breakpoint
CREATE TRIGGER `audit_anchors_stay` BEFORE DELETE ON `audit_anchors`
BEGIN
	SELECT RAISE(ABORT, 'audit anchors only move on');
END;