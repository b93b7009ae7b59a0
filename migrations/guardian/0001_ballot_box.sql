-- The sealed box: reports exactly as received, never opened while the round is open.
CREATE TABLE box (
  task_id BLOB NOT NULL REFERENCES tasks,
  report_id BLOB NOT NULL,
  report BLOB NOT NULL,
  PRIMARY KEY (task_id, report_id)
) STRICT;

-- One report for each spent token. It outlives the report until the round's list is signed, so that
-- a repeated upload is known for what it is.
CREATE TABLE spent (
  token_key_id BLOB NOT NULL,            -- 32 zero bytes until tokens exist
  nonce BLOB NOT NULL,                   -- SHA-256 of the report's public key
  task_id BLOB NOT NULL REFERENCES tasks,
  report_id BLOB NOT NULL,
  report_hash BLOB NOT NULL,             -- SHA-256 of the report
  PRIMARY KEY (token_key_id, nonce),
  UNIQUE (task_id, report_id)
) STRICT, WITHOUT ROWID;

-- The one shuffle of a group, stored before anything is sent.
CREATE TABLE lots (
  task_id BLOB NOT NULL REFERENCES tasks,
  lot INTEGER NOT NULL,
  position INTEGER NOT NULL,
  report_id BLOB NOT NULL,
  PRIMARY KEY (task_id, lot, position)
) STRICT, WITHOUT ROWID;

-- The one collection of a group. The response is stored with the noise, and never made again.
CREATE TABLE collection_jobs (
  task_id BLOB PRIMARY KEY REFERENCES tasks,
  job_id BLOB NOT NULL UNIQUE,
  request BLOB NOT NULL,
  response BLOB                          -- CollectionJobResp, exact bytes
) STRICT;
