-- How long things are kept. Where nothing was ever set, the program's own default counts.

-- Changes of settings, as the employer numbered them. In force is, for each kind and sheet, the one
-- with the highest number that is applied.
CREATE TABLE retention_changes (
  hash BLOB PRIMARY KEY,                 -- SHA-256 of the change in canonical JSON
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  sheet BLOB,                            -- hash of a survey's sheet; null: the installation
  days INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'applied', 'refused', 'cancelled')),
  guardian_signature BLOB,               -- the guardian's consent
  reason TEXT,                           -- why the guardian refused
  told INTEGER NOT NULL DEFAULT 0,       -- employer: the guardian knows of this state
  changed_ms INTEGER NOT NULL            -- when it came into this state
) STRICT;

-- One row from the day on which this party was decommissioned: what is left is only kept until it is due.
CREATE TABLE ending (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  decommissioned_ms INTEGER NOT NULL
) STRICT;
