-- The answering page's script of each round that is not closed: people get the very bytes whose hash
-- both parties signed, also after the guardian's program was updated.
CREATE TABLE scripts (
  hash BLOB PRIMARY KEY,                 -- SHA-256 of bytes
  bytes BLOB NOT NULL
) STRICT;
