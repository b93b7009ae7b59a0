-- SQLite overwrites what it deletes, but leaves copies of rows that it moves from page to page. A
-- secret therefore is the last column of a row that is padded so that it lies in overflow pages only,
-- which are never copied (see server/storage/padding.ts).
CREATE TABLE padded_buckets (
  task_id BLOB PRIMARY KEY REFERENCES tasks,
  count INTEGER NOT NULL,
  checksum BLOB NOT NULL,                -- XOR of SHA-256 of the report ids
  padding BLOB NOT NULL,
  share BLOB NOT NULL                    -- encoded aggregate share
) STRICT;

INSERT INTO padded_buckets
  SELECT task_id, count, checksum, zeroblob(4600 - length(share) % 4092), share FROM buckets;
DROP TABLE buckets;
ALTER TABLE padded_buckets RENAME TO buckets;
