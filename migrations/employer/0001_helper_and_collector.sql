-- Replies to aggregation jobs, kept until the group is sealed so that a repeated request is answered alike.
CREATE TABLE aggregation_jobs (
  task_id BLOB NOT NULL REFERENCES tasks,
  request_hash BLOB NOT NULL,            -- SHA-256 of AggregationJobInitReq
  job_id BLOB NOT NULL UNIQUE,
  response BLOB NOT NULL,                -- AggregationJobResp, exact bytes
  PRIMARY KEY (task_id, request_hash)
) STRICT, WITHOUT ROWID;

-- The one aggregate share of a group, sealed to the collector key: identical bytes for ever after.
CREATE TABLE aggregate_share_jobs (
  task_id BLOB PRIMARY KEY REFERENCES tasks,
  request_hash BLOB NOT NULL,
  job_id BLOB NOT NULL UNIQUE,
  response BLOB NOT NULL
) STRICT;

-- Where the guardian keeps the one collection of a group.
CREATE TABLE collections (
  task_id BLOB PRIMARY KEY REFERENCES tasks,
  location TEXT NOT NULL,
  response BLOB                          -- CollectionJobResp, until confirmed
) STRICT;
