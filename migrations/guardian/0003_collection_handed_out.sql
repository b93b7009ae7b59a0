-- Whether the response of a collection job may have left: until then the group can still be withheld.
ALTER TABLE collection_jobs ADD COLUMN handed_out INTEGER NOT NULL DEFAULT 0;
