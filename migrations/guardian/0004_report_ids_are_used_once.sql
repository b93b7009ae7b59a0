-- A report id is used once, in whatever group: a round has one list of ids, and no id is in it twice.
CREATE TABLE spent_once (
  token_key_id BLOB NOT NULL,            -- 32 zero bytes until tokens exist
  nonce BLOB NOT NULL,                   -- SHA-256 of the report's public key
  task_id BLOB NOT NULL REFERENCES tasks,
  report_id BLOB NOT NULL UNIQUE,
  report_hash BLOB NOT NULL,             -- SHA-256 of the report
  PRIMARY KEY (token_key_id, nonce)
) STRICT, WITHOUT ROWID;

INSERT OR IGNORE INTO spent_once SELECT token_key_id, nonce, task_id, report_id, report_hash FROM spent;
DROP TABLE spent;
ALTER TABLE spent_once RENAME TO spent;
