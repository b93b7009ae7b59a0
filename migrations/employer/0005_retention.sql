-- Retention counts from when a mail was queued, not from when it is tried next.
ALTER TABLE mail_queue ADD COLUMN queued_ms INTEGER NOT NULL DEFAULT 0;
UPDATE mail_queue SET queued_ms = due_ms;

-- Whether the people and codes of a round are deleted: how many codes were used is forgotten later.
ALTER TABLE invitations ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;
UPDATE invitations SET ended = 1 WHERE codes_used IS NOT NULL;
