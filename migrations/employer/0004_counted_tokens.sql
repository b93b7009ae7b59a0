-- The tokens of what was counted, so that this party by itself counts none twice: the guardian may
-- send anything. A token is good for one task only and names its one key, so that (task, nonce) is
-- (token_key_id, nonce). In the order of the nonces, which are hashes: no order of arrival.
CREATE TABLE counted_tokens (
  task_id BLOB NOT NULL REFERENCES tasks,
  nonce BLOB NOT NULL,                   -- SHA-256 of the report's public key
  PRIMARY KEY (task_id, nonce)
) STRICT, WITHOUT ROWID;
